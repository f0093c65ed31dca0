// The picture of the list: in each box a strip of its value and one of its gradient, with their
// norms, and a map for each unit where the inputs are points of a plane.
//
// A strip is a small canvas with one pixel for each number, which the browser enlarges.
const STRIP_ROWS = 5, STRIP_COLUMNS = 64;

// A tensor as a picture: its first rows, each number relative to the largest of them.
class Strip {
  constructor(stage, [left, top, width, height], colours) {
    this.canvas = made("canvas", { class: "strip", "aria-hidden": "true", width: 1, height: 1 });
    Object.assign(this.canvas.style, {
      left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`,
    });
    stage.append(this.canvas);
    this.context = this.canvas.getContext("2d");
    this.colours = colours;
  }
  // Draw numbers in rows of a width.
  draw(numbers, width) {
    const columns = Math.min(width, STRIP_COLUMNS);
    const rows = Math.min(STRIP_ROWS, Math.max(1, Math.floor(numbers.length / width)));
    if (this.image?.width !== columns || this.image.height !== rows) {
      this.canvas.width = columns;
      this.canvas.height = rows;
      this.image = this.context.createImageData(columns, rows);
    }
    let largest = 0;
    for (let row = 0; row < rows; row++) {
      largest = Math.max(largest, largestOf(numbers, row * width, row * width + columns));
    }
    for (let row = 0, at = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, at += 4) {
        this.colours.tint(this.image.data, at, largest ? numbers[row * width + column] / largest : 0);
      }
    }
    this.context.putImageData(this.image, 0, 0);
  }
}

// The maps of all units of a node, in rows of tiles.
function drawMaps(canvas, values, units, across, colours) {
  const grid = Evaluator.GRID, every = 2, side = grid / every, apart = 2;
  const width = across * (side + apart) - apart, height = Math.ceil(units / across) * (side + apart) - apart;
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const largest = largestOf(values, 0, values.length) || 1;
  for (let unit = 0; unit < units; unit++) {
    const left = (unit % across) * (side + apart), top = Math.floor(unit / across) * (side + apart);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const level = values[(row * every * grid + column * every) * units + unit] / largest;
        colours.tint(image.data, 4 * ((top + row) * width + left + column), level);
      }
    }
  }
  context.putImageData(image, 0, 0);
}

const unitsOf = (data, node) => data.nodes[node].shape.at(-1);
const widthOf = ({ shape }) => shape.length ? (shape.at(-1) === "batch" ? 1 : shape.at(-1)) : 1;

parts.push(function network(app) {
  const pane = app.find(".picture"), tools = app.find(".network .tools");
  const narrow = matchMedia("(max-width: 899px)"); // as in page.css
  const views = app.data.views.map(view => new NetworkView(app, pane, view));
  const names = [...new Set(views.map(view => view.name))];
  let name = names[0], shown = null;
  tools.hidden = false;
  const buttons = names.map(each => made("button", { type: "button", "data-name": each }, each));
  if (names.length > 1) app.find(".views").append(...buttons);
  buttons.forEach((button, at) => button.addEventListener("click", () => show(names[at])));
  app.actions.fit = () => shown.port.fit();
  app.actions.view = () => show(names[(names.indexOf(name) + 1) % names.length]);
  narrow.addEventListener("change", () => show(name), { signal: app.ending.signal });
  show(name);

  function show(wanted) {
    name = wanted;
    const screen = narrow.matches ? "narrow" : "wide";
    shown = views.find(view => view.name === name && view.screen === screen);
    for (const view of views) view.stage.hidden = view !== shown;
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", names[at] === name));
    pane.style.aspectRatio = narrow.matches ? `${shown.width} / ${shown.height}` : "";
    shown.port.fit(false);
    for (const what of ["mark", "frame", "slow", "maps"]) shown[what]();
  }
  new ResizeObserver(() => { if (!shown.port.pinned) shown.port.fit(false); }).observe(pane);
  pane.addEventListener("click", event => shown.clicked(event.target));
  pane.addEventListener("keydown", event => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!by || event.target !== pane || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const last = app.data.nodes.length - 1;
    app.choose(app.chosen === null ? (by > 0 ? 0 : last) : clamp(app.chosen + by, 0, last));
  });
  return {
    frame() { shown.frame(); },
    slow() { shown.slow(); },
    measured() { shown.maps(); },
    walked() { shown.mark(); },
    selected() { shown.mark(); },
    rewound() { shown.mark(); shown.slow(); },
    themed() { shown.frame(); shown.maps(); },
  };
});

// A text in a box of the picture.
function lettering(group, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", "text");
  for (const [name, value] of Object.entries({ "font-size": 8, ...attributes })) element.setAttribute(name, value);
  element.textContent = text;
  group.append(element);
  return element;
}

// One of the pictures.
class NetworkView {
  constructor(app, pane, view) {
    Object.assign(this, { app }, view);
    this.stage = pane.querySelector(`[data-view="${view.id}"]`);
    const { width, height } = this.stage.querySelector("svg").viewBox.baseVal;
    Object.assign(this, { width, height });
    this.port = viewport(pane, this.stage, () => ({ width, height }));
    this.places = Object.entries(view.boxes).map(([key, box]) => this.place(key, box)).filter(Boolean);
    this.marked = [];
  }
  group(name) { return this.stage.querySelector(`[id="${this.id}-${name}"]`); }
  // What moves in a box: canvases, and texts in the colour of its letters.
  place(key, { nodes, shows, parts: rooms }) {
    const group = this.group(key), place = { node: shows, strips: {} };
    group.classList.add("box");
    group.dataset.key = key;
    group.setAttribute("aria-label", nodes.map(node => this.app.data.nodes[node].name).join(", "));
    if (shows === null) return null;
    const fill = group.querySelector("text")?.getAttribute("fill");
    for (const [part, [left, top, width, height]] of Object.entries(rooms)) {
      if (part === "map") {
        place.maps = new Strip(this.stage, [left, top, width, height], this.app.colours).canvas;
        place.maps.classList.add("maps");
        place.across = Math.floor(width / 12);
        continue;
      }
      const strip = new Strip(this.stage, [left + 26, top + 2, width - 66, height - 4], this.app.colours);
      const written = (x, anchor, text) =>
        lettering(group, { x, y: top + 9.5, "text-anchor": anchor, ...(fill && { fill }) }, text);
      written(left, "start", part === "value" ? "value" : "grad");
      place.strips[part] = { strip, text: written(left + width, "end", "") };
    }
    return place;
  }
  arrays(part, node) { return this.app.learner.program[part === "value" ? "values" : "gradients"][node]; }
  frame() {
    for (const { node, strips } of this.places) {
      const width = widthOf(this.app.data.nodes[node]);
      for (const part in strips) {
        const numbers = this.arrays(part, node);
        if (numbers?.length) strips[part].strip.draw(numbers, width);
      }
    }
  }
  slow() {
    for (const { node, strips } of this.places) {
      for (const part in strips) {
        const numbers = this.arrays(part, node);
        strips[part].text.textContent = numbers ? short(numbers.length === 1 ? numbers[0] : norm(numbers)) : "";
      }
    }
  }
  maps() {
    for (const { node, maps, across } of this.places) {
      const values = maps && this.app.evaluator.maps.get(node);
      if (values) drawMaps(maps, values, unitsOf(this.app.data, node), across, this.app.colours);
    }
  }
  // The box of the walk has a ring, and the arrows that it reads or is read along are lit.
  mark() {
    for (const element of this.marked) element.classList.remove("now", "lit", "back", "chosen");
    this.marked = [];
    const { chosen, event } = this.app;
    const key = Object.keys(this.boxes).find(each => this.boxes[each].nodes.includes(chosen));
    if (key === undefined) return;
    this.light(this.group(key), event ? "now" : "chosen", event?.phase);
    if (!event || event.phase === "update") return;
    this.arrows.forEach(([, target], at) => {
      if (target === key) this.light(this.group(`a${at}`), "lit", event.phase);
    });
  }
  light(element, name, phase) {
    if (!element) return;
    element.classList.add(name);
    if (phase === "backward") element.classList.add("back");
    this.marked.push(element);
  }
  clicked(target) {
    const key = target.closest(".box")?.dataset.key;
    if (key === undefined) { this.app.choose(null); return; }
    const { nodes, shows } = this.boxes[key];
    this.app.choose(shows ?? nodes.at(-1));
  }
}
