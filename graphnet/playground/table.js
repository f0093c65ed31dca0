// The first rows, with their targets and what the network makes of them.
parts.push(function table(app) {
  if (app.data.plane || app.data.output === null) return null;
  const { data, evaluator } = app, ROWS = 8, NUMBERS = 3;
  const rows = evaluator.test ?? app.learner.clean, count = Math.min(ROWS, rows.count);
  const root = app.find(".output"), width = widthOf(data.nodes[data.output]);
  const body = made("tbody", {});
  const named = nodes => nodes.map(node => data.nodes[node].name);
  const heads = ["row", ...named(data.targets), ...(data.classes ? ["class"] : []), data.nodes[data.output].name, ...named(data.inputs)];
  root.append(
    made("div", { class: "heading" }, made("h2", {}, evaluator.test ? "Output for the first test rows" : "Output for the first rows")),
    made("div", { class: "scroll" }, made("table", { class: "rows" }, made("thead", {}, made("tr", {}, ...heads.map(head => made("th", { scope: "col" }, head)))), body)),
  );
  const outputs = [], marks = [];
  for (let row = 0; row < count; row++) {
    const cells = nodes => nodes.map(node => made("td", {}, numbersOf(rows.row(data.nodes[node].name, row))));
    outputs.push(made("td", { class: "prediction" }));
    marks.push(made("td", {}));
    body.append(made("tr", {}, made("th", { scope: "row" }, String(row)), ...cells(data.targets), ...(data.classes ? [marks[row]] : []), outputs[row], ...cells(data.inputs)));
  }
  function numbersOf(numbers) {
    const shown = Array.from(numbers.subarray(0, NUMBERS), short).join("  ");
    return numbers.length > NUMBERS ? `${shown}  … ${numbers.length}` : shown;
  }
  return {
    measured() {
      const output = evaluator.firstRows(rows, count);
      for (let row = 0; row < count; row++) {
        outputs[row].textContent = numbersOf(output.subarray(row * width, (row + 1) * width));
        if (!data.classes) continue;
        const said = evaluator.classOf(output, row);
        const right = said === evaluator.labelOf(rows.row(data.nodes[data.targets[0]].name, row));
        marks[row].textContent = `${right ? "✓" : "✗"} ${said}`;
        marks[row].className = right ? "right" : "wrong";
      }
    },
  };
});
