"""Names of nodes in a program: any text, and none of it ends a comment, a string or a script."""

from __future__ import annotations

import torch
from compile.targets.js.programs import Walks

import graphnet as gn
from graphnet.compile.targets.js.names import Names

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--",
    "a\nalert(1)\u2028b",
    "`${alert(1)}`",
    '"];alert(1)//',
    "\\",
    "__proto__",
    "constructor",
    "class",
    "x",
    "batch",
    "lr",
    "i",
    "t0",
    "new_value",
    "grad_x",
    "forward_x",
    "addProducts",
    "0",
    "é",
    "変数",
    "",
]


def test_any_name_is_a_name():
    """The programs of all of them in one run."""
    walks, names = Walks(), [each for each in HOSTILE if each]
    losses = [add(walks, name) for name in names]
    expected = 3 * torch.tanh(torch.tensor([5.0]))
    for name, place, found in zip(names, losses, walks.run(), strict=True):
        assert "error" not in found, name
        torch.testing.assert_close(found["values"][place], expected, msg=name)


def add(walks, name):
    """A program with a name in it, and a walk of it; returns the place of its loss."""
    graph = gn.Graph()
    w = graph.parameter(torch.tensor([[2.0], [3.0]]), name=f"{name}w")
    x = graph.input((None, 2), name=name)
    h = graph.input((None, 1), name="other")
    loss = ((x @ w).tanh() * h).sum()
    number = walks.add(graph, loss, **{name: (4, 2), "other": (4, 1)})
    source = walks.programs[number].source
    assert "</" not in source
    assert "<!" not in source
    assert source.isascii()
    feed = {name: torch.ones(3, 2), "other": torch.ones(3, 1)}
    walks.walk(number, feed, {f"{name}w": w.top}, batch=3)
    return graph.index(loss)


def test_names_that_become_equal_stay_apart():
    names = Names(["sign"])
    given = [names.unique(each) for each in ("a.b", "a_b", "a b", "a_b_2", "sign", "0a", "grad_a")]
    assert given == ["a_b", "a_b_2", "a_b_3", "a_b_2_2", "sign_2", "layer0a", "node_grad_a"]
    assert len(set(given)) == len(given)
