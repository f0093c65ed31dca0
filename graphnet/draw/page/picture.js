// The elements of the picture: made from the SVG of each view when it opens, and moved from then on.

const SVG = "http://www.w3.org/2000/svg";

function element(tag, attributes, parent, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

const numbers = text => (text.match(/-?\d+(\.\d+)?/g) || []).map(Number);

function rounded(x, y, width, height, radius = 6) {
  const [across, down] = [width - 2 * radius, height - 2 * radius].map(each => Math.max(0, each));
  const arc = (right, low) => `a${radius} ${radius} 0 0 1 ${right * radius} ${low * radius}`;
  return `M${x + radius} ${y}h${across}${arc(1, 1)}v${down}${arc(-1, 1)}h${-across}${arc(-1, -1)}v${-down}${arc(1, -1)}Z`;
}

// The line of an arrow up to its head, and the head.
function arrowPaths(curve, withHead) {
  const HEAD = 6, WING = 3.2, points = [...curve];
  const [tipX, tipY] = points.slice(-2);
  let from = points.length - 4;
  while (from > 0 && points[from] === tipX && points[from + 1] === tipY) from -= 2;
  const length = Math.hypot(tipX - points[from], tipY - points[from + 1]) || 1;
  const [dx, dy] = [(tipX - points[from]) / length, (tipY - points[from + 1]) / length];
  const [x, y] = [tipX - HEAD * dx, tipY - HEAD * dy];
  if (withHead) points.splice(-2, 2, x, y);
  const [startX, startY, ...bends] = points.map(each => each.toFixed(1));
  return [
    `M${startX} ${startY}C${bends.join(" ")}`,
    `M${tipX} ${tipY}L${x - WING * dy} ${y + WING * dx}L${x + WING * dy} ${y - WING * dx}Z`,
  ];
}

// One view, as elements. Its own root element is kept, since its styles may be bound to it.
class Shown {
  constructor(view, path, title, parent) {
    this.view = view;
    this.path = path;
    this.group = element("g", { class: "view", "data-path": path }, parent);
    if (title) this.frame = element("path", { class: "frame" }, this.group);
    const parsed = new DOMParser().parseFromString(view.svg, "image/svg+xml").documentElement;
    this.root = document.importNode(parsed, true);
    for (const name of ["width", "height", "viewBox", "style", "role", "aria-labelledby"]) this.root.removeAttribute(name);
    this.root.setAttribute("overflow", "visible");
    for (const each of this.root.querySelectorAll(":scope > rect, :scope > title, :scope > desc")) each.remove();
    this.group.append(this.root);
    if (title) this.makeHeader(title);
    this.boxes = {};
    this.arrows = [];
    this.rest = [];
    this.links = new Map();
    for (const each of this.root.querySelectorAll(":scope > g")) this.sort(each);
    this.entries = element("g", {}, null); // the ways from the border to the ports, below the boxes
    this.root.prepend(this.entries);
    view.curves ??= this.arrows.map(({ curve }) => curve);
  }
  makeHeader(title) {
    this.header = element("g", { class: "header", tabindex: 0, role: "button", "aria-expanded": true, "aria-label": `Fold ${title}` }, this.group);
    element("rect", { class: "bar", height: HEADER, rx: 6 }, this.header);
    element("text", { class: "sign", x: 10, y: 16.5 }, this.header, "−");
    element("text", { class: "title", x: 24, y: 16 }, this.header, title);
  }
  // Boxes and arrows have ids; whatever else there is, is moved as it stands.
  sort(parent) {
    for (const each of [...parent.children]) {
      const [, kind, number] = /-([a-z])(\d+)$/.exec(each.id) || [];
      if (kind === "a") this.arrows[Number(number)] = this.takeArrow(each);
      else if (kind) this.takeBox(each, kind + number);
      else if (each.tagName === "g") this.sort(each);
      else if (!["style", "defs", "title"].includes(each.tagName)) this.rest.push({ element: each });
    }
  }
  takeArrow(group) {
    const [line, head] = [...group.querySelectorAll("path")].slice(-2);
    const curve = numbers(line.getAttribute("d"));
    curve.splice(-2, 2, ...numbers(head.getAttribute("d")).slice(0, 2));
    return { group, line, head, curve };
  }
  takeBox(group, key) {
    group.querySelector("title")?.remove();
    this.boxes[key] = group;
    group.dataset.key = key;
    if (key in this.view.ports) this.takePort(group, key);
    else {
      const opens = key in this.view.children;
      const [x, y, width] = this.view.boxes[key];
      group.setAttribute("tabindex", 0);
      group.setAttribute("aria-label", this.view.cards[key].join(", "));
      group.setAttribute("role", opens ? "button" : "img");
      if (!opens) return;
      group.setAttribute("aria-expanded", false);
      group.classList.add("opens");
      element("circle", { class: "plus", cx: x + width, cy: y, r: 6.5 }, group);
      element("path", { class: "plus", d: `M${x + width - 3.5} ${y}h7m-3.5 -3.5v7` }, group);
    }
  }
  takePort(group, key) {
    const [x, y, width, height] = this.view.boxes[key];
    group.replaceChildren();
    group.classList.add("port");
    element("rect", { x, y, width, height, rx: height / 2 }, group);
    const text = element("text", { x: x + width / 2, y: y + height / 2 + 3.5 }, group, this.view.ports[key]);
    text.setAttribute("text-anchor", "middle");
  }
  // Where the rest stands can be measured once it is in the page. A text on a ground, such as the
  // letter of a badge, moves with the ground.
  measure() {
    let ground = null;
    for (const each of this.rest) {
      const { x, y, width, height } = each.element.getBBox();
      const inside = ground && x >= ground[0] && y >= ground[1] - 2 &&
        x + width <= ground[2] && y + height <= ground[3] + 2;
      each.at = inside ? ground.slice(0, 2) : [x, y];
      each.frame = this.view.frames.findIndex(frame =>
        [x, y, width, height].every((at, place) => Math.abs(at - frame[place]) < 1.5));
      if (each.element.tagName !== "text") ground = each.frame < 0 ? [x, y, x + width, y + height] : null;
    }
  }
  // Put everything where `at(name)` says; what is open has no box and no arrowheads.
  put(at, inside, axes) {
    const [left, top] = at("view");
    for (const [key, group] of Object.entries(this.boxes)) {
      const [x, y] = at(key), [fromX, fromY] = this.view.boxes[key];
      group.setAttribute("transform", `translate(${(x - fromX).toFixed(1)} ${(y - fromY).toFixed(1)})`);
      group.style.display = inside(key) ? "none" : "";
    }
    this.arrows.forEach(({ group, line, head }, place) => {
      const [source, target] = this.view.arrows[place].map(inside);
      const [way, tip] = arrowPaths(at(`a${place}`), !target);
      for (const each of group.querySelectorAll("path")) if (each !== head) each.setAttribute("d", way);
      head.setAttribute("d", tip);
      head.style.display = target ? "none" : "";
      this.link(place, 0, at(`l${place}.0`), source);
      this.link(place, 1, at(`l${place}.1`), target);
    });
    for (const { element: each, at: [x, y], frame } of this.rest) {
      if (frame >= 0 && each.tagName === "path") each.setAttribute("d", rounded(...at(`f${frame}`)));
      else each.setAttribute("transform", `translate(${left + axes[0](x) - x} ${top + axes[1](y) - y})`);
    }
  }
  // The way from the border of an open box to the port inside it.
  link(place, end, curve, inner) {
    const name = `${place}.${end}`;
    if (!curve) {
      this.links.get(name)?.remove();
      this.links.delete(name);
      return;
    }
    if (this.links.get(name)?.parentNode !== inner.entries) {
      const line = this.arrows[place].line.cloneNode();
      line.removeAttribute("id");
      const style = this.arrows[place].group.cloneNode();
      style.removeAttribute("id");
      style.append(line);
      this.links.set(name, style);
      inner.entries.append(style);
    }
    this.links.get(name).firstChild.setAttribute("d", arrowPaths(curve, false)[0]);
  }
  putFrame([x, y, width, height]) {
    this.frame.setAttribute("d", rounded(x, y, width, height));
    this.header.setAttribute("transform", `translate(${x} ${y})`);
    this.header.firstChild.setAttribute("width", width);
  }
}
