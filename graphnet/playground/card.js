// The card of a node: its formulas, and the numbers that they give now.
parts.push(function card(app) {
  const SHOWN_ROWS = 5, SHOWN_COLUMNS = 4, MOST_BUTTONS = 6;
  const root = app.find(".card");
  let node = null, grids = [], sentence = null, told = null, showsCode = false;
  const { nodes } = app.data;
  const layers = app.data.views.find(view => view.name === "layers");

  function open() {
    node = app.chosen;
    root.hidden = node === null;
    if (node === null) return;
    const { name, op, kind, value, gradient } = nodes[node];
    const close = made("button", { type: "button", class: "close", "aria-label": "Close the card (Escape)", title: "Close (Escape)" }, "×");
    close.addEventListener("click", () => app.choose(null));
    sentence = made("p", { class: "sentence" });
    root.replaceChildren(
      made("div", { class: "heading" }, made("h2", {}, `${node} · ${name}`), made("span", { class: "kind" }, op || kind), ...siblings(), close),
      sentence,
    );
    const phase = app.event?.phase, formulas = made("div", { class: "formulas" });
    if (value) formulas.append(formula(value, phase === "forward"));
    gradient.forEach(line => formulas.append(formula(line, phase === "backward")));
    grids = [];
    const side = made("div", { class: "grids" });
    for (const [label, part] of [["value", "values"], ["gradient", "gradients"]]) {
      if (app.learner.program[part][node]?.length) side.append(grid(label, part));
    }
    if (app.data.maps.includes(node)) formulas.append(maps());
    told = made("p", { class: "told" }, grids.some(each => each.table) ? "Point at a number of the value: it is written out here." : "");
    side.append(told);
    root.append(made("div", { class: "about" }, formulas, side), ...code());
    fill();
  }
  // The functions of the program that belong to the node.
  function code() {
    const { train, backward, update } = app.learner.program;
    const found = [train, backward, update].flatMap(walk => walk.filter(entry => entry.node === node));
    if (!found.length) return [];
    const summary = made("summary", {}, "JavaScript");
    const details = made("details", { open: showsCode }, summary, made("pre", { tabindex: 0 }, found.map(({ run }) => run.toString().replace(/^ {2}/gm, "")).join("\n\n")));
    summary.addEventListener("click", () => { showsCode = !details.open; });
    return [details];
  }
  // The other nodes of the same layer.
  function siblings() {
    const box = layers && Object.values(layers.boxes).find(each => each.nodes.includes(node));
    if (!box || box.nodes.length < 2) return [];
    if (box.nodes.length > MOST_BUTTONS) return [menu(box.nodes)];
    return [made("span", { class: "siblings", role: "group", "aria-label": "Nodes of this layer" }, ...box.nodes.map(each => {
      const button = made("button", { type: "button", "aria-pressed": String(each === node) }, nodes[each].name.split(".").at(-1));
      button.addEventListener("click", () => app.choose(each));
      return button;
    }))];
  }
  function menu(choices) {
    const select = made("select", { "aria-label": "Nodes of this layer" }, ...choices.map(each => made("option", { value: each, selected: each === node }, nodes[each].name)));
    select.addEventListener("change", () => app.choose(Number(select.value)));
    return select;
  }
  const formula = (text, now) => made("p", { class: now ? "formula now" : "formula" }, text);
  function grid(label, part) {
    const table = made("table", {}), facts = made("span", { class: "facts" });
    grids.push({ table, facts, part, cells: null });
    return made("div", {}, made("h3", {}, label, " ", facts), table);
  }
  function maps() {
    const canvas = made("canvas", { class: "maps large", role: "img", "aria-label": "What each unit computes at the points of the plane" });
    grids.push({ canvas });
    return made("div", {}, made("h3", {}, "units over the plane"), canvas);
  }

  // The first numbers of a tensor, coloured by their size.
  function fill() {
    if (node === null) return;
    for (const each of grids) {
      if (each.canvas) {
        const values = app.evaluator.maps.get(node);
        if (values) drawMaps(each.canvas, values, unitsOf(app.data, node), 13, app.colours);
      } else fillTable(each);
    }
    sentence.textContent = sentenceOf();
  }
  function fillTable(each) {
    const numbers = app.learner.program[each.part][node], width = widthOf(nodes[node]);
    const columns = Math.min(width, SHOWN_COLUMNS), rows = Math.min(SHOWN_ROWS, numbers.length / width);
    if (each.cells?.length !== rows * columns) {
      each.table.replaceChildren();
      each.cells = [];
      for (let row = 0; row < rows; row++) {
        const line = each.table.insertRow();
        for (let column = 0; column < columns; column++) {
          const cell = line.insertCell();
          each.cells.push(cell);
          if (each.part === "values") follow(cell, row * width + column);
        }
        if (columns < width && row === 0) line.insertCell().append(made("span", { class: "more" }, `… ${width}`));
      }
      if (rows * width < numbers.length) each.table.insertRow().insertCell().append(made("span", { class: "more" }, `⋮ ${Math.round(numbers.length / width)}`));
    }
    const largest = largestOf(numbers, 0, numbers.length) || 1;
    each.cells.forEach((cell, at) => {
      const number = numbers[Math.floor(at / columns) * width + at % columns], level = number / largest;
      cell.textContent = short(number);
      cell.style.background = app.colours.css(level < 0 ? app.colours.less : app.colours.more, (0.55 * Math.min(1, Math.abs(level) || 0)).toFixed(2));
    });
    const [low, high] = rangeOf(numbers);
    each.facts.textContent = numbers.length > 1 ? `‖${short(norm(numbers))}‖  ${short(low)} … ${short(high)}` : "";
  }
  // A number that is pointed at is written out.
  function follow(cell, place) {
    const tell = () => { told.textContent = writtenOut(app, node, place); };
    cell.tabIndex = 0;
    for (const event of ["mouseenter", "focus", "click"]) cell.addEventListener(event, tell);
  }
  // What the walk has just done here.
  function sentenceOf() {
    const { event, learner } = app;
    if (!event) return "";
    const { train, backward, update } = learner.program;
    const count = train.length + backward.length + update.length;
    const at = event.last ? count : learner.at;
    const what = {
      forward: "Forward: the value is computed.",
      backward: "Backward: the gradient is complete, and is passed on.",
      update: `Update: ${app.data.optimizer} moves it by ‖${short(app.moved ?? 0)}‖.`,
    }[event.phase];
    const step = learner.steps + (event.last ? 0 : 1);
    return `${at} of ${count} in step ${step.toLocaleString("en")}. ${what}`;
  }
  return { selected: open, walked: open, slow: fill, measured: fill, themed: fill, rewound() { if (node !== null) open(); } };
});
