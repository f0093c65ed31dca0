"""The calls of modules, as nodes remember them."""

from __future__ import annotations

import graphnet as gn


def test_each_node_knows_the_call_of_the_module_that_appended_it():
    class Twice(gn.Module):
        def __init__(self):
            super().__init__()
            self.layer = gn.Linear(3, 3)

        def build(self, x):
            return self.layer(self.layer(x).tanh())

    model = Twice()
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name="x")
        y = model(x)
    first, second = (
        node for node in graph if node.kind == "operation" and node.op.name == "linear"
    )
    calls = graph.calls
    assert calls[first] is not calls[second]
    assert calls[first].module is calls[second].module is model.layer
    assert calls[first].path == calls[second].path == "layer"
    assert calls[first].caller is calls[second].caller is calls[graph["tanh"]]
    assert calls[first].caller.module is model
    assert calls[x].module is None and calls[y] is calls[second]
    assert graph.scopes.module("layer") is model.layer
    assert graph.scopes.module("other") is None
