// Loss and error of the training rows and of the test rows, of this run and of those that were kept.
// The colour says which run it is, and a dashed line that it is of the test rows.
parts.push(function curves(app) {
  const { data, runs } = app, root = app.find(".curves");
  const KINDS = data.classes ? ["loss", "error"] : ["loss"];
  const logarithmic = made("input", { type: "checkbox", id: "log", checked: true });
  const keep = made("button", { type: "button", title: "Keep these curves to compare with (k)" }, "keep run");
  const legend = made("ul", { class: "legend", "aria-label": "Runs" });
  const charts = KINDS.map(kind => ({ kind, canvas: made("canvas", { role: "img" }), said: made("output", {}) }));
  keep.addEventListener("click", () => app.keep());
  logarithmic.addEventListener("change", draw);
  root.append(
    made("div", { class: "heading" }, made("h2", {}, "Curves"), made("span", { class: "key" }, made("span", { class: "solid" }), "training", ...(data.test ? [made("span", { class: "dashed" }), "test"] : [])), made("label", { class: "check" }, logarithmic, "log"), keep),
    made("div", { class: "charts" }, ...charts.map(({ kind, canvas, said }) => made("figure", {}, made("figcaption", {}, kind, " ", said), made("div", { class: "chart" }, canvas)))),
    legend,
  );
  const HUES = ["#8a6fd1", "#2a9d76", "#c0508a", "#8c8c3c"];
  const all = () => [...runs.kept.map(run => [run, HUES[runs.kept.indexOf(run) % HUES.length]]), [runs.now, app.colours.accent]];

  function draw() { for (const chart of charts) drawChart(chart); }
  function drawChart({ kind, canvas, said }) {
    const { context, width, height } = sharp(canvas);
    if (!width) return;
    const names = [`train ${kind}`, `test ${kind}`];
    const found = all().flatMap(([run]) => run.points.flatMap(point => names.map(name => point[name]))).filter(Number.isFinite);
    const log = logarithmic.checked && kind === "loss";
    const scale = scaleOf(found, log, kind), room = { left: 38, top: 6, right: width - 8, bottom: height - 16 };
    const most = Math.max(10, ...all().map(([run]) => run.last?.step ?? 0));
    const x = step => room.left + step / most * (room.right - room.left);
    const y = number => room.bottom - clamp(scale.share(number), 0, 1) * (room.bottom - room.top);
    axes(context, scale, room, most, y);
    for (const [run, colour] of all()) {
      for (const name of names) line(context, run.points, name, colour, x, y, name.startsWith("test"));
    }
    const last = runs.now.last;
    const text = name => Number.isFinite(last?.[name]) ? (kind === "error" ? `${(100 * last[name]).toFixed(1)} %` : short(last[name])) : "–";
    said.textContent = data.test ? `${text(names[0])} · test ${text(names[1])}` : text(names[0]);
    canvas.setAttribute("aria-label", `The ${kind} over the steps: now ${said.textContent}`);
  }
  // From the smallest to the largest number, or from 0; an error is a fraction.
  function scaleOf(found, log, kind) {
    let [low, high] = found.length ? rangeOf(found) : [0, 1];
    const percent = kind === "error";
    if (log) {
      low = Math.log10(Math.max(low, 1e-8));
      high = Math.max(Math.log10(Math.max(high, 1e-8)), low + 0.3);
      const whole = [];
      for (let power = Math.ceil(low); power <= high; power++) whole.push(10 ** power);
      const ticks = whole.length > 1 ? whole : [10 ** low, 10 ** high];
      return { share: number => (Math.log10(Math.max(number, 1e-8)) - low) / (high - low), ticks, text: short };
    }
    high = Math.max(high * 1.05, 1e-9);
    const step = tickStep(high), ticks = [];
    for (let at = 0; at <= high; at += step) ticks.push(at);
    return { share: number => number / high, ticks, text: percent ? number => `${short(100 * number)} %` : short };
  }
  function tickStep(high) {
    const power = 10 ** Math.floor(Math.log10(high / 3));
    return [1, 2, 5, 10].map(each => each * power).find(each => high / each <= 3.5);
  }
  function axes(context, scale, room, most, y) {
    context.font = "10.5px system-ui, sans-serif";
    context.fillStyle = app.colours.faint;
    context.strokeStyle = app.colours.line;
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const tick of scale.ticks) {
      const at = Math.round(y(tick)) + 0.5;
      context.globalAlpha = 0.6;
      context.stroke(new Path2D(`M${room.left} ${at}H${room.right}`));
      context.globalAlpha = 1;
      context.fillText(scale.text(tick), room.left - 5, at);
    }
    context.textBaseline = "alphabetic";
    context.fillText(`${most.toLocaleString("en")} steps`, room.right, room.bottom + 13);
    context.textAlign = "left";
    context.fillText("0", room.left, room.bottom + 13);
  }
  function line(context, points, name, colour, x, y, dashed) {
    context.beginPath();
    for (const point of points) if (Number.isFinite(point[name])) context.lineTo(x(point.step), y(point[name]));
    context.strokeStyle = colour;
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    context.setLineDash(dashed ? [4, 3] : []);
    context.stroke();
    context.setLineDash([]);
  }
  // The runs by name, with the settings that differ; a kept one can be dropped.
  function list() {
    legend.replaceChildren();
    if (!runs.kept.length) return;
    const differing = Object.keys(app.learner.settings).filter(name =>
      runs.kept.some(run => run.settings[name] !== app.learner.settings[name]));
    for (const [run, colour] of all()) {
      const settings = run === runs.now ? app.learner.settings : run.settings;
      const said = differing.map(name => `${SETTINGS[name]?.label ?? name} ${short(settings[name])}`).join(", ");
      const dot = made("span", { class: "dot" });
      dot.style.background = colour;
      const item = made("li", {}, dot, `${run.name}${run === runs.now ? " (now)" : ""}${said ? `: ${said}` : ""}`);
      if (run !== runs.now) {
        const drop = made("button", { type: "button", "aria-label": `Drop ${run.name}`, title: "Drop" }, "×");
        drop.addEventListener("click", () => { runs.drop(run); list(); draw(); });
        item.append(drop);
      }
      legend.append(item);
    }
  }
  return {
    measured: draw, resized: draw, themed() { list(); draw(); },
    changed() { keep.disabled = runs.now.points.length < 2; list(); draw(); },
    rewound() { list(); draw(); },
    slow() { keep.disabled = runs.now.points.length < 2; },
  };
});
