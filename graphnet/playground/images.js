// Pictures: the first ones with what the network says, a pad to draw one's own, and the weights of
// the first layer as pictures.
parts.push(function images(app) {
  const { image, nodes, classes, output } = app.data;
  if (!image) return null;
  const SHOWN = 14, MOST_BARS = 10;
  const { evaluator, learner, colours } = app, { channels, height, width } = image;
  const name = keyOf(nodes[image.input]), units = widthOf(nodes[output]);
  const rows = evaluator.test ?? learner.clean, count = Math.min(SHOWN, rows.count);
  const root = app.find(".output");
  const pictures = Array.from({ length: count }, (_, row) => picture(row));
  const pad = new Pad(app, image, predict);
  const bars = Array.from({ length: Math.min(units, MOST_BARS) }, (_, at) => bar(at));
  const filters = image.filters
    && made("canvas", { class: "filters", role: "img", "aria-label": "Weights of the first layer" });
  build();

  function build() {
    const clear = made("button", { type: "button", title: "Clear the pad (Backspace)" }, "clear");
    clear.addEventListener("click", () => pad.clear());
    const heading = (text, ...more) => made("div", { class: "heading" }, made("h2", {}, text), ...more);
    root.append(
      heading(`Output for the first ${evaluator.test ? "test images" : "images"}`),
      made("div", { class: "pictures" }, ...pictures.map(each => each.root)),
      heading("Draw your own", clear),
      made("div", { class: "drawing" }, pad.canvas, made("div", { class: "bars" }, ...bars.map(each => each.root))),
    );
    if (filters) app.find(".side").append(made("section", {}, heading("Weights of the first layer"), filters));
  }
  function picture(row) {
    const canvas = made("canvas", { width, height }), said = made("span");
    const button = made("button", { type: "button", class: "thumb", title: "Put it on the pad" }, canvas, said);
    button.addEventListener("click", () => pad.put(rows.row(name, row)));
    return { row, root: button, canvas, said };
  }
  function bar(at) {
    const fill = made("span", { class: "fill" }), number = made("span", { class: "number" });
    const track = made("span", { class: "track" }, fill);
    return { root: made("div", { class: "bar" }, made("span", {}, String(at)), track, number), fill, number };
  }
  // Grey or coloured pixels, from 0 to 1.
  function paint(canvas, pixels) {
    const context = canvas.getContext("2d"), found = context.createImageData(width, height), area = width * height;
    for (let at = 0; at < area; at++) {
      for (let part = 0; part < 3; part++) {
        const value = pixels[at + (channels === 3 ? part * area : 0)];
        found.data[4 * at + part] = 255 * (value - image.low) / (image.high - image.low || 1);
      }
      found.data[4 * at + 3] = 255;
    }
    context.putImageData(found, 0, 0);
  }
  // What the present weights say of one picture, as a share of each class, or as numbers.
  function outputsOf(pixels) {
    const size = app.data.open ? 1 : app.data.settings.batch;
    const program = evaluator.programOf(size, evaluator.quick);
    program.inputs[name].set(pixels);
    for (const entry of program.predict) if (evaluator.needed.has(entry.node)) entry.run();
    return program.values[output].subarray(0, units);
  }
  const isLogits = classes && classes.threshold === null && classes.targets[0].length === 1;
  function sharesOf(outputs) {
    if (!isLogits) return [...outputs];
    const top = Math.max(...outputs), exponents = [...outputs].map(each => Math.exp(each - top));
    const sum = exponents.reduce((total, each) => total + each, 0);
    return exponents.map(each => each / sum);
  }
  function predict(pixels, aloud = false) {
    paint(pad.canvas, pixels);
    const outputs = outputsOf(pixels), shares = sharesOf(outputs);
    const isShare = shares.every(each => each >= 0 && each <= 1);
    const most = isShare ? 1 : Math.max(...shares.map(Math.abs)) || 1;
    const said = classes ? evaluator.classOf(outputs, 0) : -1;
    bars.forEach(({ root, fill, number }, at) => {
      root.classList.toggle("said", at === said);
      fill.style.width = `${100 * clamp(Math.abs(shares[at]) / most, 0, 1)}%`;
      number.textContent = isLogits ? `${(100 * shares[at]).toFixed(1)} %` : short(shares[at]);
    });
    pad.canvas.setAttribute("aria-label", `${Pad.HOW} ${classes ? `The network says ${said}.` : ""}`);
    if (aloud && classes) app.tell(`The network says ${said}.`);
  }
  function tellPictures() {
    const outputs = evaluator.firstRows(rows, count), target = classes && keyOf(nodes[app.data.targets[0]]);
    for (const { row, root, said } of pictures) {
      if (!classes) { said.textContent = short(outputs[row * units]); continue; }
      const found = evaluator.classOf(outputs, row), right = found === evaluator.labelOf(rows.row(target, row));
      said.textContent = `${right ? "✓" : "✗"} ${found}`;
      said.className = right ? "right" : "wrong";
      root.setAttribute("aria-label", `Image ${row}: the network says ${found}, which is ${right ? "right" : "wrong"}`);
    }
  }
  function drawFilters() {
    if (!filters) return;
    const { node, count: tiles, height: rows, width: columns } = image.filters, apart = 1;
    const across = Math.min(tiles, Math.max(4, Math.floor(360 / (columns < 12 ? 34 : 44))));
    const whole = across * (columns + apart) - apart, down = Math.ceil(tiles / across) * (rows + apart) - apart;
    if (filters.width !== whole || filters.height !== down) Object.assign(filters, { width: whole, height: down });
    const weight = learner.state[keyOf(nodes[node])], size = rows * columns, context = filters.getContext("2d");
    const found = context.createImageData(whole, down), largest = largestOf(weight, 0, tiles * size) || 1;
    for (let tile = 0; tile < tiles; tile++) {
      const left = tile % across * (columns + apart), top = Math.floor(tile / across) * (rows + apart);
      for (let at = 0; at < size; at++) {
        const place = (top + Math.floor(at / columns)) * whole + left + at % columns;
        colours.tint(found.data, 4 * place, weight[tile * size + at] / largest);
      }
    }
    context.putImageData(found, 0, 0);
  }
  function all() {
    for (const { row, canvas } of pictures) paint(canvas, rows.row(name, row));
    pad.again();
    drawFilters();
  }
  return {
    measured: tellPictures, rewound: all, themed: all,
    slow() { pad.again(); drawFilters(); },
  };
});
