// The page of a drawing: a click opens and folds, the mouse asks, a search finds, keys do all of it.
(() => {
  const root = document.currentScript.closest(".graphnet-explore");
  const { views } = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const pane = root.querySelector(".picture"), stage = root.querySelector(".stage");
  const card = root.querySelector(".card"), search = root.querySelector("input"), found = root.querySelector(".found");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const TOP = "", TIME = 280;

  root.classList.add("live");
  const canvas = element("svg", { xmlns: SVG, class: "canvas" });
  const layer = element("g", {}, canvas);
  stage.replaceChildren(canvas);

  const open = new Set(), shown = new Map();
  let now = null, pinned = null, moving = 0;
  let size = views[0].size;
  const view = viewport(pane, stage, () => ({ width: size[0], height: size[1] }));
  const isOpen = path => open.has(path);

  // what is open

  const keyOf = path => path.slice(path.lastIndexOf("/") + 1);
  const around = path => path.slice(0, path.lastIndexOf("/"));
  function numberOf(path) {
    let number = 0;
    for (const key of path.split("/").slice(1)) number = views[number].children[key];
    return number;
  }
  function ensureShown(path) {
    if (shown.has(path)) return;
    const made = new Shown(views[numberOf(path)], path, path && views[numberOf(path)].title[0], layer);
    shown.set(path, made);
    made.measure();
  }
  // Of the open boxes, those in boxes that are open too.
  const visible = () => [TOP, ...[...open].filter(path => {
    for (let each = path; each !== TOP; each = around(each)) if (!open.has(each)) return false;
    return true;
  }).sort((one, other) => one.split("/").length - other.split("/").length)];

  // Bring the picture to the state `open`; the point of `anchor` stays where it is on the screen.
  function update(anchor, smooth = true) {
    const paths = visible();
    for (const path of [...shown.keys()]) if (!paths.includes(path)) {
      shown.get(path).group.remove();
      shown.delete(path);
    }
    for (const path of paths) ensureShown(path);
    for (const path of paths) layer.append(shown.get(path).group); // the inner ones above
    const arranged = arrange(views, 0, TOP, isOpen);
    const axes = new Map();
    (function collect(each) { axes.set(each.path, each.axes); Object.values(each.inner).forEach(collect); })(arranged);
    const target = positions(arranged), start = now ?? target;
    for (const path of paths) for (const [key, group] of Object.entries(shown.get(path).boxes)) {
      if (key in shown.get(path).view.children) group.setAttribute("aria-expanded", isOpen(`${path}/${key}`));
    }
    size = arranged.size;
    const kept = anchor && placeOf(anchor, start), screen = kept && view.place(...kept);
    const begin = performance.now(), turn = ++moving;
    const paint = part => {
      now = new Map([...target].map(([name, to]) => {
        const from = start.get(name) ?? born(name, start) ?? to;
        return [name, from.length === to.length ? to.map((each, at) => from[at] + (each - from[at]) * part) : to];
      }));
      for (const path of paths) {
        const each = shown.get(path);
        each.put(name => now.get(`${path} ${name}`), key => shown.get(`${path}/${key}`), axes.get(path));
        if (path !== TOP) each.putFrame(now.get(`${path} frame`));
      }
      canvas.setAttribute("width", size[0]);
      canvas.setAttribute("height", size[1]);
      if (kept) view.keep(...placeOf(anchor, now), screen);
    };
    const step = time => {
      if (turn !== moving) return;
      const part = Math.min(1, (time - begin) / TIME);
      paint(1 - (1 - part) ** 3);
      if (part < 1) requestAnimationFrame(step);
      else root.dispatchEvent(new Event("settled"));
    };
    if (smooth && !still.matches) { paint(0); requestAnimationFrame(step); } else paint(1);
    stage.dataset.open = [...open].join(" ");
  }
  // The frame of a box that opens grows out of the box.
  function born(name, start) {
    if (!name.endsWith(" frame")) return null;
    const path = name.slice(0, -6), corner = start.get(`${around(path)} ${keyOf(path)}`);
    return corner && [...corner, ...views[numberOf(around(path))].boxes[keyOf(path)].slice(2)];
  }
  // The corner of a box, or of its frame.
  const placeOf = (path, places) =>
    (places.get(`${path} frame`) ?? places.get(`${around(path)} ${keyOf(path)}`)).slice(0, 2);

  function toggle(path) {
    if (!open.delete(path)) open.add(path);
    update(path);
    focusOn(path);
  }
  function focusOn(path) {
    const inside = shown.get(path);
    (inside ? inside.header : shown.get(around(path))?.boxes[keyOf(path)])?.focus({ preventScroll: true });
  }
  function openAll() {
    for (const path of visible()) for (const key of Object.keys(views[numberOf(path)].children)) open.add(`${path}/${key}`);
    update(null);
    start();
  }
  function foldAll() { open.clear(); update(null); start(); }
  function foldAround() {
    const path = document.activeElement?.closest?.(".view")?.dataset.path;
    const folded = path || visible().at(-1);
    if (folded) toggle(folded);
  }

  // what a box says

  function boxAt(target) {
    const group = target.closest?.("[data-key]:not(.port)");
    return group && `${group.closest(".view").dataset.path}/${group.dataset.key}`;
  }
  const linesOf = path => views[numberOf(around(path))].cards[keyOf(path)];
  function tell(path) {
    const told = path ?? pinned;
    card.hidden = !told;
    if (!told) return;
    card.replaceChildren(...linesOf(told).map((line, place) => {
      const made = document.createElement(place ? "p" : "strong");
      made.textContent = line;
      return made;
    }));
  }

  // search

  // All boxes of all views, with the box that they are inside of.
  const index = (function collect(number, path) {
    const { cards, children, names } = views[number];
    return Object.entries(cards).flatMap(([key, lines]) => [
      { path: `${path}/${key}`, text: [...lines.slice(0, 2), ...(names[key] || [])].join(" ").toLowerCase(), name: lines[0].toLowerCase() },
      ...(key in children ? collect(children[key], `${path}/${key}`) : []),
    ]);
  })(0, TOP);
  let matches = [], match = -1;
  function look() {
    const word = search.value.trim().toLowerCase();
    const rank = each => each.name === word ? 0 : each.name.endsWith(word) ? 1 : 2;
    matches = word ? index.filter(each => each.text.includes(word)).sort((one, other) => rank(one) - rank(other)) : [];
    match = -1;
    found.textContent = word ? `${matches.length} found` : "";
    mark();
  }
  function mark() {
    for (const [path, { boxes }] of shown) for (const [key, group] of Object.entries(boxes)) {
      group.classList.toggle("match", matches.some(each => each.path === `${path}/${key}`));
      group.classList.toggle("found", matches[match]?.path === `${path}/${key}`);
    }
  }
  function goTo(next) {
    if (!matches.length) return;
    match = (next + matches.length) % matches.length;
    const { path } = matches[match];
    for (let each = around(path); each !== TOP; each = around(each)) open.add(each);
    update(null, false);
    const [x, y] = placeOf(path, now), [, , width, height] = views[numberOf(around(path))].boxes[keyOf(path)];
    view.reveal(now.get(`${path} frame`) ?? [x, y, width, height], 1.2);
    found.textContent = `${match + 1} of ${matches.length}`;
    pinned = path;
    tell();
    mark();
  }
  search.addEventListener("input", look);
  search.addEventListener("keydown", event => {
    if (event.key === "Enter") goTo(match + (event.shiftKey ? -1 : 1));
    if (event.key === "Escape") { search.value = ""; look(); pane.focus(); }
    event.stopPropagation();
  });

  // mouse and keys

  pane.addEventListener("pointerover", event => tell(boxAt(event.target)));
  pane.addEventListener("focusin", event => tell(boxAt(event.target)));
  pane.addEventListener("click", event => {
    const header = event.target.closest(".header"), path = boxAt(event.target);
    if (header) toggle(header.closest(".view").dataset.path);
    else if (path && event.target.closest(".opens")) toggle(path);
    else { pinned = path === pinned ? null : path; tell(path); }
  });
  const actions = {
    closer: () => view.zoom(1.25, undefined, undefined, true), farther: () => view.zoom(0.8, undefined, undefined, true),
    fit: () => view.fit(), open: openAll, fold: foldAll, theme: () => turnTheme(root),
    search: () => search.focus(), around: foldAround,
    left: () => view.pan(70, 0, true), right: () => view.pan(-70, 0, true),
    up: () => view.pan(0, 70, true), down: () => view.pan(0, -70, true),
  };
  const keys = {
    "+": "closer", "=": "closer", "-": "farther", 0: "fit", e: "open", c: "fold", d: "theme", "/": "search", Escape: "around",
    ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down",
  };
  root.addEventListener("click", event => {
    const pressed = event.target.closest("button[data-do]");
    if (pressed) actions[pressed.dataset.do]();
  });
  (root.dataset.embedded === undefined ? document : root).addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pressed = event.target.closest?.(".opens, .header");
    if (pressed && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      toggle(pressed.matches(".header") ? pressed.closest(".view").dataset.path : boxAt(pressed));
      return;
    }
    if (!(event.key in keys)) return;
    event.preventDefault();
    actions[keys[event.key]]();
  });
  new ResizeObserver(() => { if (!view.pinned) start(); }).observe(pane);

  // At first all of it, if that is legible; else its beginning, as wide as the window.
  function start() {
    view.fit(false);
    if (view.scale < 0.6) {
      const first = Object.values(views[0].boxes)[0];
      view.reveal(first, Math.min(1.2, Math.max(0.6, pane.clientWidth / (size[0] + 28))), false);
    }
  }
  root.querySelector("nav").hidden = false;
  update(null, false);
  start();
})();
