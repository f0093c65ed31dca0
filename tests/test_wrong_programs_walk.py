"""Wrong programs that fail when a graph is fed, walked, trained or loaded."""

from __future__ import annotations

import numpy
import pytest
import torch
from wrong_programs import Scenario, goes_wrong

import graphnet as gn
from graphnet.errors import (
    EmptyBatchError,
    FeedError,
    GraphError,
    RangeError,
    ShapeError,
    StateError,
)

X = r"node 0 'x'"
INPUTS = r"Its inputs are 'x' \(\?, 3\), 't' \(\?, 2\)"
NO_SHAPES = "!never broadcasts"  # a way out that would not help here


def feed(x, **others):
    """A program that feeds something else in the place of x."""
    return lambda w: w.graph.forward(**({"x": x, "t": w.tb} | others))


FEEDS = {
    "nothing": (
        lambda w: w.graph.forward(),
        FeedError,
        [f"{X} is not fed", "got nothing", INPUTS, "outputs"],
    ),
    "one of two": (
        lambda w: w.graph.forward(x=w.xb),
        FeedError,
        ["node 1 't' is not fed", "got 'x'", INPUTS, "outputs=node"],
    ),
    "a misspelt name": (
        lambda w: w.graph.forward(X=w.xb, t=w.tb),
        FeedError,
        ["'X' is fed, but", INPUTS],
    ),
    "a name too much": (
        lambda w: w.graph.forward(x=w.xb, t=w.tb, y=w.tb),
        FeedError,
        ["'y' is fed", INPUTS],
    ),
    "a parameter": (
        lambda w: w.graph.forward({"x": w.xb, "t": w.tb, "0.weight": w.w.top}),
        FeedError,
        ["'0.weight' is fed", INPUTS],
    ),
    "an operation": (
        lambda w: w.graph.forward({w.x: w.xb, w.y: w.tb}),
        FeedError,
        ["'3.sigmoid'", "only inputs can be", INPUTS],
    ),
    "an input of another graph": (
        lambda w: w.graph.forward({w.other(): w.xb, w.t: w.tb}),
        FeedError,
        [X, "belongs to another graph", INPUTS],
    ),
    "by number": (lambda w: w.graph.forward({0: w.xb}), FeedError, ["0 is fed", INPUTS]),
    "one input twice": (
        lambda w: w.graph.forward({w.x: w.xb, "x": w.xb, "t": w.tb}),
        FeedError,
        [f"{X} is fed twice"],
    ),
    "without a name": (
        lambda w: w.graph.forward(w.xb),
        FeedError,
        ["Tensor", r"x=|name", INPUTS],
    ),
    "in a list": (lambda w: w.graph.forward([w.xb, w.tb]), FeedError, ["list", INPUTS]),
    "another rank": (feed(torch.ones(3)), FeedError, [rf"{X} takes .*\(\?, 3\); got \(3,\)"]),
    "one more dimension": (feed(torch.ones(5, 3, 1)), FeedError, [r"\(\?, 3\); got \(5, 3, 1\)"]),
    "another size": (
        feed(torch.ones(5, 4)),
        FeedError,
        [rf"{X} takes the shape \(\?, 3\); got \(5, 4\)", "any size"],
    ),
    "rows and columns exchanged": (feed(torch.ones(3, 5)), FeedError, [r"got \(3, 5\)"]),
    "float64": (
        feed(torch.ones(5, 3, dtype=torch.float64)),
        FeedError,
        [f"{X} takes float32; got float64", r"tensor.to\(torch.float32\)", "dtype=torch.float64"],
    ),
    "integers": (
        feed(torch.ones(5, 3, dtype=torch.int64)),
        FeedError,
        [f"{X} takes float32; got int64", r"to\(torch.float32\)"],
    ),
    "another device": (
        feed(torch.ones(5, 3, device="meta")),
        FeedError,
        [f"{X} is fed a tensor on meta", "computes on cpu", r"tensor.to\('cpu'\)"],
    ),
    "rows of two lengths": (feed([[1.0], [2.0, 3.0]]), FeedError, [X, "list", "torch.as_tensor"]),
    "an array of complex numbers": (
        lambda w: w.graph.forward(x=numpy.ones((5, 3)) * 1j, t=w.tb),
        FeedError,
        [f"{X} takes a tensor; got numpy.ndarray", "torch.as_tensor"],
    ),
    "a number": (feed(1.0), FeedError, [X, r"takes the shape \(\?, 3\); got \(\)"]),
    "None": (feed(None), FeedError, [X, "takes a tensor", "None"]),
    "a node": (lambda w: w.graph.forward(x=w.x, t=w.tb), FeedError, [X, "takes a tensor", "Input"]),
}

