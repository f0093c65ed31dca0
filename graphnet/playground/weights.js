// The weights as a file that gn.load_weights reads, in the format safetensors: the length of a header
// in JSON, the header, and the bytes of all tensors.
const KINDS = { // for each dtype its name in the header, and the array that has its bytes
  float32: ["F32", Float32Array], float64: ["F64", Float64Array], int32: ["I32", Int32Array],
  int64: ["I64", BigInt64Array], uint8: ["U8", Uint8Array], bool: ["BOOL", Uint8Array],
};

function safetensors(tensors, metadata) {
  const header = { __metadata__: metadata }, parts = [];
  let end = 0;
  for (const { key, shape, dtype, numbers } of tensors) {
    const [name, Kind] = KINDS[dtype];
    const array = Kind === BigInt64Array ? Kind.from(numbers, BigInt) : Kind.from(numbers);
    // Half a character, which a name may hold, has no bytes.
    header[key.toWellFormed()] = { dtype: name, shape, data_offsets: [end, end += array.byteLength] };
    parts.push(array);
  }
  const text = new TextEncoder().encode(JSON.stringify(header)), padding = -text.length & 7;
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(text.length + padding), true);
  return new Blob([length, text, " ".repeat(padding), ...parts], { type: "application/octet-stream" });
}

// A name for files, from the title of the page.
function stemOf(title) {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "network";
}

// Hand a file to the reader.
function download(blob, name) {
  const address = URL.createObjectURL(blob);
  made("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

parts.push(function weights(app) {
  const { data, learner } = app, name = `${stemOf(data.title)}.safetensors`;
  // Every tensor of the module: those of the list, and others as Python has written them.
  function tensors() {
    const own = ({ name: key, shape, dtype }) => ({ key, shape, dtype, numbers: learner.state[key] });
    if (data.structure) return data.nodes.filter(({ kind }) => kind === "parameter").map(own);
    return data.weights.map(({ key, node, shape, dtype, numbers }) =>
      ({ key, shape, dtype, numbers: node === null ? decoded(numbers) : learner.state[node] }));
  }
  app.weights = () => safetensors(tensors(), data.module === null ? {} : { "graphnet module": data.module });
  app.actions.weights = () => {
    download(app.weights(), name);
    app.tell(`${name}: gn.load_weights(model, "${name}") reads it.`);
  };
  return {};
});
