// A picture in a pane: wheel and keys zoom it, a drag moves it, two fingers do both.
//
// `stage` is an element of a fixed size inside `pane`; it is moved by a CSS transform, so that
// letters stay sharp. All positions are in pixels of the pane; `scale` is pixels per point.
function viewport(pane, stage, sizeOf, changed = () => {}) {
  const LEAST = 0.05, MOST = 12, AIR = 14;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let x = 0, y = 0, scale = 1;
  let pinned = false; // true once a hand has moved or zoomed the picture

  function put(smooth) {
    stage.style.transition = smooth && !still.matches ? "transform .28s ease-out" : "none";
    stage.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    changed();
  }
  // A picture that is smaller than the pane is centred, a larger one has no gap at its sides.
  function held(at, length, room) {
    if (length + 2 * AIR <= room) return (room - length) / 2;
    return Math.min(AIR, Math.max(room - length - AIR, at));
  }
  function hold() {
    const { width, height } = sizeOf();
    x = held(x, width * scale, pane.clientWidth);
    y = held(y, height * scale, pane.clientHeight);
  }
  function fitting(most) {
    const { width, height } = sizeOf();
    const across = (pane.clientWidth - 2 * AIR) / width, down = (pane.clientHeight - 2 * AIR) / height;
    return Math.max(LEAST, Math.min(across, down, most));
  }
  function fit(smooth = true, most = 2) {
    pinned = false;
    scale = fitting(most);
    hold();
    put(smooth);
  }
  function zoom(factor, atX = pane.clientWidth / 2, atY = pane.clientHeight / 2, smooth = false) {
    pinned = true;
    const next = Math.max(LEAST, Math.min(MOST, scale * factor));
    x = atX - (atX - x) * next / scale;
    y = atY - (atY - y) * next / scale;
    scale = next;
    put(smooth);
  }
  function pan(right, down, smooth = false) {
    pinned = true;
    x += right;
    y += down;
    put(smooth);
  }
  // Show a rectangle of the picture: at a scale at which letters are legible, and no more moved
  // than needed. What has been zoomed by hand keeps its scale.
  function reveal([left, top, width, height], legible, smooth = true) {
    const inside = Math.min((pane.clientWidth - 4 * AIR) / width, (pane.clientHeight - 4 * AIR) / height);
    if (!pinned) scale = Math.max(fitting(2), legible);
    scale = Math.min(scale, Math.max(inside, LEAST));
    const place = (start, length, at, room) =>
      at + start * scale >= 2 * AIR && at + (start + length) * scale <= room - 2 * AIR
        ? at : room / 2 - (start + length / 2) * scale;
    x = place(left, width, x, pane.clientWidth);
    y = place(top, height, y, pane.clientHeight);
    hold();
    put(smooth);
  }

  const fingers = new Map();
  let moved = 0, apart = 0;
  pane.addEventListener("wheel", event => {
    // In a notebook the wheel scrolls the notebook, until the picture has the focus.
    const embedded = pane.closest("[data-embedded]");
    if (embedded && !event.ctrlKey && !pane.contains(document.activeElement)) return;
    event.preventDefault();
    const box = pane.getBoundingClientRect();
    const lines = event.deltaMode === 1 ? 16 : 1;
    const turned = Math.max(-240, Math.min(240, event.deltaY * lines));
    zoom(Math.exp(-turned / 480), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  pane.addEventListener("pointerdown", event => {
    if (event.button !== 0) return;
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    moved = 0;
  });
  pane.addEventListener("pointermove", event => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const right = event.clientX - before[0], down = event.clientY - before[1];
    moved += Math.abs(right) + Math.abs(down);
    if (moved < 5) return; // a click with an unsteady hand
    pane.setPointerCapture(event.pointerId);
    pane.classList.add("dragged");
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    const [one, other] = [...fingers.values()];
    const now = other ? Math.hypot(one[0] - other[0], one[1] - other[1]) : 0;
    pan(right / fingers.size, down / fingers.size);
    if (other && apart) {
      const box = pane.getBoundingClientRect();
      zoom(now / apart, (one[0] + other[0]) / 2 - box.left, (one[1] + other[1]) / 2 - box.top);
    }
    apart = now;
  });
  for (const end of ["pointerup", "pointercancel"]) pane.addEventListener(end, event => {
    fingers.delete(event.pointerId);
    apart = 0;
    pane.classList.remove("dragged");
  });
  // The click that ends a drag is none.
  pane.addEventListener("click", event => { if (moved >= 5) event.stopImmediatePropagation(); }, true);

  return {
    fit, zoom, pan, reveal,
    get pinned() { return pinned; },
    get scale() { return scale; },
    // Where a point of the picture is in the pane.
    place: (left, top) => [x + left * scale, y + top * scale],
    // Keep a point of the picture at its place in the pane while the picture changes.
    keep(left, top, [atX, atY]) { x = atX - left * scale; y = atY - top * scale; put(false); },
  };
}
