// What the network makes of all rows, and of the plane: measured on a copy of the weights, a few
// milliseconds at a time, while training goes on.
class Evaluator {
  static MOST = 1000; // rows of each kind that are measured
  static GRID = 48; // points of the plane along each side
  static QUICK = 8; // milliseconds of a measure that is made at once, between two steps
  static LONG = 5; // milliseconds of one entry: if it takes more, there are fewer rows next time
  constructor(learner, data) {
    this.learner = learner;
    this.data = data;
    this.state = learner.copyOfState();
    this.programs = new Map(); // on the copy
    this.quick = new Map(); // on the weights that are trained
    this.chunk = 250; // rows of one program
    this.band = Evaluator.GRID; // rows of the grid in one program
    this.test = data.test;
    this.running = null;
    this.spent = this.longest = 0; // milliseconds, in this round
    this.cost = Infinity; // milliseconds of the quickest measure
    this.maps = new Map(); // for each node with maps, its values at the points of the grid
    this.needed = this.ancestorsOf(data.output);
    if (data.plane) this.frame();
  }
  ancestorsOf(node) {
    const found = new Set(node === null ? [] : [node]);
    for (const each of [...this.data.nodes.keys()].reverse()) {
      if (found.has(each)) for (const input of this.data.nodes[each].inputs) found.add(input);
    }
    return found;
  }
  // The part of the plane that is shown: all points with some air around them, as a square.
  frame() {
    const name = keyOf(this.data.nodes[this.data.inputs[0]]);
    const both = [this.learner.clean.data[name], ...(this.test ? [this.test.data[name]] : [])];
    const sides = [0, 1].map(axis => rangeOf(both.flatMap(all => [...all].filter((_, at) => at % 2 === axis))));
    const half = Math.max(...sides.map(([low, high]) => high - low)) * 0.54 || 1;
    [this.left, this.bottom] = sides.map(([low, high]) => (low + high) / 2 - half);
    this.side = 2 * half;
  }
  programOf(batch, programs = this.programs) {
    const state = programs === this.quick ? this.learner.state : this.state;
    if (!programs.has(batch)) programs.set(batch, this.data.create(batch, state));
    return programs.get(batch);
  }

  // Begin anew with the present weights, unless the last round is still running; `done` is given
  // the measures when it has ended.
  start(done, anyway = false) {
    if (this.running && !anyway) return;
    for (const [name, each] of Object.entries(this.learner.state)) this.state[name].set(each);
    this.running = this.round(this.learner.steps, done);
  }
  // Losses and errors at once, without maps; null if that takes too long.
  now() {
    if (!(this.cost < Evaluator.QUICK)) return null;
    const round = this.measures(this.learner.steps, this.quick);
    let result = round.next();
    while (!result.done) result = round.next();
    return result.value;
  }
  // Go on for some milliseconds.
  work(milliseconds) {
    const end = performance.now() + milliseconds;
    while (this.running && performance.now() < end) if (this.running.next().done) this.running = null;
  }
  finish() { this.work(Infinity); }

