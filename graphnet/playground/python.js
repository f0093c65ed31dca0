// This run as a program in Python: the network, the settings, and all that was changed on the way.
function pythonOf(app) {
  const { data, learner } = app, stem = stemOf(data.title);
  const { added, ...start } = learner.start ?? { ...learner.settings, added: learner.added };
  const page = decodeURIComponent(location.pathname.split("/").at(-1));
  const file = /\.html?$/.test(page) ? page : `${stem}.html`;
  const { head, tail } = networkInPython(data, start);
  return [
    `"""${counted(learner.steps, "step")} of ${file.replace(/["\\]/g, "_")}, a page in the same folder."""`,
    "", ...(head.some(line => line.includes("torch.")) ? ["import torch", ""] : []), "import graphnet as gn", "",
    `page = gn.playground.read(${JSON.stringify(file)})`, ...head,
    "page.repeat(", `    graph, loss, optimizer, steps=${learner.steps},`,
    `    batch_size=${start.batch}, seed=${start.seed}, noise=${start.noise},`,
    ...listed("added", added.map(literal)), ...listed("changes", learner.changes.map(changeOf)), ")",
    `print(f"loss of the last batch: {float(loss.top):.6g}")`, ...tail(`${stem}.safetensors`), "",
  ].join("\n");
}
function listed(name, entries) {
  return entries.length ? [`    ${name}=[`, ...entries.map(each => `        ${each},`), "    ],"] : [];
}
const changeOf = ([step, what, value]) => `(${step}, ${literal(what)}, ${literal(value)})`;

// A value as Python writes it.
function literal(value) {
  if (value === null) return "None";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object") {
    return `{${Object.entries(value).map(([name, each]) => `${literal(name)}: ${literal(each)}`).join(", ")}}`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

// The lines that make graph, loss and optimizer, and those after the run.
function networkInPython(data, start) {
  const { python, structure, nodes, generator } = data;
  if (!python.model && !structure) {
    return { head: [
      "", "# Put here your own lines that make the list, its loss and its optimizer:",
      "from your_program import graph, loss, optimizer", "",
      "page.load_weights(graph)  # those that the page began with",
    ], tail: () => [] };
  }
  const text = structure ? inPython(data.modules) : python.model;
  const lossText = structure ? `gn.${structure.loss}()` : python.loss;
  const formOf = ({ loss }) => generator.losses[loss].form, { name: target } = nodes[1];
  const before = generator ? formOf(generator) : "given", form = structure ? formOf(structure) : before;
  const place = `page.train[${JSON.stringify(target)}]`;
  const head = [
    ...(form === before ? [] : form === "labels" ? [`${place} = ${place}.argmax(1)`]
      : [`${place} = gn.data.one_hot(${place}, ${generator.outputs})`]),
    "", `model = ${text}`,
    ...(structure ? [`gn.playground.draw_weights(model, seed=${start.seed})`] : []),
    "with gn.Graph() as graph:", ...[...data.inputs, ...data.targets].map(node => inputLine(nodes[node])),
    `    loss = ${lossText}(model(${data.inputs.map(node => nodes[node].name).join(", ")}), `
      + `${data.targets.map(node => nodes[node].name).join(", ")})`,
    ...(structure ? [] : ["page.load_weights(graph)  # those that the page began with"]),
    `optimizer = gn.${data.optimizer}(model.parameters(), ${optimizerIn(python.settings, start)})`, "",
  ];
  return { head, tail: file => [`gn.save_weights(model, ${JSON.stringify(file)})`] };
}
function inputLine({ name, shape, dtype }) {
  const sizes = shape.map(size => size === "batch" ? "None" : size);
  const kind = dtype === "float32" ? "" : `, dtype=torch.${dtype}`;
  const shapeText = `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;
  return `    ${name} = gn.Input(${shapeText}, name=${JSON.stringify(name)}${kind})`;
}
const optimizerIn = (settings, start) => Object.entries(settings)
  .map(([name, text]) => `${name}=${text.replace(/\{(\w+)\}/g, (_, number) => start[number])}`).join(", ");
function inPython(modules) {
  const lines = modules.map(({ name, from, to }) => `    gn.${name}(${name === "Linear" ? `${from}, ${to}` : ""}),`);
  return `gn.Sequential(\n${lines.join("\n")}\n)`;
}

parts.push(function python(app) {
  const name = `${stemOf(app.data.title)}.py`;
  app.python = () => pythonOf(app);
  app.actions.python = () => {
    download(new Blob([app.python()], { type: "text/x-python" }), name);
    app.tell(`${name} repeats this run.`);
  };
  return {};
});
