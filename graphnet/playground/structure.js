// The network itself: layers, units, activation and loss, where all of these are dense layers.
const isSame = (one, other) => ["activation", "loss"].every(each => one[each] === other[each])
  && one.hidden.join() === other.hidden.join();

parts.push(function structure(app) {
  const { generator } = app.data;
  if (!generator) return null;
  const FIRST = 4; // units of a first hidden layer
  const { most, activations, losses } = generator;
  const now = app.data.structure ?? generator;
  const bar = made("div", { class: "structure", role: "group", "aria-label": "Layers of the network" });
  app.find(".network .tools").append(bar);
  build();

  function build() {
    const { hidden } = now;
    bar.append(
      made("span", { class: "what" }, "hidden layers"),
      stepper("layers", "hidden layers", hidden.length, 0, most.layers, count => change({
        hidden: Array.from({ length: count }, (_, at) => hidden[at] ?? hidden.at(-1) ?? FIRST),
      })),
      ...hidden.map((units, at) => stepper(`units-${at}`, `units of hidden layer ${at + 1}`, units, 1, most.units,
        count => change({ hidden: hidden.map((each, place) => place === at ? count : each) }))),
      choice("activation", now.activation, [...Object.keys(activations), "none"]),
      choice("loss", now.loss, Object.keys(losses)),
    );
    if (app.data.structure) bar.append(button("as-python", "as in Python", "The network that Python has made", () => become(null)));
  }
  const change = part => become({ hidden: now.hidden, activation: now.activation, loss: now.loss, ...part });
  // The focus stays on the same control; after Enter it goes to the picture, where the keys work.
  function become(wanted) {
    const { id } = document.activeElement, next = app.become(wanted);
    next.tell(`The network: ${networkText(generator, next.data.structure ?? generator)}.`);
    const same = id && next.root.querySelector(`.structure [id="${id}"]:enabled`);
    (same || next.find(".picture")).focus({ preventScroll: true });
  }
  function button(id, text, title, act, disabled = false) {
    const element = made("button", { type: "button", id, title, "aria-label": title, disabled }, text);
    element.addEventListener("click", act);
    return element;
  }
  // A number that is typed, or one less and one more.
  function stepper(id, name, count, least, top, set) {
    const number = made("input", {
      type: "number", id, value: count, min: least, max: top, step: 1, autocomplete: "off", "aria-label": name, title: name,
    });
    number.addEventListener("keydown", event => { if (event.key === "Enter") number.blur(); });
    number.addEventListener("change", () => {
      const typed = Number(number.value);
      if (number.value.trim() && Number.isInteger(typed) && typed >= least && typed <= top) { set(typed); return; }
      number.value = count;
      app.tell(`The number of ${name} is an integer from ${least} to ${top}.`);
    });
    return made("span", { class: "stepper" },
      button(`${id}-less`, "−", `Less ${name}`, () => set(count - 1), count === least), number,
      button(`${id}-more`, "+", `More ${name}`, () => set(count + 1), count === top));
  }
  function choice(id, value, names) {
    const shown = name => name === "none" ? "no activation" : name.replace(/^Loss/, "");
    const select = made("select", { id, title: id, "aria-label": id },
      ...names.map(name => made("option", { value: name, selected: name === value }, shown(name))));
    select.addEventListener("change", () => change({ [id]: select.value }));
    return select;
  }
  return {};
});
