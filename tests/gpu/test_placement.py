"""Errors of placement, found on a machine without a GPU: see `other_device`."""

from __future__ import annotations

import pytest
import torch
from other_device import DEVICE, other_device

import graphnet as gn
from graphnet.distributed import Group
from graphnet.ops.processes import synchronized


class Attends(gn.Module):
    """Attention over series."""

    def __init__(self):
        self.attention, self.head = gn.MultiheadAttention(4, 2, batch_first=True), gn.Linear(4, 3)

    def build(self, x):
        y, _ = self.attention(x, x, x)
        return self.head(y.mean(1))


class LastState(gn.Module):
    """The last state of an LSTM."""

    def __init__(self):
        self.cells, self.head = gn.LSTM(4, 6, batch_first=True), gn.Linear(6, 3)

    def build(self, x):
        states, _ = self.cells(x)
        return self.head(states[:, -1])


def dense():
    return gn.Sequential(
        gn.Linear(4, 8), gn.BatchNorm1d(8), gn.GELU(), gn.Dropout(0.1), gn.Linear(8, 3)
    )


def convolutions():
    return gn.Sequential(
        gn.Conv2d(1, 4, 3), gn.BatchNorm2d(4), gn.ReLU(), gn.MaxPool2d(2), gn.Flatten(),
        gn.Linear(16, 3),
    )  # fmt: skip


NETWORKS = {
    "dense": (dense, (4,)),
    "convolutions": (convolutions, (1, 6, 6)),
    "LSTM": (LastState, (5, 4)),
    "attention": (Attends, (5, 4)),
}
OPTIMIZERS = (
    *(gn.SGD, gn.Adam, gn.AdamW, gn.Adamax, gn.NAdam, gn.RAdam),
    *(gn.RMSprop, gn.Adagrad, gn.Adadelta),
)


def network(name, group=None):
    """A network with its loss, as a list."""
    make, shape = NETWORKS[name]
    model = make()
    with synchronized(group), gn.Graph() as graph:
        x = gn.Input((None, *shape), name="x")
        t = gn.Input((None,), name="t", dtype=torch.int64)
        loss = gn.LossCrossEntropy()(model(x), t)
    return model, graph, loss, shape


def fed(shape):
    """Rows on the other device."""
    x = torch.empty(6, *shape, device=DEVICE)
    return {"x": x, "t": torch.empty(6, dtype=torch.int64, device=DEVICE)}


@pytest.mark.parametrize("group", [None, Group()], ids=["", "synchronized"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_stays_on_its_device(name, group):
    model, graph, loss, shape = network(name, group)
    with other_device():
        model.to(DEVICE)
        optimizer = gn.Adam(model.parameters())
        value = graph.forward(fed(shape), outputs=loss)
        graph.backward(loss)
        gn.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step = graph.compile(loss, optimizer, backend="eager", max_norm=1.0)
        predict = graph.compile([loss], backend="eager")
        found = [
            value,
            *predict(fed(shape)),
            step(fed(shape)),
            *(each.top for each in graph.parameters()),
        ]
        found += [each.grad for each in graph.parameters() if each.requires_grad]
        assert {each.device for each in found} == {DEVICE}


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_an_optimizer_stays_on_its_device(kind):
    model, graph, loss, shape = network("dense")
    with other_device():
        model.to(DEVICE)
        more = {"momentum": 0.9} if kind is gn.SGD else {}
        optimizer = kind(model.parameters(), lr=0.1, **more)
        for _ in range(2):
            graph.forward(fed(shape), outputs=loss)
            graph.backward(loss)
            optimizer.step()
        state = optimizer.state_dict()["state"][0].values()
        assert {each.device for each in state if each.ndim} <= {DEVICE}


class Misplaced(gn.Op):
    """y = x + 1, by a tensor that is always on the processor.  Shapes: any."""

    symbol = "+1"

    def forward(self, x):
        return x + torch.ones(3)

    def grad_x(self, grad):
        return grad


def test_a_tensor_that_is_left_behind_is_found():
    with gn.Graph() as graph:
        y = Misplaced()(gn.Input((None, 3), name="x"))
    with other_device(), pytest.raises(Exception, match=r"device|lazy"):
        graph.forward({"x": torch.empty(2, 3, device=DEVICE)}, outputs=y)
    assert graph.forward({"x": torch.zeros(2, 3)}, outputs=y).sum() == 6


def test_feeds_of_another_device_are_refused():
    model, graph, loss, shape = network("dense")
    with other_device():
        model.to(DEVICE)
        feed = fed(shape) | {"x": torch.empty(6, *shape)}
        with pytest.raises(gn.FeedError, match="the graph computes on lazy"):
            graph.forward(feed, outputs=loss)
