// The network: its state, the batches that it is given, and its steps, node by node if wanted.
//
// Three generators of random numbers follow from the seed: for the order of the rows, for the masks
// of dropout, and for the noise of the inputs. So a run depends on the settings alone, and Python
// repeats it with the same generators.
const SEEDS = { order: 0, masks: 0x1000000, noise: 0x2000000 }; // what is added to the seed

class Learner {
  static LONG = 6; // milliseconds of a step that is interrupted for the display
  // `settings` and `rows` are those of a network before this one, if there was one.
  constructor(data, { settings, rows = data.train } = {}) {
    this.data = data;
    this.settings = { ...data.settings, ...data.numbers, ...settings };
    this.state = data.draw?.(this.settings.seed)
      ?? Object.fromEntries(Object.entries(data.state).map(([name, each]) => [name, decoded(each)]));
    this.programs = new Map();
    this.programOf(data.settings.batch); // adds the state of the optimizer
    this.first = this.copyOfState();
    this.clean = rows.with({}); // the rows without noise
    this.given = data.train.count; // rows that Python has written; later ones are added by hand
    this.floating = data.inputs.map(node => data.nodes[node])
      .filter(node => node.dtype.startsWith("float")).map(keyOf);
    this.rewind();
  }
  copyOfState() {
    return Object.fromEntries(Object.entries(this.state).map(([name, each]) => [name, each.slice()]));
  }
  // Back to the first weights, and to the start of all generators.
  rewind() {
    for (const [name, each] of Object.entries(this.first)) this.state[name].set(each);
    const { seed } = this.settings;
    this.order = new Random(seed + SEEDS.order);
    this.masks = new Random(seed + SEEDS.masks);
    this.disturb();
    this.places = null; // the rows of this epoch, in their order
    this.cursor = 0;
    this.epoch = 0;
    this.steps = 0;
    this.at = null; // how far the present step has come; null between two steps
    this.isLong = false;
    this.spent = 0; // milliseconds, on the present step
    this.start = null; // the settings and the added rows of the first step
    this.changes = []; // since then: [steps before it, what, value]
    this.loss = NaN;
    this.program = this.programOf(Math.min(this.settings.batch, this.rows.count));
    this.forget();
  }
  // No values and no gradients; the first rows lie in the inputs, so that there is something to see.
  forget() {
    this.blank();
    this.rows.take([...Array(this.program.batch).keys()], this.program.inputs);
  }
  blank() {
    this.program.clear(); // all gradients but that of the loss, which is 1
    this.program.gradients[this.data.loss]?.fill(0);
    this.data.nodes.forEach(({ kind }, node) => {
      if (kind === "operation") this.program.values[node]?.fill(0);
    });
  }
  programOf(batch) {
    if (!this.programs.has(batch)) {
      if (this.programs.size > 6) this.programs.delete(this.programs.keys().next().value);
      this.programs.set(batch, this.data.create(batch, this.state));
    }
    return this.programs.get(batch);
  }
  set(name, value) {
    this.settings[name] = value;
    if (name === "noise") this.disturb();
    if (name !== "seed") { this.note(name, value); return; }
    Object.assign(this.first, this.data.draw?.(value));
    this.rewind();
  }
  // What changes holds from the next step on.
  note(what, value) {
    if (this.start) this.changes.push([this.steps + (this.at === null ? 0 : 1), what, value]);
  }
  // The rows that were added by hand.
  get added() {
    return Array.from({ length: this.clean.count - this.given }, (_, at) => this.clean.listed(this.given + at));
  }
  // Noise on the inputs: its own generator begins anew, so that it depends on the seed alone.
  disturb() {
    const { noise, seed } = this.settings;
    this.rows = noise ? this.clean.shifted(this.floating, noise, new Random(seed + SEEDS.noise)) : this.clean;
  }
  add(row) {
    this.clean.add(row);
    this.disturb();
    this.note("add", row);
  }
  // Take back the last row that was added by hand.
  removeLast() {
    if (this.clean.count === this.given) return false;
    this.clean.removeLast();
    this.disturb();
    this.places = null;
    this.note("remove", null);
    return true;
  }

  // The places of the next batch; the last one of an epoch takes the rest, or is left out if the
  // list takes no other size.
  nextPlaces() {
    const { open } = this.data, batch = Math.min(this.settings.batch, this.rows.count);
    const left = this.places ? this.places.length - this.cursor : 0;
    if (left <= 0 || !open && left < batch) {
      if (this.places) this.epoch++;
      this.places = this.order.permutation(this.rows.count);
      this.cursor = 0;
    }
    const end = Math.min(this.cursor + batch, this.places.length);
    const found = this.places.subarray(this.cursor, end);
    this.cursor = end;
    return found;
  }
  begin(blank = false) {
    this.start ??= { ...this.settings, added: this.added };
    const places = this.nextPlaces();
    this.program = this.programOf(places.length);
    if (blank) this.blank();
    this.rows.take(places, this.program.inputs);
    this.masks.draw(this.program.masks);
    for (const name of Object.keys(this.data.numbers)) this.program.numbers[name] = this.settings[name];
    this.at = 0;
  }
  end() {
    this.loss = this.program.values[this.data.loss][0];
    this.at = null;
    this.steps++;
  }
  // What is next, or has been at a place: { phase, node, run }.
  event(at) {
    const { train, backward, update } = this.program;
    if (at < train.length) return { phase: "forward", ...train[at] };
    const later = at - train.length;
    if (later < backward.length) return { phase: "backward", ...backward[later] };
    return { phase: "update", ...update[later - backward.length] };
  }
  // What is next; a step begins if none has, with nothing but its batch.
  next() {
    if (this.at === null) this.begin(true);
    return this.event(this.at);
  }
  // One node of a step: forward, backward, and then the updates.
  advance() {
    this.next();
    const { train, backward, update } = this.program;
    if (this.at === train.length) this.program.clear();
    const event = this.event(this.at++);
    event.run();
    event.last = this.at === train.length + backward.length + update.length;
    if (event.last) this.end();
    return event;
  }
  // One step, or what is left of it. A step that takes long goes on only until a time, and is
  // taken up again by the next call. Returns whether it has ended.
  step(until = Infinity) {
    const start = performance.now();
    const isWhole = this.at === null && !(this.isLong && until < Infinity);
    if (this.at === null) this.begin();
    const ended = isWhole ? this.whole() : this.goOn(until);
    this.spent += performance.now() - start;
    if (ended) {
      this.isLong = this.spent > Learner.LONG;
      this.spent = 0;
    }
    return ended;
  }
  goOn(until) {
    while (!this.advance().last) if (performance.now() >= until) return false;
    return true;
  }
  whole() {
    const { train, backward, update } = this.program;
    for (let at = 0; at < train.length; at++) train[at].run();
    this.program.clear();
    for (let at = 0; at < backward.length; at++) backward[at].run();
    for (let at = 0; at < update.length; at++) update[at].run();
    this.end();
    return true;
  }
}
