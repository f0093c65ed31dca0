// The page: what was clicked, typed or computed is told to all parts.
class App {
  static EARLY = 3000; // steps
  // `begin` makes the app of another network, which goes on from what this one hands on.
  constructor(root, data, begin, before = {}) {
    this.root = root;
    this.data = data;
    this.begin = begin;
    this.ending = new AbortController(); // for what listens outside of the page
    this.colours = new Colours(root);
    this.learner = new Learner(data, before);
    this.evaluator = new Evaluator(this.learner, data);
    this.runs = new Runs(this.learner.settings, before.runs);
    this.loop = new Loop(this, before.speed);
    this.mark = 1; // the next step to measure at once
    this.event = null; // what has just happened to one node, in the walk
    this.chosen = null; // the node on the card
    this.status = root.querySelector(".status");
    this.actions = { // what buttons and keys do; parts add their own
      toggle: () => this.toggle(), step: () => this.step(), node: () => this.node(),
      rewind: () => this.rewind(), keep: () => this.keep(), theme: () => turnTheme(root),
      faster: () => this.setSpeed(this.loop.speed + 1), slower: () => this.setSpeed(this.loop.speed - 1),
      close: () => this.choose(null),
    };
    this.parts = parts.map(make => make(this)).filter(Boolean);
    this.watchTheme();
    this.measure();
    this.say("rewound");
    this.say("changed");
    if (data.left_out) this.tell(`The page holds the first rows; ${data.left_out.toLocaleString("en")} are left out.`);
    this.loop.next();
  }
  // Another network in the place of this one; settings, points and kept runs stay.
  become(structure) {
    const { settings, clean: rows } = this.learner;
    this.close();
    return this.begin(structure, { settings, rows, runs: this.runs, speed: this.loop.speed });
  }
  close() {
    this.loop.close();
    this.say("closed");
    this.ending.abort();
    for (const each of this.observers) each.disconnect();
  }
  find(selector) { return this.root.querySelector(selector); }
  // Tell all parts what has happened.
  say(what, ...about) { for (const part of this.parts) part[what]?.(...about); }
  // Say something to the reader, on the screen and to screen readers.
  tell(text) { this.status.textContent = text; }

  play() {
    this.tell("");
    this.loose();
    this.loop.play();
    this.say("changed");
  }
  pause() {
    this.loop.pause();
    if (!this.event && this.learner.at !== null) this.learner.step(); // a long one ends here
    this.measure(true);
    this.say("changed");
    this.loop.next();
  }
  toggle() { if (this.loop.playing) this.pause(); else this.play(); }
  // One step by hand, or what is left of it.
  step() {
    this.loop.pause();
    this.tell("");
    this.takeStep();
    this.after();
  }
  // One node by hand.
  node() {
    this.loop.pause();
    this.takeNode();
    this.after();
  }
  after() {
    if (this.learner.at === null) this.measure(true);
    this.say("changed");
    this.loop.next();
  }
  takeStep(until) {
    this.guard(() => {
      const ended = this.learner.step(until);
      this.loose();
      if (!ended) return;
      this.checkLoss();
      if (this.loop.playing && this.learner.steps >= this.mark) this.measureEarly();
    });
  }
  takeNode() {
    this.guard(() => {
      const { node, phase } = this.learner.next();
      const before = phase === "update" ? this.learner.program.values[node].slice() : null;
      this.event = this.learner.advance();
      const after = this.learner.program.values[node];
      this.moved = before && norm(before.map((number, at) => number - after[at]));
      this.chosen = node;
      this.say("walked", this.event);
      this.tell(`${phase[0].toUpperCase()}${phase.slice(1)} at ${this.data.nodes[node].name}.`);
      if (this.event.last) this.checkLoss();
    });
  }
  // The program may refuse a batch, such as an index that is out of range: it says why.
  guard(work, what = `Step ${(this.learner.steps + 1).toLocaleString("en")}`) {
    try { work(); } catch (error) {
      this.loop.pause();
      this.learner.at = this.evaluator.running = null;
      this.loose();
      this.say("changed");
      this.tell(`${what} stopped: ${error.message}`);
    }
  }
  // The first steps change most: they are measured often, if that is quick.
  measureEarly() {
    const { steps } = this.learner;
    this.mark = steps < App.EARLY ? Math.ceil(1.15 * steps) + 1 : Infinity;
    this.measureNow();
  }
  measureNow() {
    const found = this.evaluator.now();
    if (found) this.runs.now.add(found);
  }
  // Let go of the node of the walk.
  loose() {
    if (!this.event) return;
    this.event = this.chosen = null;
    this.say("walked", null);
  }
  checkLoss() {
    if (Number.isFinite(this.learner.loss)) return;
    this.loop.pause();
    this.say("changed");
    const { steps } = this.learner;
    this.tell(`The loss of step ${steps.toLocaleString("en")} is not finite. Rewind, and try a lower learning rate.`);
  }
  rewind() {
    this.loop.pause();
    this.loose();
    this.learner.rewind();
    this.restart();
    this.tell("Back to the first weights.");
  }
  restart() {
    this.mark = 1;
    this.runs.begin(this.learner.settings);
    this.say("rewound");
    this.measure(true);
    this.say("changed");
    this.loop.next();
  }
  set(name, value) {
    if (Object.is(this.learner.settings[name], value)) return;
    if (name === "seed") this.loose();
    this.learner.set(name, value);
    if (name === "seed") this.restart();
    if (name === "noise") this.disturbed();
    this.say("changed");
  }
  // The rows have changed.
  disturbed() {
    this.say("rowsChanged");
    this.measure(true);
    this.loop.next();
  }
  setSpeed(speed) {
    this.loop.speed = clamp(speed, 0, Loop.SPEEDS.length - 1);
    this.loop.owed = 0;
    this.say("changed");
  }
  // The settings, and the network where it can be changed: by these, runs are told apart.
  summary() {
    const { structure, generator } = this.data;
    return { ...this.learner.settings, ...(generator && { network: networkText(generator, structure ?? generator) }) };
  }
  keep() {
    const kept = this.runs.keep(this.summary());
    const next = "Change something, rewind and train again: both curves are shown.";
    this.tell(kept ? `Kept. ${next}` : "There is nothing to keep yet.");
    this.say("changed");
  }
  choose(node) {
    this.chosen = node;
    this.tell(node === null ? "" : `Node ${node}: ${this.data.nodes[node].name}.`);
    this.say("selected");
  }
  // Measure losses, errors and maps with the present weights, beside everything else.
  measure(anyway = false) {
    const run = this.runs.now;
    if (anyway) this.measureNow();
    this.evaluator.start(found => {
      if (run === this.runs.now) run.add(found);
      this.say("measured", found);
    }, anyway);
  }
  watchTheme() {
    const changed = () => { this.colours.read(); this.say("themed"); this.loop.next(); };
    const resized = () => { this.colours.read(); this.say("resized"); this.loop.next(); };
    const { signal } = this.ending;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed, { signal });
    this.observers = [new MutationObserver(changed), new ResizeObserver(resized)];
    this.observers[0].observe(this.root, { attributes: true, attributeFilter: ["data-theme"] });
    this.observers[1].observe(this.root);
  }
}
