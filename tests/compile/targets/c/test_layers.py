"""Every layer and every loss in C, many in one training step: the numbers are those of the walk."""

from __future__ import annotations

import pytest
import torch
from compile.test_layers import LAYERS
from compile.test_losses import LOSSES
from compile.training import DOUBLE, Training, assert_same, randn

import graphnet as gn

PARTS = 4
"""Programs that all layers are divided into: the time of a compiler grows with their length."""


def alone(y):
    return y[0] if isinstance(y, tuple) else y


def layers(names, dtype):
    """The layers beside each other, and the sum of their losses."""
    torch.manual_seed(0)
    models = gn.ModuleList([LAYERS[name][0]() for name in names])
    models.to(dtype)
    losses, feed = [], {}
    with gn.Graph() as graph:
        for number, name in enumerate(names):
            shape = LAYERS[name][1]
            x = gn.Input((None, *shape[1:]), name=f"x{number}", dtype=dtype)
            y = alone(models[number](x))
            losses.append((y.tanh() * (y + 0.5)).mean())
            feed[x.name] = [randn(*shape, seed=seed, dtype=dtype) for seed in range(4)]
        loss = sum(losses[1:], losses[0])
    return Training(graph, loss, gn.SGD(models.parameters(), lr=0.05, momentum=0.9)), feed


def losses_of_all():
    """The losses beside each other, on one network."""
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(3, 6), gn.Tanh(), gn.Linear(6, 4)).double()
    parts, feed = [], {"x": [randn(5, 3, seed=seed) for seed in range(4)]}
    with gn.Graph() as graph:
        y = model(gn.Input((None, 3), name="x", dtype=DOUBLE))
        for number, (make, output, target) in enumerate(LOSSES.values()):
            values = [target(seed) for seed in range(4)]
            t = gn.Input((None, *values[0].shape[1:]), name=f"t{number}", dtype=values[0].dtype)
            loss = make()(output(y), t)
            parts.append(loss.mean() if loss.ndim else loss)
            feed[t.name] = values
        loss = sum(parts[1:], parts[0])
    return Training(graph, loss, gn.Adam(model.parameters(), lr=0.05)), feed


def assert_same_steps(make, steps=8, **tolerance):
    (ours, feed), (theirs, _) = make(), make()
    step = ours.compiled(backend="c")
    for number in range(steps):
        batch = {name: values[number % 4] for name, values in feed.items()}
        torch.manual_seed(number)
        mine = step(batch)
        torch.manual_seed(number)
        assert_same(mine, theirs.walk(batch), **tolerance)
    state, expected = ours.state(), theirs.state()
    for place, node in enumerate(ours.graph.parameters()):  # a failure names the layer
        assert_same(
            {node.name: state["values"][place]}, {node.name: expected["values"][place]}, **tolerance
        )
    assert_same(state, expected, **tolerance)
    assert step.source.startswith("#include")


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("part", range(PARTS))
def test_layers(part):
    assert_same_steps(lambda: layers([*LAYERS][part::PARTS], DOUBLE))


@pytest.mark.usefixtures("level")
def test_layers_in_float32():
    # 1e-7 of rounding at each of a few hundred sums in three steps, some of which cancel
    names = ["Conv2d with options", "BatchNorm1d", "LSTM", "GELU", "Softplus"]
    assert_same_steps(lambda: layers(names, torch.float32), steps=3, rtol=2e-4, atol=2e-5)


@pytest.mark.usefixtures("level")
def test_losses():
    assert_same_steps(losses_of_all)
