// The curves of this run and of those that were kept.
class Run {
  static MOST = 1500; // points of a curve; of more, every second one is dropped
  constructor(name, settings) {
    this.name = name;
    this.settings = { ...settings };
    this.points = [];
  }
  // A measure may come after a later one; a second one of the same step replaces the first.
  add({ step, train, test }) {
    let place = this.points.length;
    while (place && this.points[place - 1].step >= step) place--;
    const same = this.points[place]?.step === step ? 1 : 0;
    this.points.splice(place, same, {
      step, "train loss": train.loss, "test loss": test?.loss, "train error": train.error, "test error": test?.error,
    });
    if (this.points.length > Run.MOST) this.points = this.points.filter((_, at) => at % 2 === 0);
  }
  get last() { return this.points.at(-1); }
}

class Runs {
  static MOST = 4; // that are kept
  constructor(settings, { kept = [], number = 1 } = {}) {
    this.kept = kept;
    this.number = number;
    this.begin(settings);
  }
  // A new run; the one before is forgotten if it was not kept.
  begin(settings) { this.now = new Run(`run ${this.number}`, settings); }
  keep(settings) {
    if (this.now.points.length < 2) return false;
    const copy = Object.assign(new Run(this.now.name, settings), { points: [...this.now.points] });
    this.kept = [...this.kept.filter(run => run.name !== copy.name), copy].slice(-Runs.MOST);
    this.number++;
    this.now.name = `run ${this.number}`;
    return true;
  }
  drop(run) { this.kept = this.kept.filter(each => each !== run); }
}
