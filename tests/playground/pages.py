"""Small pages to test: points in a plane, rows of numbers, a list without modules, odd names."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import torch
from draw.test_hostile import NAMES

import graphnet as gn
from graphnet.data import disk, one_hot
from graphnet.playground.task import task_of_graph, task_of_model

SETTINGS = {"batch_size": 20, "seed": 3, "title": "Points"}


def points(count, seed=0):
    found, labels = disk(count, torch.Generator().manual_seed(seed))
    return (found - 0.5) * 4, one_hot(labels, 2)


def plane_model():
    torch.manual_seed(0)
    return gn.Sequential(gn.Linear(2, 6), gn.Tanh(), gn.Linear(6, 4), gn.Tanh(), gn.Linear(4, 2))


@cache
def plane(train=110, test=60):
    """Points of two classes, with rows to test, that a small network tells apart."""
    model = plane_model()
    sgd = gn.SGD(model.parameters(), lr=0.1, momentum=0.5)
    data, others = points(train), points(test, 1)
    return task_of_model(model, gn.LossMSE(), data, sgd, others, **SETTINGS)


@cache
def rows():
    """Rows of five numbers in three classes, with dropout, batch norm and Adam."""
    torch.manual_seed(1)
    layers = [
        gn.Linear(5, 8, bias=False),
        gn.BatchNorm1d(8),
        gn.ReLU(),
        gn.Dropout(0.25),
        gn.Linear(8, 3),
    ]
    model = gn.Sequential(*layers)
    x = torch.rand(70, 5)
    adam = gn.Adam(model.parameters(), lr=0.02)
    data = (x, (x.sum(1) * 3 / 5).long().clamp(max=2))
    return task_of_model(model, gn.LossCrossEntropy(), data, adam, None, **SETTINGS)


def plain_list(batch=None):
    """A list without modules: y = tanh(x w + b), with a squared error, and its feed."""
    graph = gn.Graph()
    x, t = graph.input((batch, 2), name="x"), graph.input((batch, 1), name="t")
    torch.manual_seed(2)
    w = graph.parameter(torch.randn(2, 1), name="w")
    b = graph.parameter(torch.zeros(1), name="b")
    y = (x @ w + b).tanh()
    loss = ((y - t) ** 2).mean()
    data = torch.randn(30, 2)
    return graph, loss, y, {"x": data, "t": data[:, :1].sign()}


def list_task(batch=None, **changes):
    graph, loss, _, feed = plain_list(batch)
    sgd = gn.SGD(graph.parameters(), lr=0.1)
    given = {"loss": loss, "data": feed, "optimizer": sgd, "test": None, "output": None}
    return task_of_graph(graph, **{**given, **SETTINGS, **changes})


@cache
def images():
    """Pictures of bars, upright and lying, that convolutions tell apart."""
    torch.manual_seed(4)
    layers = [
        gn.Conv2d(1, 4, 3), gn.ReLU(), gn.MaxPool2d(2), gn.Conv2d(4, 6, 2), gn.ReLU(), gn.Flatten(),
        gn.Linear(24, 2),
    ]  # fmt: skip
    model = gn.Sequential(*layers)
    labels = torch.arange(60) % 2
    x = (torch.rand(60, 1, 8, 8) * 60).round()
    for row, label in enumerate(labels.tolist()):
        place = int(torch.randint(1, 7, ()))
        x[(row, 0, slice(1, 7), place) if label else (row, 0, place, slice(1, 7))] = 255
    x /= 255
    sgd = gn.SGD(model.parameters(), lr=0.05, momentum=0.9)
    data, others = (x[:40], labels[:40]), (x[40:], labels[40:])
    return task_of_model(model, gn.LossCrossEntropy(), data, sgd, others, **SETTINGS)


class Last(gn.Module):
    """What a recurrent network says at the end of a sequence."""

    def __init__(self):
        self.cells, self.out = gn.GRU(3, 6, batch_first=True), gn.Linear(6, 3)

    def build(self, x):
        return self.out(self.cells(x)[0][:, -1])


@cache
def recurrent():
    """Short sequences in three classes."""
    torch.manual_seed(5)
    model = Last()
    x = torch.rand(50, 5, 3)
    adam = gn.Adam(model.parameters(), lr=0.01)
    data = (x, x[:, -1].argmax(1))
    return task_of_model(model, gn.LossCrossEntropy(), data, adam, None, **SETTINGS)


def dense_model(hidden, activation=gn.Tanh, inputs=2, outputs=2):
    """Dense layers with one activation."""
    sizes, layers = [inputs, *hidden, outputs], []
    for before, after in pairwise(sizes):
        if layers and activation:
            layers.append(activation())
        layers.append(gn.Linear(before, after))
    return gn.Sequential(*layers)


def dense(hidden, activation=gn.Tanh, loss=gn.LossMSE, optimizer=gn.SGD, count=110):
    """Points of two classes, and a network for them."""
    torch.manual_seed(6)
    model = dense_model(hidden, activation)
    x, t = points(count)
    t = t.argmax(1) if loss is gn.LossCrossEntropy else t
    made = optimizer(model.parameters(), lr=0.05)
    return task_of_model(model, loss(), (x, t), made, None, **SETTINGS)


def column(hidden, activation, loss, optimizer=gn.SGD):
    """Points of the plane with one number each: 0 or 1 for a cross-entropy, else a product."""
    torch.manual_seed(6)
    model = dense_model(hidden, activation, outputs=1)
    x, t = points(70)
    is_class = loss is gn.LossBCEWithLogits
    t = t[:, 1:] if is_class else x[:, :1] * x[:, 1:]
    sgd = optimizer(model.parameters(), lr=0.05)
    return task_of_model(model, loss(), (x, t), sgd, None, **SETTINGS)


@cache
def single():
    """Two classes that a single output tells apart."""
    return column([3], gn.Tanh, gn.LossBCEWithLogits)


@cache
def numbers():
    """Numbers to be met."""
    return column([3], gn.Tanh, gn.LossMSE)


@cache
def labelled():
    """Points with labels, a network of ReLU, and Adam."""
    return dense([5], gn.ReLU, gn.LossCrossEntropy, gn.Adam)


@cache
def groups():
    """Two groups of parameters with learning rates of their own."""
    model = plane_model()
    parameters = [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.02}]
    sgd = gn.SGD(parameters, lr=0.1)
    return task_of_model(model, gn.LossMSE(), points(110), sgd, None, **SETTINGS)


@cache
def fixed():
    """A list for batches of ten rows, and no other size."""
    return list_task(batch=10)


@cache
def hostile():
    """A list whose title and names try to leave the texts that they stand in."""
    graph = gn.Graph()
    x, t = graph.input((None, 2), name=NAMES[0]), graph.input((None, 1), name=NAMES[1])
    weights = [graph.parameter(torch.ones(2, 2) / 4, name=name) for name in NAMES[2:]]
    y = x
    for weight in weights:
        y = (y @ weight).tanh()
    loss = ((y.sum(1, keepdim=True) - t) ** 2).mean()
    feed = {x: torch.rand(30, 2), t: torch.rand(30, 1)}
    sgd = gn.SGD(graph.parameters(), lr=0.1)
    settings = {**SETTINGS, "title": "".join(NAMES)}
    return task_of_graph(graph, loss, feed, sgd, None, None, **settings)
