// The first rows, with their targets and what the network makes of them.
parts.push(function table(app) {
  if (app.data.plane || app.data.image || app.data.output === null) return null;
  const ROWS = 8, NUMBERS = 3;
  const { data, evaluator } = app, { nodes, classes } = data;
  const rows = evaluator.test ?? app.learner.clean, count = Math.min(ROWS, rows.count);
  const width = widthOf(nodes[data.output]);
  const line = row => ({ row, output: made("td", { class: "prediction" }), mark: made("td") });
  const lines = Array.from({ length: count }, (_, row) => line(row));
  build();

  function build() {
    const named = list => list.map(node => nodes[node].name);
    const heads = ["row", ...named(data.targets), ...(classes ? ["class"] : []), nodes[data.output].name];
    const head = made("tr", {}, ...[...heads, ...named(data.inputs)].map(each => made("th", { scope: "col" }, each)));
    const whole = made("table", { class: "rows" }, made("thead", {}, head), made("tbody", {}, ...lines.map(lineOf)));
    const title = `Output for the first ${evaluator.test ? "test rows" : "rows"}`;
    app.find(".output").append(
      made("div", { class: "heading" }, made("h2", {}, title)), made("div", { class: "scroll" }, whole),
    );
  }
  function lineOf({ row, output, mark }) {
    const cells = list => list.map(node => made("td", {}, numbersOf(rows.row(keyOf(nodes[node]), row))));
    const head = made("th", { scope: "row" }, String(row));
    return made("tr", {}, head, ...cells(data.targets), ...(classes ? [mark] : []), output, ...cells(data.inputs));
  }
  function numbersOf(numbers) {
    const shown = Array.from(numbers.subarray(0, NUMBERS), short).join("  ");
    return numbers.length > NUMBERS ? `${shown}  … ${numbers.length}` : shown;
  }
  function show({ row, output, mark }, outputs) {
    output.textContent = numbersOf(outputs.subarray(row * width, (row + 1) * width));
    if (!classes) return;
    const said = evaluator.classOf(outputs, row);
    const right = said === evaluator.labelOf(rows.row(keyOf(nodes[data.targets[0]]), row));
    mark.textContent = `${right ? "✓" : "✗"} ${said}`;
    mark.className = right ? "right" : "wrong";
  }
  return {
    measured() {
      const outputs = evaluator.firstRows(rows, count);
      for (const line of lines) show(line, outputs);
    },
  };
});
