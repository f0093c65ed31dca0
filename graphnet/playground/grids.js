// The first numbers of a tensor as a table, coloured by their size.
class NumberTable {
  static ROWS = 5;
  static COLUMNS = 4;
  // `follow` is given each cell and the place of its number.
  constructor(app, node, label, part, follow) {
    Object.assign(this, { app, node, part, follow });
    this.width = widthOf(app.data.nodes[node]);
    this.columns = Math.min(this.width, NumberTable.COLUMNS);
    this.cells = null;
    this.table = made("table");
    this.facts = made("span", { class: "facts" });
    this.root = made("div", {}, made("h3", {}, label, " ", this.facts), this.table);
  }
  get numbers() { return this.app.learner.program[this.part][this.node]; }
  fill() {
    const { numbers, columns, width } = this;
    const rows = Math.min(NumberTable.ROWS, numbers.length / width);
    if (this.cells?.length !== rows * columns) this.build(rows);
    const largest = largestOf(numbers, 0, numbers.length) || 1;
    this.cells.forEach((cell, at) => {
      const number = numbers[Math.floor(at / columns) * width + at % columns];
      cell.textContent = short(number);
      cell.style.background = this.colour(number / largest);
    });
    const [low, high] = rangeOf(numbers);
    const facts = `‖${short(norm(numbers))}‖  ${short(low)} … ${short(high)}`;
    this.facts.textContent = numbers.length > 1 ? facts : "";
  }
  build(rows) {
    const { table, columns, width } = this;
    const more = text => made("span", { class: "more" }, text);
    table.replaceChildren();
    this.cells = [];
    for (let row = 0; row < rows; row++) {
      const line = table.insertRow();
      for (let column = 0; column < columns; column++) {
        const cell = line.insertCell();
        this.cells.push(cell);
        this.follow?.(cell, row * width + column);
      }
      if (columns < width && row === 0) line.insertCell().append(more(`… ${width}`));
    }
    const all = Math.round(this.numbers.length / width);
    if (rows < all) table.insertRow().insertCell().append(more(`⋮ ${all}`));
  }
  colour(level) {
    const { colours } = this.app;
    const alpha = 0.55 * Math.min(1, Math.abs(level) || 0);
    return colours.css(level < 0 ? colours.less : colours.more, alpha.toFixed(2));
  }
}

// What each unit of a node computes at the points of the plane.
class UnitMaps {
  static ACROSS = 13;
  constructor(app, node) {
    Object.assign(this, { app, node });
    this.canvas = made("canvas", {
      class: "maps large", role: "img", "aria-label": "What each unit computes at the points of the plane",
    });
    this.root = made("div", {}, made("h3", {}, "units over the plane"), this.canvas);
  }
  fill() {
    const { data, evaluator, colours } = this.app, values = evaluator.maps.get(this.node);
    if (values) drawMaps(this.canvas, values, unitsOf(data, this.node), UnitMaps.ACROSS, colours);
  }
}
