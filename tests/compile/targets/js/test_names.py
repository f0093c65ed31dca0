"""Names of nodes in a program: any text, and none of it ends a comment, a string or a script."""

from __future__ import annotations

import pytest
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
    "next0",
    "grad_x",
    "forward_x",
    "addProducts",
    "0",
    "é",
    "変数",
    "",
]


@pytest.mark.parametrize("name", [each for each in HOSTILE if each])
def test_any_name_is_a_name(name):
    walks, graph = Walks(), gn.Graph()
    w = graph.parameter(torch.tensor([[2.0], [3.0]]), name=f"{name}w")
    x = graph.input((None, 2), name=name)
    h = graph.input((None, 1), name="other")
    loss = ((x @ w).tanh() * h).sum()
    source = walks.programs[walks.add(graph, loss, **{name: (4, 2), "other": (4, 1)})].source
    assert "</" not in source
    assert "<!" not in source
    assert source.isascii()
    walks.walk(0, {name: torch.ones(3, 2), "other": torch.ones(3, 1)}, {f"{name}w": w.top}, batch=3)
    found = walks.run()[0]
    assert "error" not in found
    expected = 3 * torch.tanh(torch.tensor([5.0]))
    torch.testing.assert_close(found["values"][graph.index(loss)], expected)


def test_names_that_become_equal_stay_apart():
    names = Names(["sign"])
    given = [names.unique(each) for each in ("a.b", "a_b", "a b", "a_b_2", "sign", "0a", "grad_a")]
    assert given == ["a_b", "a_b_2", "a_b_3", "a_b_2_2", "sign_2", "layer0a", "node_grad_a"]
    assert len(set(given)) == len(given)
