// The picture of a network that the page has made: its boxes one after another, in columns, in the
// frame, the colours and the style sheet of the picture that Python has painted.
const CHAIN = { line: 13, left: 8, top: 8, width: 175, apart: 26, between: 37, strip: 156, tile: 12 };
const PANES = { wide: [860, 440], narrow: [390, 760] }; // as in views.py
const PAINT = { // fills and edges as in the painted picture, where the style sheet finds them
  input: { fill: "#f1f1f1", stroke: "#3d3d3d", "stroke-width": 1.2 },
  layer: { fill: "#cbe0f4", stroke: "#1f5f99", "stroke-width": 1.6 },
  loss: { fill: "#123f66", stroke: "#0a2740", "stroke-width": 2.4 },
};

// An element of SVG in another one.
function drawn(parent, tag, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  parent.append(element);
  return element;
}

// The boxes: what is written in each, and which nodes it stands for.
function chainBoxes({ nodes, places, modules, structure, maps }) {
  const sizes = node => {
    const { shape, dtype } = nodes[node], text = ["?", ...shape.slice(1)].join("×");
    return dtype === "float32" ? text : `${text} ${dtype}`;
  };
  const box = (key, kind, lines, own) => {
    const shows = own.at(-1), across = Math.floor(CHAIN.strip / CHAIN.tile);
    const rowsOfTiles = maps.includes(shows) ? Math.ceil(nodes[shows].shape[1] / across) : 0;
    const tiles = Math.ceil(rowsOfTiles * CHAIN.tile / CHAIN.line);
    const rooms = { ...(tiles && { map: tiles }), value: 1, ...(nodes[shows].flows && { gradient: 1 }) };
    const rows = lines.length + Object.values(rooms).reduce((sum, each) => sum + each, 0);
    return { key, kind, lines, nodes: own, shows, rooms, height: rows * CHAIN.line + 12 };
  };
  const layers = modules.map(({ name, from, to }, at) => {
    const own = places[at], count = ((from + 1) * to).toLocaleString("en");
    const sizesOf = sizes(own.at(-1));
    const lines = name === "Linear" ? [`${from} → ${to}`, `${sizesOf} · ${count} parameters`] : [sizesOf];
    return box(`m${own[0]}`, "layer", [`${at} ${name}`, ...lines], own);
  });
  const first = places.at(-1).at(-1) + 1;
  const ends = Array.from({ length: nodes.length - first }, (_, at) => first + at);
  return {
    chain: [
      box("n0", "input", [`0 ${nodes[0].name}`, sizes(0)], [0]), ...layers,
      box(`m${first}`, "loss", [structure.loss, "scalar"], ends),
    ],
    target: box("n1", "input", [`1 ${nodes[1].name}`, sizes(1)], [1]),
  };
}

// Places in as many columns as make the picture largest in its pane; the target stands beside the loss.
function chainPlaced({ chain, target }, screen) {
  const layouts = [1, 2, 3, 4].map(count => chainColumns(chain, target, count));
  const [across, down] = PANES[screen], scale = each => Math.min(across / each.width, down / each.height);
  return layouts.reduce((best, each) => scale(each) > scale(best) ? each : best);
}
function chainColumns(chain, target, count) {
  const { left, top, width, apart, between } = CHAIN;
  const total = chain.reduce((sum, box) => sum + box.height + apart, 0), columns = [[]];
  let filled = 0;
  for (const box of chain) {
    const isFull = columns.at(-1).length && filled + box.height / 2 > total / count * columns.length;
    if (isFull && columns.length < count) columns.push([]);
    columns.at(-1).push(box);
    filled += box.height + apart;
  }
  const at = new Map();
  columns.forEach((column, place) => {
    let y = top + 24;
    for (const box of column) {
      at.set(box.key, [left + place * (width + between), y, width, box.height]);
      y += box.height + apart;
    }
  });
  const [x, y, , height] = at.get(chain.at(-1).key);
  at.set(target.key, [x + width + between, y + (height - target.height) / 2, width, target.height]);
  const bottom = Math.max(...[...at.values()].map(([, y, , height]) => y + height));
  return { at, columns, width: x + 2 * width + between + left, height: bottom + 24 + top };
}

