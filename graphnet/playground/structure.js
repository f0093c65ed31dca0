// The network itself: layers, units, activation and loss, where all of these are dense layers.
const isSame = (one, other) => ["activation", "loss"].every(each => one[each] === other[each])
  && one.hidden.join() === other.hidden.join();

parts.push(function structure(app) {
  const { generator } = app.data;
  if (!generator) return null;
  const { most, activations, losses } = generator;
  const now = app.data.structure ?? generator;
  const bar = made("div", { class: "structure", role: "group", "aria-label": "Layers of the network" });
  app.find(".network .tools").append(bar);
  build();

  function build() {
    bar.append(
      made("span", { class: "what" }, "hidden layers"),
      button("layer-less", "−", "One hidden layer less", () => hidden(now.hidden.slice(0, -1)), !now.hidden.length),
      button("layer-more", "+", "One hidden layer more",
        () => hidden([...now.hidden, now.hidden.at(-1) ?? 4]), now.hidden.length >= most.layers),
      ...now.hidden.map(units),
      choice("activation", "Activation", now.activation, [...Object.keys(activations), "none"]),
      choice("loss", "Loss", now.loss, Object.keys(losses)),
    );
    const back = () => button("as-python", "as in Python", "The network that Python has made", () => become(null));
    if (app.data.structure) bar.append(back());
  }
  // The focus stays on the same control.
  function become(structure) {
    const { id } = document.activeElement;
    const next = app.become(structure), { hidden: sizes, activation } = structure ?? generator;
    next.tell(`${[generator.inputs, ...sizes, generator.outputs].join(" → ")}, ${activation}.`);
    const found = next.root.querySelector(`#${id || "layer-more"}`);
    (found && !found.disabled ? found : next.find("#layer-more"))?.focus();
  }
  const change = part => become({ hidden: now.hidden, activation: now.activation, loss: now.loss, ...part });
  const hidden = sizes => change({ hidden: sizes });
  function button(id, text, title, act, disabled = false) {
    const element = made("button", { type: "button", id, title, "aria-label": title, disabled }, text);
    element.addEventListener("click", act);
    return element;
  }
  // The units of a layer: typed, or one less and one more.
  function units(count, at) {
    const name = `units of hidden layer ${at + 1}`;
    const to = size => hidden(now.hidden.map((each, place) => place === at ? clamp(size, 1, most.units) : each));
    const number = made("input", {
      type: "number", id: `units-${at}`, value: count, min: 1, max: most.units, step: 1, autocomplete: "off",
      "aria-label": name, title: name,
    });
    number.addEventListener("keydown", event => { if (event.key === "Enter") number.blur(); });
    number.addEventListener("change", () => {
      const size = Number(number.value);
      if (Number.isInteger(size) && size >= 1 && size <= most.units) { to(size); return; }
      number.value = count;
      app.tell(`A layer has from 1 to ${most.units} units.`);
    });
    return made("span", { class: "units" },
      button(`less-${at}`, "−", `One less of the ${name}`, () => to(count - 1), count === 1), number,
      button(`more-${at}`, "+", `One more of the ${name}`, () => to(count + 1), count === most.units));
  }
  function choice(id, title, value, names) {
    const shown = name => name === "none" ? "no activation" : name.replace(/^Loss/, "");
    const select = made("select", { id, title, "aria-label": title },
      ...names.map(name => made("option", { value: name, selected: name === value }, shown(name))));
    select.addEventListener("change", () => change({ [id]: select.value }));
    return select;
  }
  return {};
});
