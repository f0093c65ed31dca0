// The page of a walk: one step after the other, with the box of the step in view.
(() => {
  const root = document.currentScript.closest(".graphnet-walk");
  const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const pane = root.querySelector(".picture"), stage = root.querySelector(".stage");
  const card = root.querySelector(".card"), caption = root.querySelector(".caption");
  const slider = root.querySelector("input"), speed = root.querySelector("select");
  const button = name => root.querySelector(`[data-do="${name}"]`);
  const count = data.captions.length;
  const last = stage.innerHTML.split("\n");
  let now = 0, timer = null, chosen = null;

  const size = () => {
    const { width, height } = stage.querySelector("svg").viewBox.baseVal;
    return { width, height };
  };
  const view = viewport(pane, stage, size);
  const boxOf = key => stage.querySelector(`g[id$="-${key}"]`);
  // Letters of the picture are 10 points high: at this scale they are legible, or large.
  const legible = () => root.classList.contains("large") ? 2 : 1.2;

  // The first edit makes the first frame of the last, which stands in the page for readers without
  // scripts. Edits name lines by their numbers: the browser may write a line in its own way.
  function textOf(number) {
    const lines = [...last];
    for (const edit of data.edits.slice(0, number + 1)) for (const [place, line] of edit) lines[place] = line;
    return lines.join("\n");
  }
  function show(number, smooth = true) {
    now = Math.max(0, Math.min(count - 1, number));
    stage.innerHTML = textOf(now);
    caption.textContent = data.captions[now];
    slider.value = now;
    follow(smooth);
    tell();
  }
  function follow(smooth = true) {
    const box = boxOf(data.boxes[now]);
    if (!box) return;
    const { x, y, width, height } = box.getBBox();
    view.reveal([x, y, width, height], legible(), smooth);
  }

  // The card is of the box that was clicked, else of that of the step.
  function tell() {
    const told = chosen ?? data.boxes[now];
    card.hidden = false;
    card.replaceChildren();
    const box = boxOf(told);
    add("strong", box ? box.querySelector("title").textContent : told);
    const values = box ? [...box.querySelectorAll("text")].map(each => each.textContent) : [];
    for (const line of [...(data.cards[told] || []), ...values.filter(each => /^(top|grad) /.test(each))]) add("p", line);
    tellNumbers(told);
  }
  function add(tag, text, where = card) {
    const made = document.createElement(tag);
    made.textContent = text;
    where.append(made);
    return made;
  }
  // The numbers of small tensors, as far as the walk has come; one of them is written out.
  function tellNumbers(key) {
    const known = (data.numbers[key] || []).filter(grid => grid.since <= data.steps[now]);
    if (!known.length) return;
    const grids = add("div", "");
    grids.className = "grids";
    const written = document.createElement("p");
    written.className = "written";
    for (const grid of known) {
      const side = add("div", "", grids);
      add("h3", grid.label, side);
      const table = add("table", "", side);
      const largest = Math.max(...grid.rows.flat().map(Number).filter(Number.isFinite).map(Math.abs)) || 1;
      let place = 0;
      for (const row of grid.rows) {
        const line = table.insertRow();
        for (const text of row) cell(line.insertCell(), grid, text, Number(text) / largest || 0, place++);
      }
    }
    function cell(made, grid, text, level, place) {
      made.textContent = text;
      const tone = level < 0 ? "--less" : "--more";
      made.style.background = `rgba(var(${tone}), ${(0.6 * Math.min(1, Math.abs(level))).toFixed(2)})`;
      if (!grid.told.length) return;
      made.tabIndex = 0;
      const tell = () => {
        for (const other of card.querySelectorAll("td.chosen")) other.classList.remove("chosen");
        made.classList.add("chosen");
        written.textContent = grid.told[place];
      };
      for (const event of ["mouseenter", "focus", "click"]) made.addEventListener(event, tell);
    }
    card.append(written);
    if (known.some(grid => grid.told.length)) written.textContent = "Point at a number: it is written out here.";
  }

  // playing
  function stop() { clearInterval(timer); timer = null; button("play").textContent = "▶ play"; }
  function start() {
    if (now === count - 1) show(0);
    clearInterval(timer);
    timer = setInterval(() => now === count - 1 ? stop() : show(now + 1), Number(speed.value));
    button("play").textContent = "⏸ pause";
  }
  speed.addEventListener("change", () => { if (timer) start(); });
  function faster(by) {
    speed.selectedIndex = Math.max(0, Math.min(speed.options.length - 1, speed.selectedIndex + by));
    if (timer) start();
  }
  const moves = {
    first: () => show(0), back: () => show(now - 1), next: () => show(now + 1), last: () => show(count - 1),
  };
  const actions = {
    ...moves, play: () => timer ? stop() : start(),
    closer: () => view.zoom(1.25), farther: () => view.zoom(0.8), fit: () => view.fit(),
    follow: () => { view.fit(false); follow(); },
    large: () => {
      button("large").setAttribute("aria-pressed", root.classList.toggle("large"));
      view.fit(false);
      follow();
    },
    theme: () => turnTheme(root), slower: () => faster(-1), faster: () => faster(1),
  };
  function act(name) {
    if (name in moves) stop();
    actions[name]();
  }
  root.addEventListener("click", event => {
    const pressed = event.target.closest("button[data-do]");
    if (pressed) { act(pressed.dataset.do); return; }
    const box = event.target.closest(".picture g[id]");
    if (box && /-n\d|-m\d/.test(box.id)) { chosen = box.id.replace(/^.*?-(?=[nm]\d)/, ""); tell(); }
    else if (event.target.closest(".picture")) { chosen = null; tell(); }
  });
  const keys = {
    ArrowLeft: "back", ArrowRight: "next", PageUp: "back", PageDown: "next", Home: "first", End: "last",
    " ": "play", "+": "closer", "=": "closer", "-": "farther", 0: "fit", f: "follow", l: "large", d: "theme",
    "<": "slower", ">": "faster",
  };
  root.tabIndex = -1;
  (root.dataset.embedded === undefined ? document : root).addEventListener("keydown", event => {
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select") || event.target.matches("button, summary") && event.key === " ") return;
    event.preventDefault();
    act(action);
  });
  slider.max = count - 1;
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  new ResizeObserver(() => { if (!view.pinned) follow(false); }).observe(pane);

  root.classList.add("live");
  root.querySelector("nav").hidden = false;
  root.querySelector("details").open = false;
  show(0, false);
})();