// Draw the network into the stage of a painted picture, and return what a view is told of it.
function chainView(dense, stage, { id, name, screen }) {
  const svg = stage.querySelector("svg"), group = svg.querySelector(":scope > g");
  const { chain, target } = chainBoxes(dense), { at, columns, width, height } = chainPlaced({ chain, target }, screen);
  group.replaceChildren();
  for (const element of [svg, svg.querySelector("rect")]) {
    element.setAttribute("width", width);
    element.setAttribute("height", height);
  }
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.querySelector("desc").textContent = `A network of ${dense.modules.length} layers.`;
  const arrows = [];
  const arrow = (from, to, path) => {
    const look = { id: `${id}-a${arrows.length}`, stroke: "#5c6670", "stroke-width": 1.2, fill: "none" };
    arrowOf(drawn(group, "g", look), path);
    arrows.push([from.key, to.key]);
  };
  chain.slice(1).forEach((box, place) => {
    const before = chain[place], isBelow = columns.some(column => column.includes(box) && column.includes(before));
    const [from, to] = [at.get(before.key), at.get(box.key)];
    arrow(before, box, isBelow ? straight(from, to) : around(from, to, height));
  });
  arrow(target, chain.at(-1), sideways(at.get(target.key), at.get(chain.at(-1).key)));
  const boxes = {};
  for (const box of [...chain, target]) boxes[box.key] = boxOf(group, id, box, at.get(box.key), dense.nodes);
  return { id, name, screen, boxes, arrows };
}

// Arrows: a path, its last point, and where it comes from there.
function straight([x, y, width, height], [, next]) {
  const middle = x + width / 2;
  return { path: `M${middle} ${y + height}V${next - 6}`, end: [middle, next], from: [0, -1] };
}
function around([x, y, width, height], [left, top], bottom) {
  const r = 7, a = x + width / 2, low = bottom - 10, gap = left - CHAIN.between / 2, high = 14, b = left + width / 2;
  const path = `M${a} ${y + height}V${low - r}q0 ${r} ${r} ${r}H${gap - r}q${r} 0 ${r} ${-r}`
    + `V${high + r}q0 ${-r} ${r} ${-r}H${b - r}q${r} 0 ${r} ${r}V${top - 6}`;
  return { path, end: [b, top], from: [0, -1] };
}
function sideways([x, y, , height], [left, , width]) {
  const middle = y + height / 2;
  return { path: `M${x + 3} ${middle}H${left + width + 6}`, end: [left + width, middle], from: [1, 0] };
}
function arrowOf(group, { path, end: [x, y], from: [right, down] }) {
  const side = 3.2, [a, b] = [x + 6 * right, y + 6 * down];
  drawn(group, "path", { d: path });
  const head = `M${x} ${y}L${a - side * down} ${b - side * right}L${a + side * down} ${b + side * right}Z`;
  drawn(group, "path", { d: head, fill: "#5c6670", stroke: "none" });
}

// A box, and where something moves in it.
function boxOf(parent, id, box, [x, y, width, height], nodes) {
  const group = drawn(parent, "g", { id: `${id}-${box.key}` }), { line, strip } = CHAIN;
  drawn(group, "title", {}, box.nodes.map(node => nodes[node].name).join(", "));
  const r = box.kind === "loss" ? 16 : 9;
  const sides = box.kind === "input" ? `M${x + 7} ${y}H${x + width}l-7 ${height}H${x}Z`
    : `M${x + r} ${y}h${width - 2 * r}a${r} ${r} 0 0 1 ${r} ${r}v${height - 2 * r}a${r} ${r} 0 0 1 ${-r} ${r}`
      + `h${2 * r - width}a${r} ${r} 0 0 1 ${-r} ${-r}v${2 * r - height}a${r} ${r} 0 0 1 ${r} ${-r}Z`;
  drawn(group, "path", { d: sides, ...PAINT[box.kind] });
  const hasWeights = box.nodes.some(node => nodes[node].kind === "parameter");
  const bar = { d: `M${x + 3} ${y + r}v${height - 2 * r}`, fill: "none", stroke: "#a85000", "stroke-width": 3 };
  if (hasWeights) drawn(group, "path", bar);
  box.lines.forEach((text, at) => {
    const look = { ...(box.kind === "loss" && { fill: "#ffffff" }), ...(at === 0 && { "font-weight": "bold" }) };
    drawn(group, "text", { x: x + width / 2, y: y + 16 + line * at, ...look }, text);
  });
  const parts = {};
  let top = y + 6 + line * box.lines.length;
  for (const [part, rows] of Object.entries(box.rooms)) {
    parts[part] = [x + (width - strip) / 2, top, strip, line * rows];
    top += line * rows;
  }
  return { nodes: box.nodes, shows: box.shows, parts };
}
