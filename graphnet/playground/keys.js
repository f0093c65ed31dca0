// Buttons and keys, and the line that says what the keys do.
parts.push(function keys(app) {
  const KEYS = [
    [" ", "toggle", "space", "play"], ["ArrowRight", "step", "→", "step"], ["n", "node", "n", "node"],
    ["r", "rewind", "r", "rewind"], ["k", "keep", "k", "keep run"], [">", "faster", "< >", "speed"],
    ["<", "slower"], ["v", "view", "v", "layers or nodes"], ["0", "fit", "0", "fit"],
    ["w", "weights", "w", "weights"], ["p", "python", "p", "Python"], ["l", "link", "l", "link"],
    ["d", "theme", "d", "dark"], ["Escape", "close", "Esc", "close the card"],
  ];
  const footer = app.find("footer");
  footer.hidden = false;
  const views = new Set(app.data.views.map(view => view.name));
  for (const [, action, sign, text] of KEYS) {
    if (!sign || action === "view" && views.size < 2 || !app.actions[action]) continue;
    footer.append(made("span", {}, made("kbd", {}, sign), ` ${text}`));
  }
  app.root.addEventListener("click", event => {
    const pressed = event.target.closest("button[data-do]");
    if (pressed) app.actions[pressed.dataset.do]();
  }, { signal: app.ending.signal });
  document.addEventListener("keydown", event => {
    const found = KEYS.find(([key, action]) => key === event.key && app.actions[action]);
    if (!found || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.matches("input, select") && event.key !== "Escape") return;
    if (event.target.matches("button, summary") && event.key === " ") return;
    event.preventDefault();
    app.actions[found[1]]();
  }, { signal: app.ending.signal });
  return {};
});
