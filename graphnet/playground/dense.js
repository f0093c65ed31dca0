// Networks of dense layers that the page makes by itself: the parts that Python has printed for any
// size (PARTS: activations, losses, the update), and between them the layers below. The nodes have
// the names and formulas that Python would give them.
const WEIGHTS = 0x3000000; // added to the seed of the generator that draws first weights
const MOST_NUMBERS = 200000; // of a tensor in a node with formulas, as in nodes.py

const subscript = number => String(number).replace(/\d/g, digit => "₀₁₂₃₄₅₆₇₈₉"[digit]);

// A network in one line.
function networkText({ inputs, outputs }, { hidden, activation, loss }) {
  return `${[inputs, ...hidden, outputs].join("→")} ${hidden.length ? `${activation} ` : ""}${loss.replace(/^Loss/, "")}`;
}

// The modules of a Sequential: { name, from, to }, those without weights with `from` equal to `to`.
function modulesOf({ inputs, outputs }, { hidden, activation }) {
  const sizes = [inputs, ...hidden, outputs], modules = [];
  for (let at = 1; at < sizes.length; at++) {
    if (at > 1 && activation !== "none") modules.push({ name: activation, from: sizes[at - 1], to: sizes[at - 1] });
    modules.push({ name: "Linear", from: sizes[at - 1], to: sizes[at] });
  }
  return modules;
}

// The list of such a network: the data of a page for it, made from those that Python has written.
class Dense {
  constructor(data, structure) {
    this.structure = structure;
    this.made = data.generator;
    this.modules = modulesOf(this.made, structure);
    this.loss = this.made.losses[structure.loss];
    this.nodes = [data.nodes[0], { ...data.nodes[1], ...this.loss.target }];
    this.places = []; // for each module the places of its nodes
    this.maps = [];
    this.modules.forEach((module, at) => this.append(module, at));
    this.output = this.nodes.length - 1;
    this.appendLoss();
    if (this.made.inputs === 2) this.maps = this.places.map(places => places.at(-1)).filter(node => this.nodes[node].shape[1] <= data.most_maps);
    this.data = {
      ...data, nodes: this.nodes, output: this.output, loss: this.nodes.length - 1, maps: this.maps,
      classes: this.loss.classes, create: (batch, state) => new DenseProgram(this, batch, state),
      draw: seed => this.draw(seed), structure, modules: this.modules, module: this.text(),
      train: retargeted(data, structure, data.train), test: data.test && retargeted(data, structure, data.test),
    };
  }
  append(module, at) {
    const first = this.nodes.length, before = first === 2 ? 0 : first - 1;
    if (module.name === "Linear") this.nodes.push(...this.linear(module, at, before));
    else this.nodes.push(this.activation(module, at, before));
    this.places.push(Array.from({ length: this.nodes.length - first }, (_, each) => first + each));
  }
  // What a node is called in formulas: x, linear₀, tanh₁.
  letter(node) {
    if (node === 0) return this.nodes[0].name;
    const [at, word] = this.nodes[node].name.split(".");
    return word + subscript(at);
  }
  linear({ from, to }, at, before) {
    const x = this.letter(before), sign = subscript(at), y = `linear${sign}`, first = this.nodes.length;
    const isLarge = from * to > MOST_NUMBERS || from > MOST_NUMBERS;
    const toWeight = `dL/dW${sign} = (dL/d${y})ᵀ · ${x}   (${to}×? · ?×${from})`;
    const toBias = `dL/db${sign} = Σ₀(dL/d${y})   (${to})`;
    const toInput = `dL/d${x} = dL/d${y} · W${sign}   (?×${to} · ${to}×${from})`;
    const value = `${y} = b${sign} + ${x} · W${sign}ᵀ   (${to} + ?×${from} · ${from}×${to})`;
    const node = (name, shape, inputs, formula, gradient, large = isLarge) => ({
      name: `${at}.${name}`, kind: inputs.length ? "operation" : "parameter", op: inputs.length ? name : "",
      inputs, shape, dtype: "float32", flows: true, value: large ? "" : formula, gradient: large ? [] : gradient,
    });
    return [
      node("weight", [to, from], [], `W${sign}   (${to}×${from})`, [toWeight]),
      node("bias", [to], [], `b${sign}   (${to})`, [toBias], false),
      node("linear", ["batch", to], [before, first, first + 1], value,
        [...(before ? [toInput] : []), toWeight, toBias]),
    ];
  }
  activation({ name, to }, at, before) {
    const { word, op, value, gradient } = this.made.activations[name];
    const x = this.letter(before), y = word + subscript(at);
    const filled = text => text.replaceAll("{x}", x).replaceAll("{y}", y).replaceAll("{width}", to);
    return {
      name: `${at}.${word}`, kind: "operation", op, inputs: [before], shape: ["batch", to], dtype: "float32",
      flows: true, value: filled(value), gradient: gradient.map(filled),
    };
  }
  appendLoss() {
    const first = this.nodes.length, y = this.letter(this.output);
    const filled = text => text.replaceAll("{y}", y);
    const place = input => input === "y" ? this.output : input === "t" ? 1 : first + input;
    for (const node of this.loss.nodes) {
      const { inputs, value, gradient } = node;
      this.nodes.push({ ...node, inputs: inputs.map(place), value: filled(value), gradient: gradient.map(filled) });
    }
  }
  // First weights: uniform within ±1/√(inputs), as in Python; the weight row by row, then the bias.
  draw(seed) {
    const random = new Random(seed + WEIGHTS), state = {};
    this.modules.forEach(({ name, from, to }, at) => {
      if (name !== "Linear") return;
      const drawn = count => Float32Array.from({ length: count }, () => (2 * random.uniform() - 1) / Math.sqrt(from));
      state[`${at}.weight`] = drawn(from * to);
      state[`${at}.bias`] = drawn(to);
    });
    return state;
  }
  // The text of the module in Python.
  text() {
    const lines = this.modules.map(({ name, from, to }, at) =>
      `  (${at}): ${name}(${name === "Linear" ? `${from}, ${to}, bias=True` : ""})`);
    return `Sequential(\n${lines.join("\n")}\n)`;
  }
}

// Rows with the targets that a loss takes: labels, or a one among zeros.
function retargeted({ nodes, generator }, structure, rows) {
  const { form, row } = generator.losses[structure.loss], { name } = nodes[1], count = generator.outputs;
  if (form === "given" || rows.widths[name] === row) return rows;
  const before = Array.from({ length: rows.count }, (_, place) => rows.row(name, place));
  const targets = form === "labels" ? Int32Array.from(before, each => each.indexOf(1))
    : Float32Array.from(before.flatMap(([label]) => Array.from({ length: count }, (_, at) => Number(at === label))));
  return rows.with({ [name]: targets }, { [name]: row });
}
