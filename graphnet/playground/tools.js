// What all parts of the page share: numbers, their colours, elements; and the list of the parts.

// Each part of the page is a function that is given the app and returns what it does when something
// happens: { frame, slow, measured, walked, rewound, changed, rowsChanged, selected, themed, resized,
// closed }, each of them optional. A part that has nothing to show returns null.
const parts = [];

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };

// The numbers of a tensor that Python has written.
function decoded({ kind, bytes }) {
  const raw = Uint8Array.from(atob(bytes), sign => sign.charCodeAt(0));
  if (kind === "byte fraction") return Float32Array.from(raw, byte => byte / 255);
  return new ARRAYS[kind](raw.buffer);
}

// A number with three digits, as short as it can be.
function short(number) {
  const size = Math.abs(number);
  if (!Number.isFinite(number) || size === 0) return String(number);
  if (size < 1e-3 || size >= 1e6) return number.toExponential(1).replace("e+", "e");
  return String(Number(number.toPrecision(3)));
}

const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

function norm(numbers) {
  let sum = 0;
  for (let at = 0; at < numbers.length; at++) sum += numbers[at] * numbers[at];
  return Math.sqrt(sum);
}

function rangeOf(numbers) {
  let low = Infinity, high = -Infinity;
  for (let at = 0; at < numbers.length; at++) {
    if (numbers[at] < low) low = numbers[at];
    if (numbers[at] > high) high = numbers[at];
  }
  return [low, high];
}

function largestOf(numbers, start, end) {
  let largest = 0;
  for (let at = start; at < end; at++) {
    const size = Math.abs(numbers[at]);
    if (size > largest && size < Infinity) largest = size;
  }
  return largest;
}

// The name of a node as a key: what is shown of it may have other signs for those that cannot be seen.
const keyOf = ({ name, key = name }) => key;

const clamp = (number, low, high) => Math.max(low, Math.min(high, number));

// An element with attributes and what is in it; texts are put in as texts.
function made(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if ([undefined, null, false].includes(value)) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...inside);
  return element;
}

// The colours of the theme that the page has now, as lists of red, green and blue, or as texts.
class Colours {
  // Of classes beyond two: far apart for all eyes, on light and on dark ground (Okabe and Ito, 2008).
  static MANY = [
    [0, 114, 178], [230, 159, 0], [0, 158, 115], [204, 121, 167], [86, 180, 233], [213, 94, 0],
    [148, 137, 20], [120, 94, 240], [110, 110, 110], [150, 75, 40],
  ];
  constructor(root) { this.root = root; this.read(); }
  read() {
    const style = getComputedStyle(this.root);
    const value = name => style.getPropertyValue(name).trim();
    const triple = name => value(name).split(",").map(Number);
    for (const name of ["ground", "ink", "faint", "line", "accent", "ring"]) this[name] = value(`--${name}`);
    this.letter = 0.76 * parseFloat(style.fontSize); // pixels, of the letters in charts
    this.less = triple("--less");
    this.more = triple("--more");
  }
  // The colour of a class: the first of two is that of small values, the second that of large ones.
  of(which, count) {
    return count <= 2 ? [this.less, this.more][which] : Colours.MANY[which % Colours.MANY.length];
  }
  css([red, green, blue], alpha = 1) { return `rgba(${red}, ${green}, ${blue}, ${alpha})`; }
  // One pixel: blue below zero, orange above it, and the ground of the page at zero.
  tint(pixels, at, level) {
    const [red, green, blue] = level < 0 ? this.less : this.more;
    pixels[at] = red;
    pixels[at + 1] = green;
    pixels[at + 2] = blue;
    pixels[at + 3] = 235 * Math.min(1, Math.abs(level) || 0);
  }
}

// A canvas as large as its place on the screen, and its context in pixels of the page.
function sharp(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
