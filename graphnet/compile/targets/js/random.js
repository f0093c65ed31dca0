// Random numbers that Python repeats to the bit: integers of 32 bits, and nothing else that rounds
// but sums, products, quotients and roots, which all machines round alike. `random.py` is the same.
// Source: Blackman and Vigna, Scrambled linear pseudorandom number generators (2021): xoshiro128**.
class Random {
  constructor(seed) {
    this.state = new Int32Array(4);
    for (let i = 0; i < 4; i++) this.state[i] = mixed(Math.imul(i + 1, 0x9e3779b9) + seed);
    this.spare = null;
  }

  // The next 32 bits, from 0 to 2^32 - 1.
  integer() {
    const s = this.state;
    const result = Math.imul(rotated(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotated(s[3], 11);
    return result;
  }

  // From 0 to below 1, in steps of 2^-24: each is a number of float32.
  uniform() {
    return (this.integer() >>> 8) / 16777216;
  }

  // An integer from 0 to below a count, all equally likely: the last integers are drawn again.
  below(count) {
    const limit = 4294967296 - (4294967296 % count);
    let drawn = this.integer();
    while (drawn >= limit) drawn = this.integer();
    return drawn % count;
  }

  // Of mean 0 and variance 1. Source: Marsaglia and Bray, A convenient method for generating
  // normal variables (1964): the polar method, which makes two at a time.
  normal() {
    if (this.spare !== null) {
      const kept = this.spare;
      this.spare = null;
      return kept;
    }
    let x, y, s;
    do {
      x = 2 * this.uniform() - 1;
      y = 2 * this.uniform() - 1;
      s = x * x + y * y;
    } while (s >= 1 || s === 0);
    const factor = Math.sqrt((-2 * logarithm(s)) / s);
    this.spare = y * factor;
    return x * factor;
  }

  // 0, 1, ..., count - 1 in random order. Source: Fisher and Yates, Statistical tables (1938).
  permutation(count) {
    const order = Int32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
    return order;
  }

  // Fill the arrays of `masks` of a program, in order, for one walk in training.
  draw(masks) {
    for (const { values, draws, keep } of masks) {
      const kept = 1 / (values instanceof Float32Array ? Math.fround(keep) : keep);
      for (let i = 0; i < values.length; i++) {
        if (draws === "mask") values[i] = this.uniform() < keep ? kept : 0;
        else values[i] = draws === "uniform" ? this.uniform() : this.normal();
      }
    }
  }
}

function rotated(x, count) {
  return (x << count) | (x >>> (32 - count));
}

// A seed as 32 bits that depend on all of its bits. Source: Appleby, MurmurHash3 (2011): fmix32.
function mixed(seed) {
  let x = seed | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

// log(x) for 0 < x <= 1: x is m / 2^k with m near 1, and log(m) = 2 artanh((m - 1) / (m + 1)).
// Math.log may differ from one machine to another in its last bit.
function logarithm(x) {
  let m = x, k = 0;
  for (; m < 0.7071067811865476; k++) m *= 2;
  const z = (m - 1) / (m + 1), square = z * z;
  let sum = 0;
  for (let n = 23; n >= 1; n -= 2) sum = sum * square + 1 / n;
  return 2 * z * sum - k * 0.6931471805599453;
}
