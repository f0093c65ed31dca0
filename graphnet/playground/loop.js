// Training beside the display: in each frame some milliseconds of steps, and then a picture of them.
class Loop {
  static TRAIN = 11; // milliseconds of training in a frame
  static MEASURE = 3; // and of measuring
  static SLOW = 120; // between two updates of what is read rather than watched
  static SPEEDS = [
    { label: "1 node / s", nodes: 1 }, { label: "5 nodes / s", nodes: 5 },
    { label: "1 step / s", steps: 1 }, { label: "10 steps / s", steps: 10 },
    { label: "100 steps / s", steps: 100 }, { label: "full speed", steps: Infinity },
  ];
  constructor(app, speed = Loop.SPEEDS.length - 1) {
    this.app = app;
    this.playing = false;
    this.speed = speed;
    this.rate = 0; // steps in a second
    this.owed = 0; // steps or nodes that are due
    this.wanted = false;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
  }
  play() {
    if (this.playing) return;
    this.playing = true;
    this.owed = 1;
    this.before = this.slowAt = this.rateAt = performance.now();
    this.rateFrom = this.app.learner.steps;
    this.next();
  }
  pause() { this.playing = false; this.rate = 0; }
  // Ask for a frame; while nothing moves there are none.
  next() {
    if (this.wanted) return;
    this.wanted = true;
    this.request = requestAnimationFrame(now => { this.wanted = false; this.frame(now); });
  }
  // No frame any more.
  close() {
    this.pause();
    cancelAnimationFrame(this.request);
    this.wanted = true;
  }
  frame(now) {
    const { app } = this;
    if (this.playing) this.train(now);
    app.guard(() => app.evaluator.work(Loop.MEASURE), "Measuring");
    const isSlow = !this.playing || now - this.slowAt >= Loop.SLOW;
    if (isSlow || !this.still.matches) app.say("frame");
    if (isSlow) this.slow(now);
    if (this.playing || app.evaluator.running) this.next();
  }
  slow(now) {
    const passed = now - this.rateAt;
    if (this.playing && passed > 600) {
      this.rate = (this.app.learner.steps - this.rateFrom) * 1000 / passed;
      this.rateAt = now;
      this.rateFrom = this.app.learner.steps;
    }
    this.slowAt = now;
    if (this.playing) this.app.measure();
    this.app.say("slow");
  }
  train(now) {
    const { nodes, steps } = Loop.SPEEDS[this.speed];
    const end = performance.now() + Loop.TRAIN;
    if (steps === Infinity) {
      do this.app.takeStep(end); while (this.playing && performance.now() < end);
    } else {
      this.owed += Math.min(now - this.before, 1000) * (nodes || steps) / 1000;
      while (this.owed >= 1 && this.playing && performance.now() < end) {
        this.owed--;
        if (nodes) this.app.takeNode(); else this.app.takeStep();
      }
      this.owed = Math.min(this.owed, 1);
    }
    this.before = now;
  }
}
