// One number of a value, with the numbers that it was computed from: 0.5·0.2 + 1·-0.3 + 0.1 = -0.1.
const MOST_TERMS = 5; // of a sum; of more, the first ones and the last one

function writtenOut(app, node, place) {
  const { nodes } = app.data, { values } = app.learner.program, { op, inputs, kind } = nodes[node];
  const result = short(values[node][place]);
  if (kind !== "operation") return `${nodes[node].name} = ${result}`;
  if (op === "linear") return `${linearSum(values, nodes, node, place)} = ${result}`;
  const alike = inputs.every(each => values[each].length === values[node].length);
  if (!alike || !inputs.length) return `${op}: ${result}`;
  return `${op}(${inputs.map(each => short(values[each][place])).join(", ")}) = ${result}`;
}

// The products of a row of the input with a row of the weight, and the bias.
function linearSum(values, nodes, node, place) {
  const [x, weight, bias] = nodes[node].inputs, width = widthOf(nodes[x]), units = widthOf(nodes[node]);
  const row = Math.floor(place / units), unit = place % units;
  const product = at => [values[x][row * width + at], values[weight][unit * width + at]].map(short).join("·");
  const terms = Array.from({ length: width }, (_, at) => product(at));
  if (terms.length > MOST_TERMS) terms.splice(MOST_TERMS - 1, terms.length - MOST_TERMS, "…");
  if (bias !== undefined) terms.push(short(values[bias][unit]));
  return terms.join(" + ");
}
