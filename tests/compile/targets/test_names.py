"""Names of nodes that C would read as something else."""

from __future__ import annotations

import pytest
import torch
from compile.targets.fakes import real_compiler

import graphnet as gn
from graphnet.compile.targets.c.names import in_comment, reserved, unique

TAKEN = ["linux", "better", "other", "t0", "o0", "i", "s", "float", "class", "sum_float", "Strides",
         "tile6x1_float", "load_float", "float4", "exp_float", "INFINITY"]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("0.weight", "layer0_weight"),
        ("größe", "gr__e"),
        ("__", "value"),
        ("t0", "t0_2"),
        ("while", "while_2"),
        ("x", "x"),
    ],
)
def test_names(name, made):
    assert unique(name, reserved()) == made


def test_names_differ():
    taken = reserved()
    assert [unique("a.b", taken), unique("a_b", taken), unique("a b", taken)] == [
        "a_b",
        "a_b_2",
        "a_b_3",
    ]


@pytest.mark.parametrize("text", ["*/", "/*", "*\\", "/*/", "/*\\", "a??/", "\\", "**//", "é*/"])
def test_a_comment_is_not_ended_by_a_name(text):
    found = in_comment(text)
    assert found.isascii()
    assert not any(each in found for each in ("*/", "/*", "??", "\\"))


def test_nodes_of_any_name_are_computed(tmp_path, monkeypatch):
    """The variables of loops stay what they are: a warning would say that nothing was compiled."""
    real_compiler()
    monkeypatch.setenv("GRAPHNET_NATIVE", str(tmp_path))
    with gn.Graph() as graph:
        nodes = [gn.Input((3, 4), name=name) for name in TAKEN]
        e = [node.exp() for node in nodes]
        outputs = [*(a * a + b for a, b in zip(e, nodes, strict=True)), nodes[0].argmax(1)]
        outputs.append(nodes[1] @ nodes[2].mT)
        outputs.append(graph.gradients(outputs[-1].sum(), [nodes[1]])[0])
    feed = {name: torch.rand(3, 4) for name in TAKEN}
    found = graph.compile(outputs, backend="c")(feed)
    expected = [value.exp() ** 2 + value for value in feed.values()]
    for actual, value in zip(found, expected, strict=False):
        torch.testing.assert_close(actual, value)
    assert found[-3].equal(feed["linux"].argmax(1))
    torch.testing.assert_close(found[-2], feed["better"] @ feed["other"].mT)
