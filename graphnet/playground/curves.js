// Loss and error of the training rows and of the test rows, of this run and of those that were kept.
// The colour says which run it is, and a dashed line that it is of the test rows.
parts.push(function curves(app) {
  const HUES = ["#8a6fd1", "#2a9d76", "#c0508a", "#8c8c3c"]; // of kept runs, on light and dark
  const { data, runs } = app, root = app.find(".curves");
  const kinds = data.classes ? ["loss", "error"] : ["loss"];
  const logarithmic = made("input", { type: "checkbox", id: "log", checked: true });
  const keep = made("button", { type: "button", title: "Keep these curves to compare with (k)" }, "keep run");
  const legend = made("ul", { class: "legend", "aria-label": "Runs" });
  const charts = kinds.map(kind => {
    const canvas = made("canvas", { role: "img" }), said = made("output");
    const caption = made("figcaption", {}, kind, " ", said);
    return { kind, canvas, said, figure: made("figure", {}, caption, made("div", { class: "chart" }, canvas)) };
  });
  root.append(heading(), made("div", { class: "charts" }, ...charts.map(chart => chart.figure)), legend);
  keep.addEventListener("click", () => app.keep());
  logarithmic.addEventListener("change", draw);

  function heading() {
    const key = made("span", { class: "key" }, made("span", { class: "solid" }), "training");
    if (data.test) key.append(made("span", { class: "dashed" }), "test");
    const check = made("label", { class: "check" }, logarithmic, "log");
    return made("div", { class: "heading" }, made("h2", {}, "Curves"), key, check, keep);
  }
  // Each run with its colour, the present one last.
  function all() {
    const kept = runs.kept.map((run, at) => [run, HUES[at % HUES.length]]);
    return [...kept, [runs.now, app.colours.accent]];
  }
  function draw() { for (const chart of charts) drawChart(chart); }
  function drawChart({ kind, canvas, said }) {
    const { context, width, height } = sharp(canvas);
    if (!width) return;
    const names = [`train ${kind}`, `test ${kind}`], drawn = all();
    const numbers = drawn.flatMap(([run]) => run.points.flatMap(point => names.map(name => point[name])));
    const scale = scaleOf(numbers.filter(Number.isFinite), logarithmic.checked && kind === "loss", kind === "error");
    const { letter } = app.colours;
    const room = { left: 3.6 * letter, top: 6, right: width - 8, bottom: height - 1.5 * letter };
    const most = Math.max(10, ...drawn.map(([run]) => run.last?.step ?? 0));
    const x = step => room.left + step / most * (room.right - room.left);
    const y = number => room.bottom - clamp(scale.share(number), 0, 1) * (room.bottom - room.top);
    axes(context, scale, room, most, y);
    for (const [run, colour] of drawn) {
      names.forEach((name, at) => line(context, run.points, name, colour, x, y, at === 1));
    }
    tell(said, names, kind === "error");
    canvas.setAttribute("aria-label", `The ${kind} over the steps: now ${said.textContent}`);
  }
  function tell(said, names, percent) {
    const [train, test] = names.map(name => {
      const number = runs.now.last?.[name];
      if (!Number.isFinite(number)) return "–";
      return percent ? `${(100 * number).toFixed(1)} %` : short(number);
    });
    said.textContent = data.test ? `${train} · test ${test}` : train;
  }
  // Where a number lies between the ends of an axis, and what is written along it.
  function scaleOf(numbers, log, percent) {
    const [low, high] = numbers.length ? rangeOf(numbers) : [0, 1];
    if (log) return logScale(Math.max(low, 1e-8), Math.max(high, 1e-8));
    const top = Math.max(high * 1.05, 1e-9), step = tickStep(top), ticks = [];
    for (let at = 0; at <= top; at += step) ticks.push(at);
    return { share: number => number / top, ticks, text: percent ? number => `${short(100 * number)} %` : short };
  }
  function logScale(least, most) {
    const low = Math.log10(least), high = Math.max(Math.log10(most), low + 0.5), ticks = [];
    const digits = high - low > 1.5 ? [1] : [1, 2, 5];
    for (let power = Math.floor(low); power <= high; power++) ticks.push(...digits.map(digit => digit * 10 ** power));
    const share = number => (Math.log10(Math.max(number, 1e-8)) - low) / (high - low);
    return { share, ticks: ticks.filter(tick => share(tick) >= 0 && share(tick) <= 1), text: short };
  }
  function tickStep(top) {
    const power = 10 ** Math.floor(Math.log10(top / 3));
    return [1, 2, 5, 10].map(each => each * power).find(each => top / each <= 3.5);
  }
  function axes(context, scale, room, most, y) {
    const { colours } = app;
    Object.assign(context, {
      font: `${colours.letter}px system-ui, sans-serif`, fillStyle: colours.faint, strokeStyle: colours.line,
      lineWidth: 1, textAlign: "right", textBaseline: "middle",
    });
    for (const tick of scale.ticks) {
      const at = Math.round(y(tick)) + 0.5;
      context.globalAlpha = 0.6;
      context.stroke(new Path2D(`M${room.left} ${at}H${room.right}`));
      context.globalAlpha = 1;
      context.fillText(scale.text(tick), room.left - 5, at);
    }
    context.textBaseline = "alphabetic";
    context.fillText(`${most.toLocaleString("en")} steps`, room.right, room.bottom + 1.25 * colours.letter);
    context.textAlign = "left";
    context.fillText("0", room.left, room.bottom + 1.25 * colours.letter);
  }
  function line(context, points, name, colour, x, y, dashed) {
    const known = points.filter(point => Number.isFinite(point[name]));
    context.beginPath();
    for (const point of known) context.lineTo(x(point.step), y(point[name]));
    if (known.length === 1) context.arc(x(known[0].step), y(known[0][name]), 1.5, 0, 7);
    Object.assign(context, { strokeStyle: colour, lineWidth: 1.6, lineJoin: "round" });
    context.setLineDash(dashed ? [4, 3] : []);
    context.stroke();
    context.setLineDash([]);
  }
  // The runs by name, with the settings that differ; a kept one can be dropped.
  function list() {
    legend.replaceChildren();
    if (!runs.kept.length) return;
    const settings = app.summary();
    const differing = Object.keys(settings).filter(name => runs.kept.some(run => run.settings[name] !== settings[name]));
    for (const [run, colour] of all()) legend.append(item(run, colour, differing));
  }
  function item(run, colour, differing) {
    const isNow = run === runs.now, settings = isNow ? app.summary() : run.settings;
    const said = differing.map(name => name === "network" ? settings[name] : `${labelOf(name)} ${short(settings[name])}`)
      .join(", ");
    const dot = made("span", { class: "dot" });
    dot.style.background = colour;
    const line = made("li", {}, dot, `${run.name}${isNow ? " (now)" : ""}${said && `: ${said}`}`);
    if (isNow) return line;
    const drop = made("button", { type: "button", "aria-label": `Drop ${run.name}`, title: "Drop" }, "×");
    drop.addEventListener("click", () => { runs.drop(run); again(); });
    line.append(drop);
    return line;
  }
  function again() {
    list();
    draw();
  }
  const slow = () => { keep.disabled = runs.now.points.length < 2; };
  function changed() {
    slow();
    again();
  }
  return { measured: draw, resized: draw, themed: again, rewound: again, slow, changed };
});