FORWARD = {
    "batches of two sizes": (
        lambda w: w.graph.forward(x=w.xb, t=w.tb[:4]),
        ShapeError,
        [r"node 10 'lossmse.squared_error'", r"\(5, 2\)", r"\(4, 2\)", "never broadcasts"],
    ),
    "one target for all rows": (
        lambda w: w.graph.forward(x=w.xb, t=w.tb[:1]),
        ShapeError,
        [r"node 10", r"\(5, 2\)", r"\(1, 2\)", "never broadcasts"],
    ),
    "a sum of batches of two sizes": (
        lambda w: w.graph.forward(
            {w.x: w.xb, w.t: w.tb[:3]}, outputs=w.x.sum(1, keepdim=True) + w.t
        ),
        ShapeError,
        ["add", r"\(5, 1\)", r"\(3, 2\)", r"line: .*test_wrong_programs_walk\.py"],
    ),
    "rows that do not make whole rows of six": (
        lambda w: w.graph.forward({w.x: w.xb}, outputs=w.x.reshape(-1, 6)),
        ShapeError,
        [r"node 12 'reshape'", r"'x' \(5, 3\)", "product of the sizes"],
    ),
    "an empty batch": (
        lambda w: w.graph.forward(x=w.xb[:0], t=w.tb[:0]),
        EmptyBatchError,
        ["node 11 'lossmse.mean'", "empty", r"\(0, 2\)"],
    ),
    "a prediction above 1": (
        lambda w: w.graph.forward(x=w.xb, t=w.tb, outputs=gn.LossBCE()(w.y * 2.5, w.t)),
        RangeError,
        ["binary_cross_entropy", "a prediction .* between 0 and 1", "sigmoid", NO_SHAPES],
    ),
    "a target below 0": (
        lambda w: w.graph.forward(x=w.xb, t=w.tb - 2, outputs=gn.LossBCE()(w.y, w.t)),
        RangeError,
        ["a target .* between 0 and 1; got -1\\.", "node 12 'lossbce.binary", NO_SHAPES],
    ),
    "outputs by name": (
        lambda w: w.graph.forward(x=w.xb, outputs="3.sigmoid"),
        GraphError,
        ["'3.sigmoid'", "node"],
    ),
    "outputs of another graph": (
        lambda w: w.graph.forward(x=w.xb, outputs=w.other()),
        GraphError,
        ["<input 0 'x' .*> is not a node of <Graph of 12 nodes"],
    ),
    "a tensor as outputs": (
        lambda w: w.graph.forward(x=w.xb, outputs=w.y.top),
        GraphError,
        ["Tensor", "node"],
    ),
    "a value before the walk": (
        lambda w: (w.y + 1).top,
        StateError,
        ["node 12 'add' has no value", r"graph\.forward"],
    ),
    "a value that was dropped": (
        lambda w: (w.graph.forward(x=w.xb, outputs=w.y), w.loss.top),
        StateError,
        ["node 11 'lossmse.mean' has no value"],
    ),
}