  *measures(step, programs = this.programs) {
    const before = this.spent;
    const train = yield* this.measured(this.learner.rows, programs);
    const test = this.test && (yield* this.measured(this.test, programs));
    this.cost = Math.min(this.cost, this.spent - before); // other programs may have been in the way
    return { step, train, test };
  }
  *round(step, done) {
    this.longest = this.spent = 0;
    const found = yield* this.measures(step);
    if (this.data.plane) yield* this.mapped();
    if (this.longest > Evaluator.LONG) this.shorten();
    done(found);
  }
  shorten() {
    this.chunk = Math.max(10, Math.ceil(this.chunk / 2));
    this.band = Math.max(3, this.band / 2);
    this.programs.clear();
  }
  // Run the entries of a program, one at a time.
  *predicted(program, needed = null) {
    for (const entry of program.predict) {
      if (needed && !needed.has(entry.node)) continue;
      const start = performance.now();
      entry.run();
      const passed = performance.now() - start;
      this.spent += passed;
      this.longest = Math.max(this.longest, passed);
      yield;
    }
  }
  // The loss of rows and, if they are in classes, the fraction of errors; the mean of all batches.
  *measured(rows, programs) {
    const chunk = this.data.open ? Math.min(this.chunk, rows.count) : this.data.settings.batch;
    const count = Math.max(chunk, Math.min(Evaluator.MOST, rows.count));
    let loss = 0, wrong = 0, seen = 0;
    for (let start = 0; start < count; start += chunk) {
      const size = Math.min(chunk, count - start);
      if (size < chunk && !this.data.open) break;
      const program = this.programOf(size, programs);
      rows.take(this.places(rows, start, size), program.inputs);
      yield* this.predicted(program);
      loss += size * program.values[this.data.loss][0];
      if (this.data.classes) wrong += this.errorsIn(program, rows, start, size);
      seen += size;
    }
    return { loss: loss / seen, error: this.data.classes ? wrong / seen : null };
  }
  // Rows from a place on; a program of a fixed size may need the first ones again.
  places(rows, start, size) { return Array.from({ length: size }, (_, at) => (start + at) % rows.count); }
  errorsIn(program, rows, start, size) {
    const output = program.values[this.data.output];
    const name = keyOf(this.data.nodes[this.data.targets[0]]);
    let wrong = 0;
    for (let at = 0; at < size; at++) {
      if (this.classOf(output, at) !== this.labelOf(rows.row(name, (start + at) % rows.count))) wrong++;
    }
    return wrong;
  }
  // The class that a row of outputs says.
  classOf(output, row) {
    const { threshold, targets } = this.data.classes;
    if (threshold !== null) return output[row] >= threshold ? 1 : 0;
    const width = targets.length;
    let best = 0;
    for (let at = 1; at < width; at++) if (output[row * width + at] > output[row * width + best]) best = at;
    return best;
  }
  // The class that a row of targets says.
  labelOf(row) {
    const { threshold, targets } = this.data.classes;
    if (threshold !== null) return Math.abs(row[0] - targets[1][0]) < Math.abs(row[0] - targets[0][0]) ? 1 : 0;
    if (row.length === 1) return row[0];
    let best = 0;
    for (let at = 1; at < row.length; at++) if (row[at] > row[best]) best = at;
    return best;
  }
  // The outputs of the first rows, with the weights of the last round.
  firstRows(rows, count) {
    const size = this.data.open ? count : this.data.settings.batch;
    const program = this.programOf(size);
    rows.take(this.places(rows, 0, size), program.inputs);
    for (const entry of program.predict) if (this.needed.has(entry.node)) entry.run();
    return program.values[this.data.output];
  }
  // The values of all nodes with maps at the points of a grid, the first row of it at the top.
  *mapped() {
    const nodes = [...new Set([...this.data.maps, this.data.output])], size = Evaluator.GRID * this.band;
    const program = this.programOf(size);
    for (let top = 0; top < Evaluator.GRID; top += this.band) {
      this.fillGrid(program, top);
      yield* this.predicted(program, this.needed);
      for (const node of nodes) {
        const values = program.values[node], width = values.length / size;
        if (!this.maps.has(node)) this.maps.set(node, new Float32Array(width * Evaluator.GRID ** 2));
        this.maps.get(node).set(values, top * Evaluator.GRID * width);
      }
    }
  }
  fillGrid(program, top) {
    const points = program.inputs[keyOf(this.data.nodes[this.data.inputs[0]])], step = this.side / Evaluator.GRID;
    for (let row = top, at = 0; row < top + this.band; row++) {
      for (let column = 0; column < Evaluator.GRID; column++) {
        points[at++] = this.left + (column + 0.5) * step;
        points[at++] = this.bottom + (Evaluator.GRID - row - 0.5) * step;
      }
    }
  }
}
