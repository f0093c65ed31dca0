// What `createProgram` is for a network of dense layers that the page has made: printed parts, and
// between them layers that write into the arrays of the part after them.
class DenseProgram {
  constructor({ nodes, modules, structure, made }, batch, state) {
    const last = PARTS.losses[structure.loss](batch, {}), { name: input } = nodes[0], { name: target } = nodes[1];
    Object.assign(this, {
      batch, inputs: { [input]: new Float32Array(made.inputs * batch), [target]: last.inputs.t },
      gradients: [null, null], masks: [], train: [], backward: [], update: [], cleared: [],
    });
    this.values = Object.values(this.inputs);
    const parts = modules.map(({ name, to }) => name === "Linear" ? null : PARTS.activations[name](batch * to, {}));
    const updates = modules.flatMap(({ name, from, to }, at) => {
      const next = at + 1 < modules.length ? parts[at + 1] : last;
      if (name === "Linear") return this.addLayer(from, to, at, state, next);
      this.addPart(parts[at], 1, 1);
      return [];
    });
    this.addPart(last, 2, last.values.length - 1);
    this.predict = this.train;
    this.numbers = together(updates.map(update => update.numbers));
  }
  clear() { for (const part of this.cleared) part.clear(); }
  // Some nodes of a printed part.
  addPart(part, first, last) {
    const moved = this.values.length - first, inside = ({ node }) => node >= first && node <= last;
    const entries = walk => walk.filter(inside).map(({ node, run }) => ({ node: node + moved, run }));
    this.values.push(...part.values.slice(first, last + 1));
    this.gradients.push(...part.gradients.slice(first, last + 1));
    this.train.push(...entries(part.train));
    this.backward.unshift(...entries(part.backward));
    this.cleared.push(part);
  }
  // A weight, a bias, and y = x Wᵀ + b; y is the input of the next part, if there is one.
  addLayer(from, to, at, state, next) {
    const { batch, values, gradients } = this, place = values.length, before = place === 2 ? 0 : place - 1;
    const weight = updateOf(`${at}.weight`, from * to, state), bias = updateOf(`${at}.bias`, to, state);
    const y = next ? next.values[0] : new Float32Array(to * batch);
    const gradY = next ? next.gradients[0] : new Float32Array(to * batch);
    const layer = denseLayer(batch, from, to, {
      x: values[before], weight: weight.values[0], bias: bias.values[0], y,
      gradX: gradients[before], gradWeight: weight.gradients[0], gradBias: bias.gradients[0], gradY,
    });
    values.push(weight.values[0], bias.values[0], y);
    gradients.push(weight.gradients[0], bias.gradients[0], gradY);
    this.train.push({ node: place + 2, run: layer.forward });
    this.backward.unshift({ node: place + 2, run: layer.backward });
    [weight, bias].forEach((each, which) => this.update.push({ node: place + which, run: each.update[0].run }));
    this.cleared.push({ clear() { for (const each of gradients.slice(place, place + 3)) each.fill(0); } });
    return [weight, bias];
  }
}

// A dense layer: its walks, which fill `y` and add to the gradients.
function denseLayer(batch, from, to, { x, weight, bias, y, gradX, gradWeight, gradBias, gradY }) {
  const tableY = productTable([[batch, from, to]], [[to, from, 1]], [[from, 1, 1]]);
  const tableX = productTable([[batch, to, from]], [[from, 1, 1]], [[to, 1, from]]);
  const tableWeight = productTable([[to, 1, from]], [[from, 1, 1]], [[batch, to, from]]);
  function forward() {
    for (let i = 0; i < batch; i++) {
      for (let j = 0; j < to; j++) y[to * i + j] = bias[j];
    }
    addProducts(tableY, x, 0, weight, 0, y, 0);
  }
  function backward() {
    if (gradX) addProducts(tableX, gradY, 0, weight, 0, gradX, 0);
    addProducts(tableWeight, gradY, 0, x, 0, gradWeight, 0);
    for (let j = 0; j < to; j++) {
      let total = 0;
      for (let i = 0; i < batch; i++) total += gradY[to * i + j];
      gradBias[j] += total;
    }
  }
  return { forward, backward };
}

// The printed update of a parameter, on its part of the state.
function updateOf(name, count, state) {
  const own = { parameter: state[name] };
  for (const key of Object.keys(state)) {
    if (key.startsWith(`${name}/`)) own[`parameter${key.slice(name.length)}`] = state[key];
  }
  const update = PARTS.update(count, own);
  for (const key of Object.keys(own)) state[`${name}${key.slice("parameter".length)}`] ??= own[key];
  return update;
}

// The numbers of some programs as one object: to set one is to set all.
function together(all) {
  const numbers = {};
  for (const name of Object.keys(all[0])) {
    Object.defineProperty(numbers, name, {
      enumerable: true, get: () => all[0][name], set(value) { for (const each of all) each[name] = value; },
    });
  }
  return numbers;
}
