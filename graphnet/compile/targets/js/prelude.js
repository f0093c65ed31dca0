// An array of the state, which must be there.
function given(state, name, count) {
  const array = state[name];
  if (array?.length === count) return array;
  throw new RangeError(`state["${name}"] must be an array of ${count} numbers; got ${array?.length ?? array}`);
}

// The places that products are read from and added to: of each row in x and out, of each column in
// y and out, of each term in x and y. Each is given as loops: [count, step in one, step in other].
function productTable(rows, columns, terms) {
  return { rows: places(rows), columns: places(columns), terms: places(terms) };
}

function places(loops) {
  const count = loops.reduce((product, [size]) => product * size, 1);
  const first = new Int32Array(count), second = new Int32Array(count);
  let inner = count;
  for (const [size, step, other] of loops) {
    inner /= size;
    for (let i = 0; i < count; i++) {
      const turn = Math.floor(i / inner) % size;
      first[i] += turn * step;
      second[i] += turn * other;
    }
  }
  return { count, first, second };
}

// out[row, column] += the sum over all terms of x[row, term] y[column, term]. Sixteen sums at a
// time, four rows by four columns, so that each number read is used four times.
function addProducts(table, x, x0, y, y0, out, out0) {
  const { rows, columns, terms } = table;
  const fullRows = rows.count - (rows.count % 4), fullColumns = columns.count - (columns.count % 4);
  for (let i = 0; i < fullRows; i += 4) {
    for (let j = 0; j < fullColumns; j += 4) {
      addTile(rows, i, columns, j, terms, x, x0, y, y0, out, out0);
    }
    for (let j = fullColumns; j < columns.count; j++) {
      addStrip(rows, i, columns.first[j], columns.second[j], terms.count, terms.first, terms.second, x, x0, y, y0, out, out0);
    }
  }
  for (let i = fullRows; i < rows.count; i++) {
    for (let j = 0; j < fullColumns; j += 4) {
      addStrip(columns, j, rows.first[i], rows.second[i], terms.count, terms.second, terms.first, y, y0, x, x0, out, out0);
    }
    for (let j = fullColumns; j < columns.count; j++) {
      let sum = 0;
      const xi = x0 + rows.first[i], yj = y0 + columns.first[j];
      for (let k = 0; k < terms.count; k++) sum += x[xi + terms.first[k]] * y[yj + terms.second[k]];
      out[out0 + rows.second[i] + columns.second[j]] += sum;
    }
  }
}

function addTile(rows, i, columns, j, terms, x, x0, y, y0, out, out0) {
  const { count, first, second } = terms;
  const x1 = x0 + rows.first[i], x2 = x0 + rows.first[i + 1];
  const x3 = x0 + rows.first[i + 2], x4 = x0 + rows.first[i + 3];
  const y1 = y0 + columns.first[j], y2 = y0 + columns.first[j + 1];
  const y3 = y0 + columns.first[j + 2], y4 = y0 + columns.first[j + 3];
  let s11 = 0, s12 = 0, s13 = 0, s14 = 0, s21 = 0, s22 = 0, s23 = 0, s24 = 0;
  let s31 = 0, s32 = 0, s33 = 0, s34 = 0, s41 = 0, s42 = 0, s43 = 0, s44 = 0;
  for (let k = 0; k < count; k++) {
    const p = first[k], q = second[k];
    const a = y[y1 + q], b = y[y2 + q], c = y[y3 + q], d = y[y4 + q];
    const e = x[x1 + p];
    s11 += e * a; s12 += e * b; s13 += e * c; s14 += e * d;
    const f = x[x2 + p];
    s21 += f * a; s22 += f * b; s23 += f * c; s24 += f * d;
    const g = x[x3 + p];
    s31 += g * a; s32 += g * b; s33 += g * c; s34 += g * d;
    const h = x[x4 + p];
    s41 += h * a; s42 += h * b; s43 += h * c; s44 += h * d;
  }
  const c1 = out0 + columns.second[j], c2 = out0 + columns.second[j + 1];
  const c3 = out0 + columns.second[j + 2], c4 = out0 + columns.second[j + 3];
  const r1 = rows.second[i], r2 = rows.second[i + 1], r3 = rows.second[i + 2], r4 = rows.second[i + 3];
  out[c1 + r1] += s11; out[c2 + r1] += s12; out[c3 + r1] += s13; out[c4 + r1] += s14;
  out[c1 + r2] += s21; out[c2 + r2] += s22; out[c3 + r2] += s23; out[c4 + r2] += s24;
  out[c1 + r3] += s31; out[c2 + r3] += s32; out[c3 + r3] += s33; out[c4 + r3] += s34;
  out[c1 + r4] += s41; out[c2 + r4] += s42; out[c3 + r4] += s43; out[c4 + r4] += s44;
}

// The same for four rows and one column.
function addStrip(rows, i, column, outColumn, count, first, second, x, x0, y, y0, out, out0) {
  const x1 = x0 + rows.first[i], x2 = x0 + rows.first[i + 1];
  const x3 = x0 + rows.first[i + 2], x4 = x0 + rows.first[i + 3], y1 = y0 + column;
  let s1 = 0, s2 = 0, s3 = 0, s4 = 0;
  for (let k = 0; k < count; k++) {
    const p = first[k], a = y[y1 + second[k]];
    s1 += x[x1 + p] * a; s2 += x[x2 + p] * a; s3 += x[x3 + p] * a; s4 += x[x4 + p] * a;
  }
  const c = out0 + outColumn;
  out[c + rows.second[i]] += s1; out[c + rows.second[i + 1]] += s2;
  out[c + rows.second[i + 2]] += s3; out[c + rows.second[i + 3]] += s4;
}

// The error function: a series of positive terms, and a continued fraction for large numbers.
// Source: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 7.1.6 and 7.1.14.
function erf(x) {
  const a = Math.abs(x), s = x * x;
  if (a >= 6) return Math.sign(x);
  const scale = 1.1283791670955126 * Math.exp(-s); // 2 / sqrt(pi)
  if (a < 3) {
    let term = x, sum = x;
    for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
      term *= (2 * s) / n;
      sum += term;
    }
    return scale * sum;
  }
  let fraction = a;
  for (let n = 60; n >= 1; n--) fraction = a + n / 2 / fraction;
  return Math.sign(x) * (1 - scale / 2 / fraction);
}

// x to the power y; 1 to any power is 1, as in C and in torch.
function power(x, y) {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

function sign(x) {
  return (x > 0) - (x < 0);
}

function copySign(size, signed) {
  const isNegative = signed < 0 || Object.is(signed, -0);
  return isNegative ? -Math.abs(size) : Math.abs(size);
}

// The next integer; the even one of two that are equally near.
function roundHalfToEven(x) {
  const below = Math.floor(x), rest = x - below;
  if (rest === 0.5) return below % 2 === 0 ? below : below + 1;
  return copySign(rest < 0.5 ? below : below + 1, x);
}
