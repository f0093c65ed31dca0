// Where everything goes when some boxes are open.
//
// A box that opens needs more room. The plane is stretched where it stands, across and down, as
// rubber would be, and everything else keeps its size: so nothing overlaps that did not before,
// and what was left of or above something else stays there. No layout is computed in the page.

const HEADER = 24; // the height of the title of an open box

// A growing function that makes each interval [start, length] at least as long as is wanted.
function stretching(intervals) {
  const parts = intervals.filter(([, length, wanted]) => wanted > length);
  const stops = [...new Set(parts.flatMap(([start, length]) => [start, start + length]))].sort((a, b) => a - b);
  const growth = stops.map(stop => Math.max(0, ...parts
    .filter(([start, length]) => start <= stop && stop < start + length)
    .map(([, length, wanted]) => (wanted - length) / length)));
  return at => {
    let moved = at;
    for (let place = 0; place < stops.length && stops[place] < at; place++) {
      moved += growth[place] * (Math.min(at, stops[place + 1] ?? at) - stops[place]);
    }
    return moved;
  };
}

// A view with those of its open boxes arranged inside it; `path` names it among all views.
function arrange(views, number, path, isOpen) {
  const view = views[number], inner = {};
  for (const [key, child] of Object.entries(view.children)) {
    if (isOpen(`${path}/${key}`)) inner[key] = arrange(views, child, `${path}/${key}`, isOpen);
  }
  const needs = (key, axis) => Math.max(
    view.boxes[key][2 + axis], inner[key].size[axis] + (axis ? HEADER : 0), axis ? 0 : inner[key].view.title[1]);
  const axes = [0, 1].map(axis => stretching(Object.keys(inner).map(
    key => [view.boxes[key][axis], view.boxes[key][2 + axis], needs(key, axis)])));
  const boxes = {};
  for (const [key, box] of Object.entries(view.boxes)) {
    const size = [0, 1].map(axis => key in inner ? needs(key, axis) : box[2 + axis]);
    const corner = [0, 1].map(axis =>
      (axes[axis](box[axis]) + axes[axis](box[axis] + box[2 + axis]) - size[axis]) / 2);
    boxes[key] = [...corner, ...size];
  }
  return { view, path, inner, boxes, axes, size: axes.map((grow, axis) => grow(view.size[axis])) };
}

// The position of everything in an arranged view, as lists of numbers under names.
function positions(arranged, left = 0, top = 0, found = new Map()) {
  const { view, path, inner, boxes, axes } = arranged;
  found.set(`${path} view`, [left, top]);
  for (const [key, [x, y]] of Object.entries(boxes)) found.set(`${path} ${key}`, [left + x, top + y]);
  const within = {};
  for (const [key, each] of Object.entries(inner)) {
    const [x, y, width, height] = boxes[key];
    found.set(`${path}/${key} frame`, [left + x, top + y, width, height]);
    within[key] = [x + (width - each.size[0]) / 2, y + HEADER + (height - HEADER - each.size[1]) / 2];
    positions(each, left + within[key][0], top + within[key][1], found);
  }
  view.curves.forEach((curve, place) => {
    const moved = moveCurve(arranged, curve, place);
    found.set(`${path} a${place}`, moved.map((at, number) => at + (number % 2 ? top : left)));
    for (const [end, ports, border] of [[0, "exits", moved.slice(0, 2)], [1, "entrances", moved.slice(-2)]]) {
      const key = view.arrows[place][end], port = inner[key]?.view[ports][place];
      if (port === undefined) continue;
      const spot = facing(inner[key].boxes[port], [border[0] - within[key][0], border[1] - within[key][1]]);
      const to = [spot[0] + within[key][0], spot[1] + within[key][1]];
      found.set(`${path} l${place}.${end}`, bow(border, to).map((at, number) => at + (number % 2 ? top : left)));
    }
  });
  view.frames.forEach(([x, y, width, height], place) => {
    const corner = [axes[0](x), axes[1](y)];
    found.set(`${path} f${place}`, [
      left + corner[0], top + corner[1], axes[0](x + width) - corner[0], axes[1](y + height) - corner[1]]);
  });
  return found;
}

// A curve: its bends are stretched, and its ends stay where they were on their boxes.
function moveCurve({ view, boxes, axes }, curve, place) {
  const moved = curve.map((at, number) => axes[number % 2](at));
  const [source, target] = view.arrows[place];
  for (const [key, end, beside] of [[source, 0, 2], [target, curve.length - 2, curve.length - 4]]) {
    for (const axis of [0, 1]) {
      const before = view.boxes[key], now = boxes[key];
      const share = (curve[end + axis] - before[axis]) / before[2 + axis];
      const at = now[axis] + share * now[2 + axis];
      moved[beside + axis] += at - moved[end + axis];
      moved[end + axis] = at;
    }
  }
  return moved;
}

// The middle of the side of a rectangle that faces a point.
function facing([x, y, width, height], [toX, toY]) {
  if (toY <= y || toY >= y + height) return [x + width / 2, toY <= y ? y : y + height];
  return [toX <= x ? x : x + width, y + height / 2];
}

// A bow from one point to another, which starts and ends along the longer way.
function bow([x, y], [toX, toY]) {
  const upright = Math.abs(toY - y) >= Math.abs(toX - x);
  const [midX, midY] = [(x + toX) / 2, (y + toY) / 2];
  return upright ? [x, y, x, midY, toX, midY, toX, toY] : [x, y, midX, y, midX, toY, toX, toY];
}
