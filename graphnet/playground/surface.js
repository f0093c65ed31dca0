// The plane of two inputs: what the network says at each point of it, and the rows as points.
parts.push(function surface(app) {
  const MOST_POINTS = 2000;
  if (!app.data.plane) return null;
  const { data, learner, evaluator, colours } = app;
  const { classes, nodes } = data, input = keyOf(nodes[data.inputs[0]]);
  const target = data.targets.length ? keyOf(nodes[data.targets[0]]) : undefined;
  const width = widthOf(data.nodes[data.output]);
  const labels = classes ? classes.targets.length : 0;
  const root = app.find(".output");
  const ground = made("canvas", {
    width: Evaluator.GRID, height: Evaluator.GRID, class: "ground", "aria-hidden": "true",
  });
  const points = made("canvas", {
    class: "points", tabindex: 0, role: "img",
    "aria-label": "The plane of the two inputs, with the output and the rows; "
      + "arrow keys move a cross, Enter adds a point there",
  });
  const test = made("input", { type: "checkbox", id: "show-test" });
  const chosen = made("span", { class: "classes", role: "radiogroup", "aria-label": "The class of an added point" });
  const number = made("input", {
    type: "number", step: "any", value: 0, id: "point-target", "aria-label": "The target of an added point",
  });
  const undo = made("button", {
    type: "button", title: "Take back the last added point (Backspace)", disabled: true,
  }, "undo point");
  const canAdd = classes !== null || target !== undefined && learner.clean.widths[target] === 1;
  let cross = null, label = labels ? labels - 1 : 0, image = null;
  build();
  const middle = middleOfTargets();

  function build() {
    const heading = made("div", { class: "heading" }, made("h2", {}, "Output"));
    if (data.test) heading.append(made("label", { class: "check" }, test, "test points"));
    for (let each = 0; each < labels; each++) chosen.append(swatch(each));
    const adding = made("div", { class: "adding" }, "click adds ", labels ? chosen : number, undo);
    root.append(heading, made("div", { class: "plane" }, ground, points), ...(canAdd ? [adding] : []));
    test.addEventListener("change", draw);
    undo.addEventListener("click", takeBack);
    points.addEventListener("click", event => { if (canAdd) add(...placeOf(event)); });
    points.addEventListener("keydown", keyed);
    points.addEventListener("blur", () => { cross = null; draw(); });
  }
  function swatch(each) {
    const radio = made("input", {
      type: "radio", name: "class", value: each, checked: each === label, "aria-label": `class ${each}`,
    });
    const sign = made("span", { class: "swatch" }, String(each));
    radio.addEventListener("change", () => { label = each; });
    return made("label", { title: `class ${each}` }, radio, sign);
  }
  // Points of the canvas, and of the plane.
  const across = (x, size) => (x - evaluator.left) / evaluator.side * size;
  const down = (y, size) => (1 - (y - evaluator.bottom) / evaluator.side) * size;
  function placeOf(event) {
    const box = points.getBoundingClientRect();
    return [
      evaluator.left + (event.clientX - box.left) / box.width * evaluator.side,
      evaluator.bottom + (1 - (event.clientY - box.top) / box.height) * evaluator.side,
    ];
  }
  function add(...place) {
    const [x, y] = place.map(each => Number(each.toPrecision(4))); // as they stand in a link
    addPoint([x, y, classes ? label : Number(number.value) || 0]);
    app.tell(`Added a point at ${short(x)}, ${short(y)}: ${counted(learner.clean.count, "row")}.`);
    app.disturbed();
  }
  // A point is x, y, and its class or its target.
  function addPoint([x, y, goal]) {
    if (classes && !classes.targets[goal]) return;
    learner.add({ [input]: [x, y], ...(target && { [target]: classes ? classes.targets[goal] : [goal] }) });
  }
  app.pointsOf = rows => rows.map(row => {
    const goal = target ? row[target] : [0];
    return [...row[input], classes ? evaluator.labelOf(goal) : goal[0]].map(each => Number(each.toPrecision(4)));
  });
  app.addPoints = points => {
    if (!canAdd || !points.length) return;
    points.forEach(addPoint);
    app.disturbed();
  };
  function takeBack() {
    if (learner.removeLast()) app.tell(`Took the last point back: ${counted(learner.clean.count, "row")}.`);
    app.disturbed();
  }
  function keyed(event) {
    const step = evaluator.side / 40;
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (by && canAdd) {
      cross ??= [evaluator.left + evaluator.side / 2, evaluator.bottom + evaluator.side / 2];
      cross = [cross[0] + by[0] * step, cross[1] + by[1] * step].map((at, axis) => {
        const start = [evaluator.left, evaluator.bottom][axis];
        return clamp(at, start, start + evaluator.side);
      });
      app.tell(`Cross at ${short(cross[0])}, ${short(cross[1])}.`);
    } else if (event.key === "Enter" && cross) add(...cross);
    else if (event.key === "Backspace") takeBack();
    else if (/^\d$/.test(event.key) && Number(event.key) < labels) {
      chosen.querySelectorAll("input")[Number(event.key)].click();
    } else return;
    event.preventDefault();
    event.stopPropagation();
    draw();
  }

  // What a row of outputs is between the first class, -1, and the second, 1; or below and above
  // the middle of the targets.
  function middleOfTargets() {
    const [low, high] = classes ? [classes.targets[0][0], classes.targets.at(-1)[0]]
      : target ? rangeOf(learner.clean.data[target]) : [-1, 1];
    return { at: (low + high) / 2, half: Math.abs(high - low) / 2 || 1 };
  }
  function levelOf(output, row) {
    if (!classes) return clamp((output[row * width] - middle.at) / middle.half, -1, 1);
    const { threshold, targets } = classes;
    const isSingle = threshold !== null;
    const apart = isSingle ? output[row] - threshold : output[row * 2 + 1] - output[row * 2];
    const isLogit = isSingle ? threshold !== middle.at : targets[0].length === 1;
    return isLogit ? Math.tanh(apart / 2) : clamp(apart / (isSingle ? 1 : 2) / middle.half, -1, 1);
  }
  function paint() {
    const output = evaluator.maps.get(data.output);
    if (!output) return;
    const context = ground.getContext("2d");
    image ??= context.createImageData(Evaluator.GRID, Evaluator.GRID);
    for (let row = 0; row < Evaluator.GRID ** 2; row++) {
      if (labels > 2) many(output, row);
      else colours.tint(image.data, 4 * row, 0.78 * levelOf(output, row));
    }
    context.putImageData(image, 0, 0);
  }
  function many(output, row) {
    const best = evaluator.classOf(output, row);
    [0, 1, 2].forEach(part => { image.data[4 * row + part] = colours.of(best, labels)[part]; });
    image.data[4 * row + 3] = 130;
  }
  function draw() {
    const { context, width: size } = sharp(points);
    if (!size) return;
    if (test.checked) drawRows(context, size, evaluator.test, true);
    drawRows(context, size, learner.rows, false);
    if (cross) {
      context.strokeStyle = colours.ink;
      context.lineWidth = 2;
      const [x, y] = [across(cross[0], size), down(cross[1], size)];
      context.stroke(new Path2D(`M${x - 9} ${y}h18M${x} ${y - 9}v18`));
    }
  }
  // Of very many rows the last ones, with those that were added by hand.
  function drawRows(context, size, rows, hollow) {
    const places = rows.data[input], radius = rows.count > 400 ? 2.4 : 3.6;
    context.lineWidth = 1;
    for (let row = Math.max(0, rows.count - MOST_POINTS); row < rows.count; row++) {
      const isAdded = !hollow && row >= learner.given, colour = colourOf(rows, row);
      context.beginPath();
      context.arc(across(places[2 * row], size), down(places[2 * row + 1], size), radius + 1.6 * isAdded, 0, 7);
      context.fillStyle = hollow ? colours.ground : colour;
      context.strokeStyle = hollow ? colour : isAdded ? colours.ink : colours.ground;
      context.fill();
      context.stroke();
    }
  }
  function colourOf(rows, row) {
    if (!target) return colours.ink;
    const goal = rows.row(target, row);
    if (classes) return colours.css(colours.of(evaluator.labelOf(goal), labels));
    const level = clamp((goal[0] - middle.at) / middle.half, -1, 1);
    return colours.css(level < 0 ? colours.less : colours.more, 0.25 + 0.75 * Math.abs(level));
  }
  function swatches() {
    chosen.querySelectorAll(".swatch").forEach((sign, at) => {
      sign.style.background = colours.css(colours.of(at, labels));
    });
  }
  const rowsChanged = () => {
    undo.disabled = learner.clean.count === learner.given;
    draw();
  };
  return {
    measured: paint, rowsChanged, resized: draw,
    rewound() { swatches(); rowsChanged(); },
    themed() { swatches(); paint(); draw(); },
  };
});
