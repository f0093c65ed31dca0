"""Several steps in one call."""

from __future__ import annotations

import pytest
import torch
from compile.training import (
    assert_same,
    dense_feeds,
    dense_training,
    randn,
)

import graphnet as gn


def test_many_stacked():
    ours, theirs = dense_training("Adam"), dense_training("Adam")
    x, t = randn(7, 4, 3), randn(7, 4, 2, seed=1)
    losses = ours.compiled().many(x=x, t=t)
    expected = [theirs.walk({"x": x[n], "t": t[n]}) for n in range(7)]
    assert_same(losses, torch.stack(expected))
    assert_same(ours.state(), theirs.state())


ORDERS = {
    "none": None,
    "reversed": torch.arange(9, -1, -1),
    "some": torch.tensor([3, 1, 3, 7, 9]),
    "one": torch.tensor([4]),
}


@pytest.mark.parametrize("size", [1, 3, 5, 10, 100])
@pytest.mark.parametrize("order", ORDERS)
def test_many_from_a_data_set(order, size):
    ours, theirs = dense_training("Adam"), dense_training("Adam")
    x, t = randn(10, 3), randn(10, 2, seed=1)
    places = torch.arange(10) if ORDERS[order] is None else ORDERS[order]
    losses = ours.compiled().many(x=x, t=t, batch_size=size, order=ORDERS[order])
    expected = [theirs.walk({"x": x[rows], "t": t[rows]}) for rows in places.split(size)]
    assert_same(losses, torch.stack(expected))
    assert_same(ours.state(), theirs.state())


def test_many_by_nodes():
    ours, theirs = dense_training(), dense_training()
    x, t = randn(3, 4, 3), randn(3, 4, 2, seed=1)
    nodes = ours.graph.inputs
    losses = ours.compiled().many({nodes[0]: x, nodes[1]: t})
    assert_same(losses, torch.stack([theirs.walk({"x": x[n], "t": t[n]}) for n in range(3)]))


MANY_REFUSED = {
    "other sizes": {"x": randn(4, 3), "t": randn(3, 2)},
    "no size": {"x": randn(4, 3), "t": randn(4, 2), "batch_size": 0},
    "half a size": {"x": randn(4, 3), "t": randn(4, 2), "batch_size": 1.5},
    "true size": {"x": randn(4, 3), "t": randn(4, 2), "batch_size": True},
    "nothing": {},
    "a number": {"x": torch.tensor(1.0), "t": torch.tensor(1.0)},
    "no tensor": {"x": [[1.0]], "t": [[1.0]]},
    "misnamed": {"x": randn(4, 3), "y": randn(4, 2), "batch_size": 2},
    "order out of range": {
        "x": randn(4, 3), "t": randn(4, 2), "batch_size": 2, "order": torch.tensor([9, 1]),
    },
    "order of floats": {
        "x": randn(4, 3), "t": randn(4, 2), "batch_size": 2, "order": torch.tensor([0.0, 1.0]),
    },
    "order without a size": {"x": randn(4, 3), "t": randn(4, 2), "order": torch.arange(4)},
}  # fmt: skip


@pytest.mark.parametrize("name", MANY_REFUSED)
def test_many_refused(name):
    ours = dense_training()
    step, before = ours.compiled(), ours.state()
    with pytest.raises(gn.GraphError):
        step.many(**MANY_REFUSED[name])
    assert_same(ours.state(), before, exact=True)
    step(dense_feeds()[0])


def test_many_of_nothing():
    """No rows make no steps, as a loop over them would."""
    ours = dense_training()
    before = ours.state()
    losses = ours.compiled().many(
        x=randn(10, 3), t=randn(10, 2), batch_size=2, order=torch.arange(0)
    )
    assert losses.shape == (0,)
    assert_same(ours.state(), before, exact=True)


def test_many_stops_at_an_error():
    ours, theirs = dense_training(), dense_training()
    x, t = randn(5, 4, 3), randn(5, 4, 2)
    x[3] = float("nan")
    with pytest.raises(gn.NonFiniteError):
        ours.compiled().many(x=x, t=t)
    for n in range(3):
        theirs.walk({"x": x[n], "t": t[n]})
    assert_same(ours.state(), theirs.state())
