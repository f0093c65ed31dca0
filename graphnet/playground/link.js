// A link keeps the settings: what differs from the page as Python has made it stands behind the # of
// its address. An address may be typed by anybody: what does not fit is left out.
function fromLink(data) {
  const given = new URLSearchParams(location.hash.slice(1)), settings = {};
  for (const [name, before] of Object.entries({ ...data.settings, ...data.numbers })) {
    const text = given.get(name), value = Number(text);
    if (text && value !== before && isSetting(name, value, data.train.count)) settings[name] = value;
  }
  return { settings, structure: structureIn(given, data.generator), added: pointsIn(given.get("points"), data.plane) };
}
function structureIn(given, generator) {
  if (!generator || !["hidden", "activation", "loss"].some(each => given.has(each))) return null;
  const hidden = (given.get("hidden") ?? generator.hidden.join()).split(",").filter(Boolean).map(Number);
  const activation = given.get("activation") ?? generator.activation, loss = given.get("loss") ?? generator.loss;
  const { layers, units } = generator.most;
  const fits = hidden.length <= layers && hidden.every(each => Number.isInteger(each) && each >= 1 && each <= units)
    && [...Object.keys(generator.activations), "none"].includes(activation) && Object.hasOwn(generator.losses, loss);
  return fits ? { hidden, activation, loss } : null;
}
function pointsIn(text, plane) {
  const points = (text ?? "").split(";").filter(Boolean).map(each => each.split(",").map(Number));
  return plane ? points.filter(each => each.length === 3 && each.every(Number.isFinite)) : [];
}

parts.push(function link(app) {
  const { data, learner } = app;
  let waiting = null;
  if (location.protocol === "about:") { // a cell of a notebook has no address
    app.find("[data-do=link]").hidden = true;
    return null;
  }
  // What stands behind the #.
  function text() {
    const found = new URLSearchParams(), before = { ...data.settings, ...data.numbers };
    for (const [name, value] of Object.entries(learner.settings)) if (value !== before[name]) found.set(name, value);
    const { structure, generator } = data;
    if (structure) for (const each of ["hidden", "activation", "loss"]) {
      if (String(structure[each]) !== String(generator[each])) found.set(each, structure[each]);
    }
    const points = app.pointsOf?.(learner.added) ?? [];
    if (points.length) found.set("points", points.map(each => each.join()).join(";"));
    return found.toString().replaceAll("%2C", ",").replaceAll("%3B", ";").replaceAll("%2F", "/");
  }
  function write() {
    waiting = null;
    const hash = text(), { href } = location;
    const address = href.split("#")[0] + (hash && `#${hash}`);
    if (address === href) return;
    history.replaceState(null, "", address);
  }
  app.link = () => {
    write();
    return location.href;
  };
  app.actions.link = async () => {
    const address = app.link();
    try {
      await navigator.clipboard.writeText(address);
      app.tell("The link is copied: it keeps the settings.");
    } catch {
      app.tell("The address of this page keeps the settings: copy it from there.");
    }
  };
  // A browser allows so many changes of the address in a second.
  return {
    changed() { waiting ??= setTimeout(write, 300); },
    rowsChanged() { waiting ??= setTimeout(write, 300); },
    closed() { clearTimeout(waiting); },
  };
});
