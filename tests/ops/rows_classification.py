"""The rows of the operations in `graphnet.ops.classification`."""

from __future__ import annotations

import torch
from ops.cases import Case
from torch import Tensor

from graphnet.ops import classification

LABELS = {1: torch.int64}
SHAPES = (
    ((3, 4), (3,)),
    ((4,), ()),
    ((2, 5, 3, 2), (2, 3, 2)),
    ((0, 4), (0,)),
    ((3, 2, 0), (3, 0)),
)


def pick(x: Tensor, target: Tensor, ignored: int = -100) -> Tensor:
    """torch's own: the loss at each label is minus the log-probability there."""
    return -torch.nn.functional.nll_loss(x, target, ignore_index=ignored, reduction="none")


def place(x: Tensor, target: Tensor, other: Tensor) -> Tensor:
    dim = min(other.ndim - 1, 1)
    zeros = torch.zeros_like(other)
    return zeros.scatter(dim, target.unsqueeze(dim), x.unsqueeze(dim))


def class_weights(weight: Tensor, x: Tensor) -> Tensor:
    sizes = [1] * x.ndim
    sizes[min(x.ndim - 1, 1)] = -1
    return weight.reshape(sizes) * torch.ones_like(x)


# Random labels are 0 and 1, and each -1 is one to ignore.
ROWS: list[Case] = [
    *[Case(classification.Pick(), pick, shapes, low=0, kinds=LABELS) for shapes in SHAPES],
    *[
        Case(
            classification.Pick(ignored),
            lambda x, target, ignored=ignored: pick(x, target, ignored),
            shapes,
            low=low,
            kinds=LABELS,
        )
        for shapes in SHAPES
        for ignored, low in ((1, 0), (-1, -2))
    ],
    *[
        Case(classification.Place(), place, (small, small, large), low=0, kinds=LABELS)
        for large, small in SHAPES
    ],
    *[
        Case(
            classification.ClassWeights(),
            class_weights,
            (large[min(len(large) - 1, 1) :][:1], large),
        )
        for large, _ in SHAPES
    ],
]
