// Rows of data: for each input of the list its numbers, one row after the other.
class Rows {
  // From what Python has written.
  constructor(described) {
    this.names = Object.keys(described);
    this.data = {};
    this.widths = {};
    for (const [name, each] of Object.entries(described)) {
      this.data[name] = decoded(each);
      this.widths[name] = each.row;
    }
    this.count = this.data[this.names[0]].length / (this.widths[this.names[0]] || 1);
  }
  // The same rows, with other numbers of some inputs.
  with(data, widths = {}) {
    const changed = { data: { ...this.data, ...data }, widths: { ...this.widths, ...widths } };
    return Object.assign(Object.create(Rows.prototype), this, changed);
  }
  // The same rows, with noise on some inputs.
  shifted(names, noise, random) {
    const noisy = name => this.data[name].map(number => number + noise * random.normal());
    return this.with(Object.fromEntries(names.map(name => [name, noisy(name)])));
  }
  row(name, place) {
    const width = this.widths[name];
    return this.data[name].subarray(place * width, (place + 1) * width);
  }
  // Copy rows, by their places, into the inputs of a program.
  take(places, inputs) {
    for (const name of this.names) {
      if (!(name in inputs)) continue;
      const width = this.widths[name], from = this.data[name], to = inputs[name];
      if (width < 8) {
        for (let at = 0, end = 0; at < places.length; at++) {
          for (let start = places[at] * width, stop = start + width; start < stop; start++) to[end++] = from[start];
        }
      } else {
        for (let at = 0; at < places.length; at++) to.set(this.row(name, places[at]), at * width);
      }
    }
  }
  // A row as lists of numbers.
  listed(place) { return Object.fromEntries(this.names.map(name => [name, [...this.row(name, place)]])); }
  // One more row, from a list of numbers for each input.
  add(row) {
    for (const name of this.names) {
      const before = this.data[name];
      const grown = this.data[name] = new before.constructor(before.length + this.widths[name]);
      grown.set(before);
      grown.set(row[name], before.length);
    }
    this.count++;
  }
  removeLast() {
    for (const name of this.names) this.data[name] = this.data[name].slice(0, -this.widths[name] || undefined);
    this.count--;
  }
}