BACKWARD = {
    "before forward": (
        lambda w: (fresh := Scenario()).graph.backward(fresh.loss),
        StateError,
        ["node 11 'lossmse.mean' has no value", r"graph\.forward"],
    ),
    "of what was not computed": (
        lambda w: (w.graph.forward(x=w.xb, outputs=w.y), w.graph.backward(w.loss)),
        StateError,
        ["node 11 'lossmse.mean' has no value"],
    ),
    "from many numbers": (
        lambda w: (w.forward(), w.graph.backward(w.y)),
        GraphError,
        [r"node 9 '3.sigmoid' has the shape \(5, 2\)", r"grad=", "scalar"],
    ),
    "a gradient of another shape": (
        lambda w: (w.forward(), w.graph.backward(w.y, torch.ones(2, 5))),
        ShapeError,
        [r"\(2, 5\) float32", r"node 9 '3.sigmoid'", r"\(5, 2\) float32"],
    ),
    "a gradient that would broadcast": (
        lambda w: (w.forward(), w.graph.backward(w.y, torch.ones(1, 2))),
        ShapeError,
        [r"\(1, 2\)", r"\(5, 2\)"],
    ),
    "a gradient of another type": (
        lambda w: (w.forward(), w.graph.backward(w.y, torch.ones(5, 2).double())),
        GraphError,
        ["float64", "float32", "node 9"],
    ),
    "a number as gradient": (
        lambda w: (w.forward(), w.graph.backward(w.loss, 1.0)),
        GraphError,
        ["grad", r"float|1\.0", "tensor", "node 11"],
    ),
    "too few gradients": (
        lambda w: (w.forward(), w.graph.backward([w.loss, w.y], [None])),
        GraphError,
        ["grad", "2", "1"],
    ),
    "from integers": (
        lambda w: (n := (w.y > 0).sum(), w.graph.forward(x=w.xb, outputs=n), w.graph.backward(n)),
        GraphError,
        ["node 13 'sum'", "int64", "floating"],
    ),
    "from a value": (
        lambda w: (w.forward(), w.graph.backward(w.loss.top)),
        GraphError,
        ["Tensor", "node"],
    ),
    "from a name": (
        lambda w: (w.forward(), w.graph.backward("lossmse.mean")),
        GraphError,
        ["'lossmse.mean'", "node"],
    ),
    "from a number": (lambda w: (w.forward(), w.graph.backward(11)), GraphError, ["11", "node"]),
    "from a node of another graph": (
        lambda w: w.graph.backward(w.other()),
        GraphError,
        ["not a node of"],
    ),
    "after the step": (
        lambda w: (
            w.forward(),
            gn.SGD([gn.Parameter(torch.ones(1))], lr=0.1).step(),
            w.xb.mul_(1),
            w.graph.backward(w.loss),
        ),
        StateError,
        [f"{X} was changed after the forward pass", r"graph\.forward again"],
    ),
}

TABLE = {
    f"{part}: {name}": row
    for part, rows in {
        "feed": FEEDS,
        "forward": FORWARD,
        "backward": BACKWARD,
    }.items()
    for name, row in rows.items()
}


@pytest.mark.parametrize(("program", "error", "patterns"), TABLE.values(), ids=TABLE)
def test_a_wrong_program_gets_its_error_and_leaves_all_usable(program, error, patterns):
    goes_wrong(program, error, patterns)


@pytest.mark.parametrize(("program", "error", "patterns"), FEEDS.values(), ids=FEEDS)
def test_a_wrong_feed_changes_nothing_at_all(program, error, patterns):
    scenario = Scenario()
    scenario.forward()
    scenario.graph.backward(scenario.loss)
    tops = [node.top for node in scenario.graph]
    grads = [node.grad for node in scenario.graph]
    with pytest.raises(error):
        program(scenario)
    assert all(node.top is top for node, top in zip(scenario.graph, tops, strict=True))
    assert all(node.grad is grad for node, grad in zip(scenario.graph, grads, strict=True))
