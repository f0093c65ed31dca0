"""Small training runs whose numbers do not depend on how many processes make them."""

from __future__ import annotations

from functools import partial

import torch

import graphnet as gn

ROWS = 43


def points(classes=3):
    """Rows of five numbers, and their classes."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(ROWS, 5, generator=generator, dtype=torch.float64)
    return x, torch.randint(classes, (ROWS,), generator=generator)


def ignored(labels):
    """Labels of which half are not counted."""
    lost = torch.rand(len(labels), generator=torch.Generator().manual_seed(2)) < 0.5
    return labels.masked_fill(lost, -100)


def images():
    """Small images, and their classes."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(30, 1, 8, 8, generator=generator, dtype=torch.float64)
    return x, torch.randint(3, (30,), generator=generator)


def series():
    """Series of three numbers, and their classes."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(30, 7, 3, generator=generator, dtype=torch.float64)
    return x, torch.randint(3, (30,), generator=generator)


class Heads(gn.Module):
    """Two outputs behind a batch norm."""

    def __init__(self):
        self.body, self.norm = gn.Linear(5, 8, bias=False), gn.BatchNorm1d(8)
        self.kind, self.size = gn.Linear(8, 3), gn.Linear(8, 1)

    def build(self, x):
        h = self.norm(self.body(x)).tanh()
        return self.kind(h), self.size(h)


class LastState(gn.Module):
    """The classes of series, from the last state of an LSTM."""

    def __init__(self):
        self.cells, self.head = gn.LSTM(3, 6, batch_first=True), gn.Linear(6, 3)

    def build(self, x):
        states, _ = self.cells(x)
        return self.head(states[:, -1])


def mlp():
    return gn.Sequential(gn.Linear(5, 16), gn.Tanh(), gn.Linear(16, 3))


def normed():
    # A bias before a batch norm has no gradient but rounding, which Adam makes large.
    return gn.Sequential(
        gn.Linear(5, 16, bias=False), gn.BatchNorm1d(16), gn.Tanh(), gn.Linear(16, 3)
    )


def convnet():
    return gn.Sequential(
        gn.Conv2d(1, 4, 3, bias=False), gn.BatchNorm2d(4), gn.ReLU(), gn.MaxPool2d(2),
        gn.Flatten(), gn.Linear(36, 3),
    )  # fmt: skip


def dropout():
    return gn.Sequential(gn.Linear(5, 16), gn.Dropout(0.3), gn.Tanh(), gn.Linear(16, 3))


def adam(model):
    return gn.Adam(model.parameters(), lr=0.01)


def sgd(model):
    return gn.SGD(model.parameters(), lr=0.1, momentum=0.9)


def groups(model):
    first, *others = model.parameters()
    return gn.AdamW([{"params": [first], "lr": 0.003}, {"params": others}], lr=0.01)


X, T = points()
WEIGHTS = torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)
SIZES = X.norm(dim=1, keepdim=True)
CE = gn.LossCrossEntropy

CASES = {
    "plain": (mlp, CE(), (X, T), adam, {}),
    "batch norm": (normed, CE(), (X, T), sgd, {}),
    "convnet": (convnet, CE(), images(), sgd, {}),
    "LSTM": (LastState, CE(), series(), adam, {}),
    "accumulated": (mlp, CE(), (X, T), adam, {"accumulate": 3}),
    "accumulated, batch norm": (normed, CE(), (X, T), sgd, {"accumulate": 3}),
    "clipped": (mlp, CE(), (X, T), adam, {"clip": 0.1}),
    "clipped values": (mlp, CE(), (X, T), adam, {"clip_value": 0.01}),
    "schedule": (mlp, CE(), (X, T), adam, {"schedule": gn.schedules.cosine(0.05, steps=20)}),
    "groups": (mlp, CE(), (X, T), groups, {}),
    "weighted": (mlp, CE(weight=WEIGHTS), (X, T), adam, {}),
    "ignored": (
        mlp, CE(ignore_index=-100), (X, ignored(T)), adam, {"batch_size": 3, "non_finite": "skip"}
    ),
    "ignored, batch norm": (
        normed, CE(ignore_index=-100), (X, ignored(T)), sgd,
        {"batch_size": 4, "non_finite": "skip"},
    ),
    "sum": (mlp, CE(reduction="sum"), (X, T), adam, {}),
    "two losses": (
        Heads, [CE(weight=WEIGHTS), (0.3, gn.LossMSE())], (X, (T, SIZES)), sgd, {"accumulate": 2}
    ),
    "two losses, ignored": (
        Heads, [CE(ignore_index=-100), (0.3, gn.LossMSE())], (X, (ignored(T), SIZES)), sgd,
        {"batch_size": 5, "non_finite": "skip"},
    ),
}  # fmt: skip
"""Model, loss, data, optimizer and settings of training runs."""


def trained(case, compile=True, across=False, epochs=3, **others):
    """A training run: the history, and all parameters and buffers."""
    make, loss, data, optimizer, settings = CASES[case]
    torch.manual_seed(0)
    model = make().double()
    metrics = {} if isinstance(loss, list) else {"metrics": [gn.metrics.accuracy]}
    history = gn.fit(
        model, loss, data, optimizer(model), epochs=epochs, seed=0, compile=compile, across=across,
        **{"batch_size": 10, "validation_split": 0.2, **metrics, **settings, **others},
    )  # fmt: skip
    return history, {name: value.clone() for name, value in model.state_dict().items()}


def largest(one, other):
    """The largest difference between two dicts of tensors."""
    return max(float((one[name] - other[name]).double().abs().max()) for name in one)


def columns(history):
    """All numbers of a history except the times, in one list; NaN as 0."""
    rows = [value for row in history.epochs for key, value in row.items() if key != "seconds"]
    return [0.0 if value != value else value for value in [*history.losses, *rows]]


small = partial(trained, "plain")
