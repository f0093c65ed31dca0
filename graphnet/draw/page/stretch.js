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
  const within = {}; // where the inner views begin
  for (const [key, each] of Object.entries(inner)) {
    const [x, y, width, height] = boxes[key];
    within[key] = [x + (width - each.size[0]) / 2, y + HEADER + (height - HEADER - each.size[1]) / 2];
  }
  return { view, path, inner, within, boxes, axes, size: axes.map((grow, axis) => grow(view.size[axis])) };
}

// The position of everything in an arranged view, as lists of numbers under names.
function positions(arranged, left = 0, top = 0, found = new Map()) {
  const { view, path, inner, within, boxes, axes } = arranged;
  found.set(`${path} view`, [left, top]);
  for (const [key, [x, y]] of Object.entries(boxes)) found.set(`${path} ${key}`, [left + x, top + y]);
  for (const [key, each] of Object.entries(inner)) {
    const [x, y, width, height] = boxes[key];
    found.set(`${path}/${key} frame`, [left + x, top + y, width, height]);
    positions(each, left + within[key][0], top + within[key][1], found);
  }
  view.curves.forEach((curve, place) => {
    const moved = moveCurve(arranged, curve, place);
    found.set(`${path} a${place}`, moved.map((at, number) => at + (number % 2 ? top : left)));
    for (const [end, border] of [[0, moved.slice(0, 2)], [1, moved.slice(-2)]]) {
      const port = portOf(arranged, place, end);
      if (port) found.set(`${path} l${place}.${end}`, bow(border, facing(port, border)).map(
        (at, number) => at + (number % 2 ? top : left)));
    }
  });
  view.frames.forEach(([x, y, width, height], place) => {
    const corner = [axes[0](x), axes[1](y)];
    found.set(`${path} f${place}`, [
      left + corner[0], top + corner[1], axes[0](x + width) - corner[0], axes[1](y + height) - corner[1]]);
  });
  return found;
}

// The rectangle of the port where an arrow goes on, inside an open box at one of its ends.
function portOf({ view, inner, within }, place, end) {
  const key = view.arrows[place][end], open = inner[key];
  const port = open?.view[end ? "entrances" : "exits"][place];
  if (port === undefined) return null;
  const [x, y, width, height] = open.boxes[port];
  return [x + within[key][0], y + within[key][1], width, height];
}

// A curve: its bends are stretched, and its ends stay where they were on their boxes; at an open
// box they go to the place on the border that is right before the port.
function moveCurve(arranged, curve, place) {
  const { view, boxes, axes } = arranged;
  const moved = curve.map((at, number) => axes[number % 2](at));
  for (const [which, end, beside] of [[0, 0, 2], [1, curve.length - 2, curve.length - 4]]) {
    const key = view.arrows[place][which], before = view.boxes[key], now = boxes[key];
    const share = [0, 1].map(axis => (curve[end + axis] - before[axis]) / before[2 + axis]);
    const at = share.map((part, axis) => now[axis] + part * now[2 + axis]);
    const port = portOf(arranged, place, which);
    if (port) {
      const along = Math.min(share[1], 1 - share[1]) < Math.min(share[0], 1 - share[0]) ? 0 : 1;
      at[along] = port[along] + port[2 + along] / 2;
    }
    for (const axis of [0, 1]) {
      moved[beside + axis] += at[axis] - moved[end + axis];
      moved[end + axis] = at[axis];
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
