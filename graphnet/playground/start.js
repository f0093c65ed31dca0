// Begin: the page is read, and whoever is curious finds the app in the console as `playground`.
// Another network takes the place of the first one in the same way, on the page as it was.
{
  const root = document.querySelector(".graphnet-playground");
  const data = JSON.parse(root.querySelector("script.data").textContent);
  const fresh = ["header", ".settings", "main", "footer"].map(each => root.querySelector(each).cloneNode(true));
  Object.assign(data, { create: createProgram, train: new Rows(data.train), test: data.test && new Rows(data.test) });

  // A structure of null is that of Python.
  function begin(structure, before = {}) {
    const dense = structure && !isSame(data.generator, structure) ? new Dense(data, structure) : null;
    const { generator } = data, own = dense?.structure ?? generator;
    if (before.rows && generator) before.rows = retargeted(data, own, before.rows);
    ["header", ".settings", "main", "footer"].forEach((each, at) => {
      root.querySelector(`:scope > ${each}`).replaceWith(fresh[at].cloneNode(true));
    });
    const made = dense ? { ...dense.data, views: viewsOf(dense) } : data;
    window.playground = new App(root, made, begin, before);
    return window.playground;
  }
  // The pictures of layers are drawn anew; those of nodes are left out.
  function viewsOf(dense) {
    return data.views.flatMap(view => {
      const stage = root.querySelector(`[data-view="${view.id}"]`);
      if (view.name === "layers") return [chainView(dense, stage, view)];
      stage.remove();
      return [];
    });
  }
  root.classList.add("live");
  const { structure, settings, added } = fromLink(data);
  begin(structure, { settings });
  playground.addPoints?.(added);
  addEventListener("hashchange", () => {
    const found = fromLink(data);
    playground.close();
    begin(found.structure, { settings: found.settings, runs: playground.runs, speed: playground.loop.speed });
    playground.addPoints?.(found.added);
  });
}
