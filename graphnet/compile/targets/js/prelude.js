// An array of the state, which must be there.
function given(state, name, count) {
  const array = state[name];
  if (array?.length === count) return array;
  const got = array?.length ?? array;
  throw new RangeError(`state["${name}"] must be an array of ${count} numbers; got ${got}`);
}

// Where the numbers of a product lie: of each row in x and in the result, of each column in y and
// in the result, of each term in x and in y. Each is given as loops: [count, a step in each].
function productTable(rows, columns, terms) {
  const [rowsX, rowsOut] = places(rows), [columnsY, columnsOut] = places(columns);
  const [termsX, termsY] = places(terms);
  return { rowsX, rowsOut, columnsY, columnsOut, termsX, termsY };
}

// The places that nested loops go through, in two arrays.
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
  return [first, second];
}

// out[row, column] += the sum over all terms of x[row, term] * y[column, term]; the three begin at
// x0, y0 and out0. Sixteen sums at a time, four rows by four columns: what is read serves four.
function addProducts(table, x, x0, y, y0, out, out0) {
  const { rowsX, rowsOut, columnsY, columnsOut, termsX, termsY } = table;
  const rows = rowsX.length, columns = columnsY.length;
  const wholeRows = rows - (rows % 4), wholeColumns = columns - (columns % 4);
  for (let i = 0; i < wholeRows; i += 4) {
    for (let j = 0; j < wholeColumns; j += 4) addTile(table, i, j, x, x0, y, y0, out, out0);
    for (let j = wholeColumns; j < columns; j++) {
      addStrip(rowsX, rowsOut, i, termsX, x, x0, termsY, y, y0 + columnsY[j],
        out, out0 + columnsOut[j]);
    }
  }
  for (let i = wholeRows; i < rows; i++) {
    for (let j = 0; j < wholeColumns; j += 4) {
      addStrip(columnsY, columnsOut, j, termsY, y, y0, termsX, x, x0 + rowsX[i],
        out, out0 + rowsOut[i]);
    }
    for (let j = wholeColumns; j < columns; j++) {
      const xi = x0 + rowsX[i], yj = y0 + columnsY[j];
      let sum = 0;
      for (let k = 0; k < termsX.length; k++) sum += x[xi + termsX[k]] * y[yj + termsY[k]];
      out[out0 + rowsOut[i] + columnsOut[j]] += sum;
    }
  }
}

// Four rows from i on by four columns from j on.
function addTile(table, i, j, x, x0, y, y0, out, out0) {
  const { rowsX, rowsOut, columnsY, columnsOut, termsX, termsY } = table;
  const x1 = x0 + rowsX[i], x2 = x0 + rowsX[i + 1];
  const x3 = x0 + rowsX[i + 2], x4 = x0 + rowsX[i + 3];
  const y1 = y0 + columnsY[j], y2 = y0 + columnsY[j + 1];
  const y3 = y0 + columnsY[j + 2], y4 = y0 + columnsY[j + 3];
  let s11 = 0, s12 = 0, s13 = 0, s14 = 0, s21 = 0, s22 = 0, s23 = 0, s24 = 0;
  let s31 = 0, s32 = 0, s33 = 0, s34 = 0, s41 = 0, s42 = 0, s43 = 0, s44 = 0;
  for (let k = 0; k < termsX.length; k++) {
    const p = termsX[k], q = termsY[k];
    const a = y[y1 + q], b = y[y2 + q], c = y[y3 + q], d = y[y4 + q];
    const e = x[x1 + p], f = x[x2 + p], g = x[x3 + p], h = x[x4 + p];
    s11 += e * a; s12 += e * b; s13 += e * c; s14 += e * d;
    s21 += f * a; s22 += f * b; s23 += f * c; s24 += f * d;
    s31 += g * a; s32 += g * b; s33 += g * c; s34 += g * d;
    s41 += h * a; s42 += h * b; s43 += h * c; s44 += h * d;
  }
  const r1 = out0 + rowsOut[i], r2 = out0 + rowsOut[i + 1];
  const r3 = out0 + rowsOut[i + 2], r4 = out0 + rowsOut[i + 3];
  const c1 = columnsOut[j], c2 = columnsOut[j + 1], c3 = columnsOut[j + 2], c4 = columnsOut[j + 3];
  out[r1 + c1] += s11; out[r1 + c2] += s12; out[r1 + c3] += s13; out[r1 + c4] += s14;
  out[r2 + c1] += s21; out[r2 + c2] += s22; out[r2 + c3] += s23; out[r2 + c4] += s24;
  out[r3 + c1] += s31; out[r3 + c2] += s32; out[r3 + c3] += s33; out[r3 + c4] += s34;
  out[r4 + c1] += s41; out[r4 + c2] += s42; out[r4 + c3] += s43; out[r4 + c4] += s44;
}

// Four sums: those of x, at the places from i on, with the one of y that begins at y1.
function addStrip(placesX, placesOut, i, termsX, x, x0, termsY, y, y1, out, out1) {
  const x1 = x0 + placesX[i], x2 = x0 + placesX[i + 1];
  const x3 = x0 + placesX[i + 2], x4 = x0 + placesX[i + 3];
  let s1 = 0, s2 = 0, s3 = 0, s4 = 0;
  for (let k = 0; k < termsX.length; k++) {
    const p = termsX[k], a = y[y1 + termsY[k]];
    s1 += x[x1 + p] * a; s2 += x[x2 + p] * a; s3 += x[x3 + p] * a; s4 += x[x4 + p] * a;
  }
  out[out1 + placesOut[i]] += s1; out[out1 + placesOut[i + 1]] += s2;
  out[out1 + placesOut[i + 2]] += s3; out[out1 + placesOut[i + 3]] += s4;
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
