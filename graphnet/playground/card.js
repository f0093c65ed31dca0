// The card of a node: its formulas, the numbers that they give now, and its part of the program.
parts.push(function card(app) {
  const MOST_BUTTONS = 6; // nodes of a layer; more are a menu
  const root = app.find(".card"), { nodes } = app.data;
  const layers = app.data.views.find(view => view.name === "layers");
  let node = null, grids = [], showsCode = false;
  const sentence = made("p", { class: "sentence" }), told = made("p", { class: "told" });

  function open() {
    node = app.chosen;
    root.hidden = node === null;
    if (node === null) return;
    grids = gridsOf();
    told.textContent = "Point at a number of the value: it is written out here.";
    const about = made("div", { class: "about" }, formulas(), made("div", { class: "grids" }, ...tables(), told));
    root.replaceChildren(heading(), sentence, about, ...code());
    fill();
  }
  function heading() {
    const { name, op, kind } = nodes[node];
    const close = made("button", {
      type: "button", class: "close", "aria-label": "Close the card (Escape)", title: "Close (Escape)",
    }, "×");
    close.addEventListener("click", () => app.choose(null));
    const title = made("h2", {}, `${node} · ${name}`);
    return made("div", { class: "heading" }, title, made("span", { class: "kind" }, op || kind), ...siblings(), close);
  }
  // The other nodes of the same layer, as buttons or as a menu.
  function siblings() {
    const box = layers && Object.values(layers.boxes).find(each => each.nodes.includes(node));
    if (!box || box.nodes.length < 2) return [];
    return [box.nodes.length > MOST_BUTTONS ? menu(box.nodes) : buttons(box.nodes)];
  }
  function buttons(choices) {
    const all = choices.map(each => {
      const last = nodes[each].name.split(".").at(-1);
      const button = made("button", { type: "button", "aria-pressed": String(each === node) }, last);
      button.addEventListener("click", () => app.choose(each));
      return button;
    });
    return made("span", { class: "siblings", role: "group", "aria-label": "Nodes of this layer" }, ...all);
  }
  function menu(choices) {
    const options = choices.map(each => made("option", { value: each, selected: each === node }, nodes[each].name));
    const select = made("select", { "aria-label": "Nodes of this layer" }, ...options);
    select.addEventListener("change", () => app.choose(Number(select.value)));
    return select;
  }
  // The formula that has just been computed is in colour.
  function formulas() {
    const { value, gradient } = nodes[node], phase = app.event?.phase;
    const line = (text, now) => made("p", { class: now ? "formula now" : "formula" }, text);
    const lines = gradient.map(text => line(text, phase === "backward"));
    if (value) lines.unshift(line(value, phase === "forward"));
    const maps = grids.filter(each => each instanceof UnitMaps).map(each => each.root);
    return made("div", { class: "formulas" }, ...lines, ...maps, ...withoutMaps());
  }
  function gridsOf() {
    const { program } = app.learner, found = [];
    if (program.values[node]?.length) found.push(new NumberTable(app, node, "value", "values", follow));
    if (program.gradients[node]?.length) found.push(new NumberTable(app, node, "gradient", "gradients"));
    if (app.data.maps.includes(node)) found.push(new UnitMaps(app, node));
    return found;
  }
  // Why there are no maps of a dense layer that has more units than are drawn.
  function withoutMaps() {
    const { data } = app, { kind, shape } = nodes[node], units = shape.at(-1);
    if (!data.plane || kind !== "operation" || shape.length !== 2 || shape[0] !== "batch" || units <= data.most_maps) return [];
    return [made("p", { class: "kind" }, `Maps are drawn of up to ${data.most_maps} units; here are ${units}.`)];
  }
  const tables = () => grids.filter(each => each instanceof NumberTable).map(each => each.root);
  // A number that is pointed at is written out.
  function follow(cell, place) {
    const tell = () => { told.textContent = writtenOut(app, node, place); };
    cell.tabIndex = 0;
    for (const event of ["mouseenter", "focus", "click"]) cell.addEventListener(event, tell);
  }
  // The functions of the program that belong to the node.
  function code() {
    const { train, backward, update } = app.learner.program;
    const found = [train, backward, update].flatMap(walk => walk.filter(entry => entry.node === node));
    if (!found.length) return [];
    const text = found.map(({ run }) => run.toString().replace(/^ {2}/gm, "")).join("\n\n");
    const summary = made("summary", {}, "JavaScript");
    summary.addEventListener("click", () => { showsCode = !details.open; });
    const details = made("details", { open: showsCode }, summary, made("pre", { tabindex: 0 }, text));
    return [details];
  }

  function fill() {
    if (node === null) return;
    for (const each of grids) each.fill();
    sentence.textContent = app.event ? sentenceOf(app.event) : "";
  }
  // What the walk has just done here.
  function sentenceOf({ phase, last }) {
    const { learner } = app, { train, backward, update } = learner.program;
    const count = train.length + backward.length + update.length;
    const step = learner.steps + (last ? 0 : 1);
    const what = {
      forward: "Forward: the value is computed.",
      backward: "Backward: the gradient is complete, and is passed on.",
      update: `Update: ${app.data.optimizer} moves it by ‖${short(app.moved ?? 0)}‖.`,
    }[phase];
    return `${last ? count : learner.at} of ${count} in step ${step.toLocaleString("en")}. ${what}`;
  }
  const again = () => { if (node !== null) open(); };
  return { selected: open, walked: open, slow: fill, measured: fill, themed: fill, rewound: again };
});
