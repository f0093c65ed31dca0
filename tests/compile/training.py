"""A network, its loss and its optimizer made twice: one is compiled, the other is walked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from closeness import assert_close
from torch import Tensor

import graphnet as gn

DOUBLE = torch.float64

# Both sides compute the same formulas in float64 in another order: the rounding of 50 steps stays
# far below 1e-9, the limit that a program must meet.
SAME = {"rtol": 1e-9, "atol": 1e-9}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def randn(*shape, seed=0, dtype=DOUBLE):
    return torch.randn(shape, generator=seeded(seed), dtype=dtype)


@dataclass
class Training:
    """What is trained."""

    graph: gn.Graph
    loss: gn.Node
    optimizer: gn.Optimizer
    options: dict[str, Any] = field(default_factory=dict)
    step: Any = None

    def compiled(self, **options):
        self.step = self.graph.compile(self.loss, self.optimizer, **{"tune": False, **options})
        return self.step

    def walk(self, feed: dict[str, Tensor]) -> Tensor:
        """One step by the walk."""
        value = self.graph.forward(feed, outputs=self.loss).clone()
        self.graph.backward(self.loss)
        self.optimizer.step()
        return value

    def state(self) -> dict[str, Any]:
        """Copies of everything that a step changes.

        A program computes the gradients of what its optimizer updates, and no others.
        """
        updated = self.optimizer.parameters
        return {
            "values": [each.top.clone() for each in [*self.graph.parameters(), *updated]],
            "grads": [None if each.grad is None else each.grad.clone() for each in updated],
            "optimizer": {
                place: entry
                for place, entry in self.optimizer.state_dict()["state"].items()
                if entry.get("step") != 0  # nothing is remembered yet
            },
        }


Make = Callable[[], Training]


def assert_same(ours, theirs, exact=False, **tolerance):
    """Two states, or values, are the same; NaN equals NaN."""
    limits = {"rtol": 0, "atol": 0} if exact else {**SAME, **tolerance}
    assert_close(ours, theirs, equal_nan=True, **limits)


def assert_same_training(make: Make, feeds, steps=50, options=None, **tolerance):
    """Compiled steps of one copy and walked steps of another agree; returns the compiled copy."""
    ours, theirs = make(), make()
    step = ours.compiled(**(options or {}))
    batches = [feeds[number % len(feeds)] for number in range(steps)]
    torch.manual_seed(5)
    losses = torch.stack([step(feed) for feed in batches])
    torch.manual_seed(5)
    expected = torch.stack([theirs.walk(feed) for feed in batches])
    assert expected.isfinite().all()
    assert_same(losses, expected, **tolerance)
    assert_same(ours.state(), theirs.state(), **tolerance)
    return ours


def model_training(
    model: gn.Module,
    shape: tuple[int | None, ...],
    kind: str = "SGD",
    dtype=DOUBLE,
    output: Callable[[Any], gn.Node] = lambda y: y,
    input_dtype=None,
    **settings: Any,
) -> Training:
    """A network with a smooth loss, for one input x of some shape."""
    if dtype is DOUBLE:
        model.double()
    with gn.Graph() as graph:
        x = gn.Input(shape, name="x", dtype=input_dtype or dtype)
        y = output(model(x))
        loss = (y.tanh() * (y + 0.5)).mean()
    optimizer = getattr(gn, kind)(model.parameters(), **{"lr": 0.05, **settings})
    return Training(graph, loss, optimizer)


def dense_training(kind="SGD", dtype=DOUBLE, seed=0, **settings: Any) -> Training:
    """Two inputs, three linear layers, a squared error."""
    torch.manual_seed(seed)
    model = gn.Sequential(
        gn.Linear(3, 6), gn.Tanh(), gn.Linear(6, 5), gn.ReLU(), gn.Linear(5, 2), gn.Sigmoid()
    )
    if dtype is DOUBLE:
        model.double()
    with gn.Graph() as graph:
        x, t = (
            gn.Input((None, 3), name="x", dtype=dtype),
            gn.Input((None, 2), name="t", dtype=dtype),
        )
        loss = gn.LossMSE()(model(x), t)
    optimizer = getattr(gn, kind)(model.parameters(), **{"lr": 0.1, **settings})
    return Training(graph, loss, optimizer)


def dense_feeds(rows=4, count=5, dtype=DOUBLE):
    return [
        {"x": randn(rows, 3, seed=n, dtype=dtype), "t": randn(rows, 2, seed=50 + n, dtype=dtype)}
        for n in range(count)
    ]


def split_training(kind="SGD"):
    """Parameters in three buckets, one of them frozen, one that the loss does not use."""
    ours = dense_training(kind)
    first, second, third, *others = ours.optimizer.parameters
    second.requires_grad = False
    spare = gn.Parameter(randn(3), name="spare")
    spare.grad = randn(3, seed=7)
    groups = [
        {"params": others},
        {"params": [spare, first], "lr": 0.2},
        {"params": [third, second]},
    ]
    ours.optimizer = getattr(gn, kind)(groups, lr=0.1)
    return ours
