"""Every layer and every loss in JavaScript, in both modes, for any size of the batch."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from compile.targets.js.programs import Walks
from compile.test_layers import LAYERS
from compile.test_losses import LOSSES
from compile.training import DOUBLE, randn

import graphnet as gn
from graphnet.compile.targets.js.random import Random
from graphnet.ops.random import drawn_from

# The same formulas in float64, in another order of summing.
CLOSE = {"rtol": 1e-10, "atol": 1e-10}
MODES = {"train": True, "predict": False}
BATCHES = (2, 5)
SEED = 4


def layer(name):
    """A list with the layer in it, and a loss in which all its outputs differ."""
    make, shape = LAYERS[name]
    torch.manual_seed(0)
    model = make().double()
    with gn.Graph() as graph:
        x = gn.Input((None, *shape[1:]), name="x", dtype=DOUBLE, requires_grad=True)
        y = model(x)
        y = y[0] if isinstance(y, tuple) else y
        loss = (y.sin() * y).mean()
    return graph, loss


def loss(name):
    """A list with the loss in it; its rows are those of `compile/test_losses.py`."""
    make, squash, target = LOSSES[name]
    t = target(1)
    with gn.Graph() as graph:
        x = gn.Input((None, 4), name="x", dtype=DOUBLE, requires_grad=True)
        aim = gn.Input((None, *t.shape[1:]), name="t", dtype=t.dtype)
        made = make()(squash(x), aim)
        made = made if made.shape == () else made.sum()
    return graph, made, t


def state_of(graph):
    return {graph.name_of(each): each.top.clone() for each in graph.parameters()}


def feed_of(graph, batch):
    sizes = (tuple(batch if size is None else size for size in x.shape) for x in graph.inputs)
    return {x.name: randn(*shape, seed=batch) for x, shape in zip(graph.inputs, sizes, strict=True)}


def top_of(node):
    try:
        return node.top
    except gn.GraphError:  # nothing that the loss needs
        return None


def assert_walked(graph, loss, found, mode, feed):
    """Values, gradients and buffers are those of the walk of the list."""
    assert "error" not in found, found
    (graph.train if MODES[mode] else graph.eval)()
    with drawn_from(Random(SEED)):
        graph.forward(feed, outputs=loss)
    if MODES[mode]:
        graph.backward(loss)
    for node, value, grad in zip(graph, found["values"], found["gradients"], strict=True):
        top = top_of(node)
        if top is not None and value is not None:
            assert_close(value.double(), top.flatten().double(), **CLOSE)
        if MODES[mode] and getattr(node, "grad", None) is not None:
            assert_close(grad, node.grad.flatten(), **CLOSE)


@pytest.fixture(scope="module")
def layers():
    """What JavaScript left of each layer, for each mode and size: all in one run."""
    walks, keys = Walks(), []
    for name in LAYERS:
        graph, made = layer(name)
        program = walks.add(graph, made, x=(9, *LAYERS[name][1][1:]))
        assert walks.programs[program].is_open, name
        for mode in MODES:
            for batch in BATCHES:
                walks.walk(program, feed_of(graph, batch), state_of(graph), batch=batch,
                           walk=mode, seed=SEED)  # fmt: skip
                keys.append((name, mode, batch))
    return dict(zip(keys, walks.run(), strict=True))


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, layers):
    for mode in MODES:
        for batch in BATCHES:
            graph, made = layer(name)
            assert_walked(graph, made, layers[name, mode, batch], mode, feed_of(graph, batch))


@pytest.fixture(scope="module")
def losses():
    walks = Walks()
    for name in LOSSES:
        graph, made, t = loss(name)
        program = walks.add(graph, made, x=(9, 4), t=(9, *t.shape[1:]))
        assert walks.programs[program].is_open, name
        walks.walk(program, {"x": randn(5, 4, seed=3), "t": t}, state_of(graph), batch=5)
    return dict(zip(LOSSES, walks.run(), strict=True))


@pytest.mark.parametrize("name", LOSSES)
def test_loss(name, losses):
    graph, made, t = loss(name)
    assert_walked(graph, made, losses[name], "train", {"x": randn(5, 4, seed=3), "t": t})
