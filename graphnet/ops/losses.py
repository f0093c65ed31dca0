"""Losses: how far predictions are from their targets, as one number or one for each element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import GraphError, RangeError, ShapeError
from graphnet.op import Op, T
from graphnet.ops.reductions import mean_of_batch, sum

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["binary_cross_entropy", "mse_loss", "reduce"]


REDUCTIONS = ("mean", "sum", "none")
SAME_SHAPE_HINT = (
    "A loss never broadcasts: bring one side to the shape of the other with reshape or expand."
)


def same_shape(x: Tensor, target: Tensor) -> None:
    """Refuse a target of another shape than the predictions.

    Raises:
        ShapeError: the shapes differ.
    """
    if x.shape != target.shape:
        raise ShapeError(f"shapes {tuple(x.shape)} and {tuple(target.shape)} differ")


def within_unit(x: Tensor, what: str) -> None:
    """Refuse values outside [0, 1]; NaN passes, so that it can be found where it arose.

    Raises:
        RangeError: a value is below 0 or above 1.
    """
    if x.numel() and not x.is_meta and ((low := x.min()) < 0 or x.max() > 1):
        worst = float(low) if low < 0 else float(x.max())
        raise RangeError(
            f"{what} is a probability and lies between 0 and 1; {worst:g} came. "
            "A sigmoid brings predictions there; targets are labels 0 and 1."
        )


def reduce(loss: T, reduction: str) -> T:
    """The losses of all elements brought together: their "mean", their "sum", or "none" of these.

    Raises:
        GraphError: another word is given for the reduction.
        EmptyBatchError: the mean of no elements.

    >>> from torch import empty
    >>> reduce(empty(2).fill_(3), "sum")
    tensor(6.)
    """
    if reduction == "mean":
        return mean_of_batch(loss)
    if reduction == "sum":
        return sum(loss)
    if reduction == "none":
        return loss
    raise GraphError(f"reduction is one of {REDUCTIONS}; {reduction!r} came.")


class SquaredError(Op):
    """z = (x - t)², so dz/dx = 2 (x - t) and dz/dt = -2 (x - t).  Shapes: s, s -> s."""

    symbol = "(x-t)²"
    hint = SAME_SHAPE_HINT

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        same_shape(x, target)
        difference = x - target
        return difference * difference

    def grad_x(self, grad: Tensor, x: Tensor, target: Tensor) -> Tensor:
        return grad * (2 * (x - target))

    def grad_target(self, grad: Tensor, x: Tensor, target: Tensor) -> Tensor:
        return grad * (2 * (target - x))


def mse_loss(x: T, target: T, *, reduction: str = "mean") -> T:
    """The mean squared error: mean (x - t)² over every element.

    Shapes: x s, target s -> () for the reductions "mean" and "sum", s for "none".

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        EmptyBatchError: the mean of no elements.

    >>> from torch import empty
    >>> mse_loss(empty(2, 3).fill_(1), empty(2, 3).fill_(3))
    tensor(4.)
    """
    return reduce(SquaredError()(x, target), reduction)


_LEAST_VARIANCE = 9.999999960041972e-13  # torch's own: 1e-12 in single precision


class BinaryCrossEntropy(Op):
    """z = -t log p - (1 - t) log (1 - p), so dz/dp = (p - t) / (p (1 - p)).

    The logarithms are kept at -100 or above, so that p = 0 or 1 gives a finite loss.
    Shapes: s, s -> s.
    """

    symbol = "bce"
    hint = SAME_SHAPE_HINT

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        same_shape(x, target)
        within_unit(x, "a prediction")
        within_unit(target, "a target")
        return (target - 1) * (-x).log1p().clamp(min=-100) - target * x.log().clamp(min=-100)

    def grad_x(self, grad: Tensor, x: Tensor, target: Tensor) -> Tensor:
        return grad * (x - target) / (x * (1 - x)).clamp(min=_LEAST_VARIANCE)

    def grad_target(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * ((-x).log1p() - x.log())


def binary_cross_entropy(x: T, target: T, *, reduction: str = "mean") -> T:
    """The cross-entropy of probabilities x and targets t, both in [0, 1], over every element.

    loss = mean -(t log x + (1 - t) log (1 - x)), each logarithm kept at -100 or above.
    Shapes: x s, target s -> () for the reductions "mean" and "sum", s for "none".

    Source: Bishop, Pattern Recognition and Machine Learning (2006), equation 4.90.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        RangeError: a value lies outside [0, 1].
        EmptyBatchError: the mean of no elements.

    >>> from torch import empty
    >>> binary_cross_entropy(empty(3).fill_(0.5), empty(3).fill_(1))
    tensor(0.6931)
    """
    return reduce(BinaryCrossEntropy()(x, target), reduction)
