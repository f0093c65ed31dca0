"""The open batch: one text for every size, or a program that refuses other sizes."""

from __future__ import annotations

import pytest
import torch
from compile.targets.js.programs import Walks

import graphnet as gn
from graphnet.compile.targets.js.open_batch import SIZES, opened
from graphnet.compile.targets.js.program import printed

# What a text has at each size, as a function of it, and what it becomes.
FORMULAS = [
    (lambda n: f"x[{n}]", "x[batch]"),
    (lambda n: f"x[{3 * n}]", "x[3 * batch]"),
    (lambda n: f"x[{3 * n - 2}]", "x[3 * batch - 2]"),
    (lambda n: f"x[{n + 1}]", "x[batch + 1]"),
    (lambda n: f"y * {n + 1}", "y * (batch + 1)"),
    (lambda n: f"{2 * n} * i + j", "2 * batch * i + j"),
    (lambda n: f"y / {2 * n};", "y / (2 * batch);"),
    (lambda n: f"y / {n};", "y / batch;"),
    (lambda n: f"y * {1 / n!r};", "y * (1 / batch);"),
    (lambda n: f"y * {1 / (3 * n)!r};", "y * (1 / (3 * batch));"),
    (lambda n: f"y * {2 / (3 * n)!r};", "y * (1 / (1.5 * batch));"),
    (lambda n: f"y * {n / (n - 1)!r};", "y * (1 + 1 / (batch - 1));"),
    (lambda n: f"y * {7.5 * n!r};", "y * (7.5 * batch);"),
    (lambda n: "x101[4] + 1e-8", "x101[4] + 1e-8"),
    (lambda n: f"x[{n * n}]", "x[batch * batch]"),
    (lambda n: f"y % {5 * n * n}", "y % (5 * batch * batch)"),
    (lambda n: f"x[{n**3}]", None),
    (lambda n: f"y * {n**0.5!r};", None),
    (lambda n: f"x[{n // 4}]", None),
    (lambda n: f"x[{n // 2}]", None),
    (lambda n: f"x[{(n + 1) // 2}]", None),
    (lambda n: f"x[{n // 3}]", None),
    (lambda n: f"x[{min(n, 13)}]", None),
    (lambda n: "x" * n, None),
]


@pytest.mark.parametrize(("text", "expected"), FORMULAS, ids=[str(each) for _, each in FORMULAS])
def test_formulas(text, expected):
    assert opened([text(size) for size in SIZES]) == expected


def check(made, batches, **feeds):
    """One program, at several sizes, beside the walk."""
    graph, loss = made()
    walks = Walks()
    shapes = {name: feed(7).shape for name, feed in feeds.items()}
    program = walks.add(graph, loss, **shapes)
    assert walks.programs[program].is_open
    state = {graph.name_of(each): each.top for each in graph.parameters()}
    fed = [{name: feed(batch) for name, feed in feeds.items()} for batch in batches]
    for batch, feed in zip(batches, fed, strict=True):
        walks.walk(program, feed, state, batch=batch)
    for feed, found in zip(fed, walks.run(), strict=True):
        assert "error" not in found, found
        graph.forward(feed, outputs=loss)
        graph.backward(loss)
        for node, value, grad in zip(graph, found["values"], found["gradients"], strict=True):
            torch.testing.assert_close(value.double(), node.top.flatten().double(),
                                       rtol=1e-12, atol=1e-12)  # fmt: skip
            if grad is not None:
                torch.testing.assert_close(grad, node.grad.flatten(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("width", [1, 2, 11, 12, 13, 16, 17])
def test_widths_near_the_sizes_that_are_printed(width):
    def made():
        torch.manual_seed(0)
        model = gn.Sequential(gn.Linear(3, width), gn.Tanh(), gn.Linear(width, 2)).double()
        with gn.Graph() as graph:
            loss = model(gn.Input((None, 3), name="x", dtype=torch.float64)).square().mean()
        return graph, loss

    check(made, (1, 2, 101, 300), x=lambda n: torch.linspace(-1, 1, 3 * n).double().view(n, 3))


def test_rows_that_look_at_each_other():
    """Sums over the batch, products of rows with rows, and rows in another order."""

    def made():
        with gn.Graph() as graph:
            x = gn.Input((None, 3), name="x", dtype=torch.float64, requires_grad=True)
            close = (x @ x.T).softmax(1) @ x
            loss = (close * x.flip(0).cumsum(0)).var() + x.mean(0).square().sum() + x.std(0).sum()
        return graph, loss

    check(made, (2, 6, 17), x=lambda n: torch.linspace(-1, 2, 3 * n).double().sin().view(n, 3))


def refused(walks, batch, given):
    walks.walk(0, given, batch=batch)
    return walks.run()[-1]["error"]


def test_a_size_that_is_fixed_is_refused_elsewhere():
    """Pairs of rows: there is no text for an odd batch."""
    walks, graph = Walks(), gn.Graph()
    x = graph.input((None, 3), name="x")
    y = x.reshape(-1, 6)
    assert not walks.programs[walks.add(graph, None, y, x=(4, 3))].is_open
    assert "// 2 nodes, batch 4" in walks.programs[0].source
    error = refused(walks, 6, {})
    assert error == "RangeError: this program is for batches of 4; got 6"


def test_half_a_batch_is_no_formula():
    graph = gn.Graph()
    x = graph.input((None, 3), name="x")
    program = printed(graph, None, None, {"x": (8, 3)}, [gn.ops.avg_pool1d(x.T, 2)])
    assert not program.is_open


def test_inputs_whose_batches_differ_are_fixed():
    graph = gn.Graph()
    x, y = (graph.input((None, 2), name=name) for name in "xy")
    program = printed(graph, None, None, {"x": (4, 2), "y": (3, 2)}, [x @ y.T])
    assert not program.is_open
    assert program.nodes[-1].shape == (4, 3)
