// The settings: a slider for each, and its number, which can be typed.
const SETTINGS = {
  lr: { label: "learning rate", low: 1e-5, high: 10, log: true },
  momentum: { label: "momentum", low: 0, high: 0.999 },
  weight_decay: { label: "weight decay", low: 1e-6, high: 1, log: true, zero: true },
  batch: { label: "batch size", low: 1, log: true, whole: true },
  noise: {
    label: "noise", low: 0, high: 1,
    hint: "The standard deviation of noise on the inputs that are learned from",
  },
  seed: {
    label: "seed", typed: true, whole: true, low: 0, most: 2 ** 32 - 1,
    hint: "Order of the rows, masks of dropout, noise; a new one rewinds",
  },
};

// What a setting is called; those of further groups of parameters have a number: "lr/1".
function labelOf(name) {
  const [base, group] = name.split("/"), label = SETTINGS[base]?.label ?? base;
  return group === undefined ? label : `${label}, group ${group}`;
}

// The limits of a setting; a typed number may lie outside of its slider, but not outside of these.
function limitsOf(name, rows) {
  if (name === "batch") return [1, rows];
  return [0, SETTINGS[name.split("/")[0]]?.most ?? Infinity];
}
function isSetting(name, value, rows) {
  const { whole } = SETTINGS[name.split("/")[0]] ?? {}, [least, most] = limitsOf(name, rows);
  return value >= least && value <= most && value < Infinity && (!whole || Number.isInteger(value));
}

// A slider goes from 0 to 1000, whatever its setting does; with `zero` its first place is 0.
function placeOf({ low, high, log, zero }, value) {
  if (zero && value < low) return 0;
  const share = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  return Math.round(clamp(zero ? 10 + 990 * share : 1000 * share, 0, 1000));
}
function valueAt({ low, high, log, zero, whole }, place) {
  if (zero && place < 10) return 0;
  const share = zero ? (place - 10) / 990 : place / 1000;
  const value = log ? low * (high / low) ** share : low + (high - low) * share;
  return whole ? Math.round(value) : Number(value.toPrecision(2));
}

parts.push(function controls(app) {
  const form = app.find(".settings");
  const controls = {};
  for (const base of Object.keys(SETTINGS)) {
    if (base === "batch" && !app.data.open) { fixed(app.data.settings.batch); continue; }
    if (base === "noise" && !app.learner.floating.length) continue;
    for (const name of Object.keys(app.learner.settings).filter(each => each.split("/")[0] === base)) {
      controls[name] = control(name, { ...SETTINGS[base], label: labelOf(name) });
    }
  }
  form.hidden = false;
  form.addEventListener("submit", event => event.preventDefault());

  function fixed(batch) {
    const title = "The program is made for batches of this size alone: the inputs have a fixed first size, "
      + "or an operation has other loops for each size, as one of pairs of rows has. Python's batch_size chooses it.";
    form.append(made("div", { class: "setting", title }, made("span", { class: "what" }, "batch size"), made("output", { id: "fixed-batch" }, String(batch))));
  }
  function control(name, setting) {
    if (name === "batch") setting.high = Math.max(2, Math.min(app.learner.clean.count, 1024));
    const id = `set-${name.replace("/", "-")}`;
    const label = made("label", { for: id, title: setting.hint }, setting.label);
    const number = made("input", {
      id, type: "number", step: setting.whole ? 1 : "any", min: 0, autocomplete: "off",
      title: setting.hint,
    });
    const slider = setting.typed ? null : made("input", {
      type: "range", min: 0, max: 1000, "aria-label": setting.label, "data-slide": name, title: setting.hint,
    });
    slider?.addEventListener("input", () => set(name, valueAt(setting, Number(slider.value))));
    // After Enter the keys of the page work again.
    number.addEventListener("keydown", event => { if (event.key === "Enter") number.blur(); });
    number.addEventListener("change", () => typed(name, setting, number));
    form.append(made("div", { class: "setting" }, label, number, ...(slider ? [slider] : [])));
    return { setting, number, slider };
  }
  // What was said of an earlier number holds no more.
  function set(name, value) {
    app.tell("");
    app.set(name, value);
  }
  function typed(name, { whole, label }, number) {
    const value = number.value.trim() === "" ? NaN : Number(number.value), { count } = app.learner.clean;
    const [least, top] = limitsOf(name, count);
    const limit = top < Infinity ? `, at most ${top}` : "";
    if (isSetting(name, value, count)) set(name, value);
    else app.tell(`The ${label} must be ${whole ? "an integer" : "a number"} of ${least} or more${limit}.`);
    show(name);
  }
  function show(name) {
    const { setting, number, slider } = controls[name], value = app.learner.settings[name];
    number.value = String(value);
    if (!slider) return;
    slider.value = placeOf(setting, value);
    slider.setAttribute("aria-valuetext", String(value));
  }

  const speed = app.find(".speed");
  Loop.SPEEDS.forEach(({ label }, at) => speed.append(made("option", { value: at }, label)));
  speed.addEventListener("change", () => app.setSpeed(Number(speed.value)));
  for (const hidden of [".transport", ".counts", ".save", "header > button"]) app.find(hidden).hidden = false;
  const main = app.find(".main"), steps = app.find(".steps"), rate = app.find(".rate");

  return {
    changed() {
      for (const name of Object.keys(controls)) if (document.activeElement !== controls[name].number) show(name);
      speed.value = app.loop.speed;
      main.classList.toggle("playing", app.loop.playing);
      main.setAttribute("aria-label", app.loop.playing ? "Pause" : "Play");
    },
    slow() {
      const { learner, loop } = app;
      steps.textContent = `step ${learner.steps.toLocaleString("en")} · epoch ${learner.epoch.toLocaleString("en")}`;
      const fast = loop.rate ? `${Math.round(loop.rate).toLocaleString("en")} steps/s` : "training";
      rate.textContent = loop.playing ? fast : "paused";
    },
  };
});
