class Random {
  constructor(seed, stream = 0) { this.state = (seed ^ (stream * 0x9e3779b9)) >>> 0; }
  next() { this.state = (this.state + 0x6d2b79f5) >>> 0; let t = this.state; t = Math.imul(t ^ (t >>> 15), t | 1); t ^= t + Math.imul(t ^ (t >>> 7), t | 61); return (t ^ (t >>> 14)) >>> 0; }
  uniform() { return this.next() / 4294967296; }
  normal() { return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform()); }
  shuffle(array) { for (let i = array.length - 1; i > 0; i--) { const j = Math.floor(this.uniform() * (i + 1)); [array[i], array[j]] = [array[j], array[i]]; } }
  mask(values, keep) { for (let i = 0; i < values.length; i++) values[i] = this.uniform() < keep ? 1 : 0; }
}
