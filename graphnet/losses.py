"""Losses as modules of two inputs: predictions, and the targets they should have met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.errors import GraphError
from graphnet.layers import Module
from graphnet.ops.losses import REDUCTIONS

if TYPE_CHECKING:
    from graphnet.graph import Node


class Loss(Module):
    """The base class of losses; a subclass writes `build(predictions, targets)`.

    Args:
        reduction: "mean" over all elements, their "sum", or "none" for one loss each.

    Raises:
        GraphError: another reduction is asked for.
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        if reduction not in REDUCTIONS:
            raise GraphError(f"reduction is one of {REDUCTIONS}; {reduction!r} came.")
        self.reduction = reduction

    def extra_repr(self) -> str:
        """How the losses of all elements are brought together."""
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class LossMSE(Loss):
    """The mean squared error: mean (y - t)² over every element.

    Shapes: predictions s, targets s -> ().

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossMSE().forward(empty(2, 3).fill_(1), empty(2, 3).fill_(3))
    tensor(4.)
    """

    def build(self, predictions: Node, targets: Node) -> Node:
        """Append the loss."""
        return ops.mse_loss(predictions, targets, reduction=self.reduction)


class LossBCE(Loss):
    """The cross-entropy of probabilities y and targets t, both in [0, 1].

    loss = mean -(t log y + (1 - t) log (1 - y)), each logarithm kept at -100 or above.
    Shapes: predictions s, targets s -> ().

    Source: Bishop, Pattern Recognition and Machine Learning (2006), equation 4.90.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        RangeError: a value lies outside [0, 1].
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossBCE().forward(empty(3).fill_(0.5), empty(3).fill_(1))
    tensor(0.6931)
    """

    def build(self, predictions: Node, targets: Node) -> Node:
        """Append the loss."""
        return ops.binary_cross_entropy(predictions, targets, reduction=self.reduction)
