// A pad: a picture that is drawn with the mouse, a finger or keys.
class Pad {
  static HOW = "A pad to draw on. Arrow keys move the pen, Enter lifts and lowers it, Backspace clears.";
  // `changed` is given the pixels, and whether a stroke has just ended.
  constructor(app, { channels, height, width, low, high }, changed) {
    Object.assign(this, { app, channels, height, width, low, high, changed });
    this.pixels = new Float32Array(channels * height * width).fill(low);
    this.canvas = made("canvas", { class: "pad", width, height, tabindex: 0, role: "img", "aria-label": Pad.HOW });
    this.pen = null; // where the last stroke is, in pixels
    this.place = [width / 2, height / 2]; // of the pen that keys move
    this.isDown = false;
    this.listen();
  }
  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      this.stroke(this.pen = this.at(event));
    });
    canvas.addEventListener("pointermove", event => { if (this.pen) this.stroke(this.at(event)); });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => this.lift());
    canvas.addEventListener("keydown", event => this.keyed(event));
  }
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * this.width, (event.clientY - box.top) / box.height * this.height];
  }
  lift() {
    if (!this.pen) return;
    this.pen = null;
    this.changed(this.pixels, true);
  }
  keyed(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (by) {
      this.place = this.place.map((each, axis) => clamp(each + by[axis], 0.5, [this.width, this.height][axis] - 0.5));
      const [x, y] = this.place.map(Math.floor);
      if (this.isDown) this.dot(this.place);
      this.app.tell(`Pen ${this.isDown ? "down" : "up"} at column ${x}, row ${y}.`);
    } else if (event.key === "Enter") {
      this.isDown = !this.isDown;
      if (this.isDown) this.dot(this.place);
      this.app.tell(this.isDown ? "The pen is down: arrow keys draw." : "The pen is up.");
    } else if (event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.changed(this.pixels);
  }
  // A line from where the pen was.
  stroke(to) {
    const [x, y] = this.pen, [right, down] = [to[0] - x, to[1] - y];
    const parts = Math.max(1, Math.ceil(2 * Math.hypot(right, down)));
    for (let part = 1; part <= parts; part++) this.dot([x + right * part / parts, y + down * part / parts]);
    this.pen = to;
    this.changed(this.pixels);
  }
  // Ink around a point, softer at its edge; about as thick as the strokes of MNIST.
  dot([x, y]) {
    const { width, height, channels, pixels, low, high } = this;
    const radius = Math.max(0.7, 0.045 * Math.max(width, height));
    const from = at => Math.max(0, Math.floor(at - radius - 1)), to = (at, size) => Math.min(size - 1, at + radius + 1);
    for (let row = from(y); row <= to(y, height); row++) {
      for (let column = from(x); column <= to(x, width); column++) {
        const ink = clamp(radius + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y), 0, 1);
        for (let part = 0; part < channels; part++) {
          const at = (part * height + row) * width + column;
          pixels[at] = Math.max(pixels[at], low + ink * (high - low));
        }
      }
    }
  }
  put(pixels) {
    this.pixels.set(pixels);
    this.changed(this.pixels, true);
  }
  clear() {
    this.pixels.fill(this.low);
    this.isDown = false;
    this.changed(this.pixels);
  }
  again() { this.changed(this.pixels); }
}
