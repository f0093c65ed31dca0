"""Losses: the distance of predictions from their targets, as one number or one for each element.

These are the losses for numbers; those for labels are in `binary_losses` and `classification`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import EmptyBatchError, ShapeError
from graphnet.op import Elementwise, Op, T
from graphnet.ops.arguments import require_floating
from graphnet.ops.arithmetic import abs, div
from graphnet.ops.broadcasting import expand_as
from graphnet.ops.dtypes import narrowed, widened
from graphnet.ops.reductions import mean_of_batch, sum
from graphnet.validation import require_choice, require_range

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["huber_loss", "l1_loss", "mse_loss", "reduce", "smooth_l1_loss"]


REDUCTIONS = ("mean", "sum", "none")


def same_shape(x: Tensor, target: Tensor) -> None:
    """Refuse a target whose shape is not that of the predictions.

    Raises:
        ShapeError: the shapes differ.
    """
    if x.shape != target.shape:
        raise ShapeError(f"shapes {tuple(x.shape)} and {tuple(target.shape)} differ")


def reduce(loss: T, reduction: str) -> T:
    """Reduce the losses of all elements to their "mean" or "sum", or with "none" keep them.

    Raises:
        GraphError: the reduction is unknown.
        EmptyBatchError: the mean of no elements.

    >>> from torch import empty
    >>> reduce(empty(2).fill_(3), "sum")
    tensor(6.)
    """
    require_choice("reduction", reduction, REDUCTIONS)
    if reduction == "none":
        return loss
    return sum(loss) if reduction == "sum" else mean_of_batch(loss)


class Total(Op):
    """y = Σ x, the total weight of a weighted mean; it must not be 0.  Shapes: any -> ()."""

    symbol = "Σ"

    def forward(self, x: Tensor) -> Tensor:
        total = x.sum()
        if not x.is_meta and total == 0:
            raise EmptyBatchError(
                "the mean over an empty batch does not exist: nothing counts, since all labels "
                "are ignored, the weights sum to 0, or there are no labels"
            )
        return total

    def trial(self, x: Tensor) -> Tensor:
        return x.sum()

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return expand_as(grad, x_like)


def weighted_mean(loss: T, counted: T) -> T:
    """The sum of weighted losses, divided by the total weight.

    Raises:
        EmptyBatchError: the total weight is 0.
    """
    return narrowed(div(sum(widened(loss)), Total()(widened(counted))), loss)


class Matched(Elementwise, abstract=True):
    """The loss of each element, for predictions and targets of one shape."""

    hint = "A loss never broadcasts: give one side the shape of the other with reshape or expand."


class SquaredError(Matched):
    """z = (x - t)², so dz/dx = 2 (x - t) and dz/dt = -2 (x - t).  Shapes: s, s -> s."""

    symbol = "(x-t)²"
    composite = True

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        same_shape(x, target)
        difference = x - target
        return difference * difference

    def grad_x(self, grad: Tensor, x: Tensor, target: Tensor) -> Tensor:
        return grad * (2 * (x - target))

    def grad_target(self, grad: Tensor, x: Tensor, target: Tensor) -> Tensor:
        return grad * (2 * (target - x))


def mse_loss(input: T, target: T, *, reduction: str = "mean", weight: T | None = None) -> T:
    """The mean squared error: mean (x - t)² over every element.

    With weights it is Σ w (x - t)² / Σ w.
    Shapes: input s, target s, weight s -> () for the reductions "mean" and "sum", s for "none".

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        EmptyBatchError: the mean of no elements, or of weights that sum to 0.

    >>> from torch import empty
    >>> mse_loss(empty(2, 3).fill_(1), empty(2, 3).fill_(3))
    tensor(4.)
    """
    require_floating("mse_loss", input, target, optional=(weight,))
    return _weighted_mean_or(SquaredError()(input, target), weight, reduction)


class Difference(Matched):
    """z = x - t of equal shapes, so dz/dx = 1 and dz/dt = -1.  Shapes: s, s -> s."""

    symbol = "x-t"
    composite = True
    infix = "−"

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        same_shape(x, target)
        return x - target

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad

    def grad_target(self, grad: Tensor) -> Tensor:
        return -grad


class MatchedProduct(Matched):
    """z = x t of equal shapes, so dz/dx = t and dz/dt = x.  Shapes: s, s -> s."""

    symbol = "×"
    composite = True
    infix = "⊙"

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        same_shape(x, target)
        return x * target

    def grad_x(self, grad: Tensor, target: Tensor) -> Tensor:
        return grad * target

    def grad_target(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * x


def l1_loss(input: T, target: T, *, reduction: str = "mean", weight: T | None = None) -> T:
    """The mean absolute error: mean |x - t| over every element; the slope is 0 where x = t.

    With weights it is Σ w |x - t| / Σ w.
    Shapes: input s, target s, weight s -> () for the reductions "mean" and "sum", s for "none".

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        EmptyBatchError: the mean of no elements, or of weights that sum to 0.

    >>> from torch import empty
    >>> l1_loss(empty(2, 3).fill_(1), empty(2, 3).fill_(3))
    tensor(2.)
    """
    require_floating("l1_loss", input, target, optional=(weight,))
    return _weighted_mean_or(abs(Difference()(input, target)), weight, reduction)


def _weighted_mean_or(loss: T, weight: T | None, reduction: str) -> T:
    """The reduction of weighted losses; the mean divides by the sum of the weights."""
    if weight is None:
        return reduce(loss, reduction)
    weighted = MatchedProduct()(loss, weight)
    return weighted_mean(weighted, weight) if reduction == "mean" else reduce(weighted, reduction)


class Huber(Elementwise):
    """y = x²/2 up to |x| = delta, then a straight line: dy/dx = x clamped to ±delta.

    Shapes: any.
    """

    symbol = "huber"
    composite = True
    delta: float

    def forward(self, x: Tensor) -> Tensor:
        size = x.abs()
        line = self.delta * (size - 0.5 * self.delta)
        return (0.5 * x * x).where(size <= self.delta, line)

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * x.clamp(-self.delta, self.delta)


def huber_loss(
    input: T, target: T, reduction: str = "mean", delta: float = 1.0, weight: T | None = None
) -> T:
    """Half the squared error for differences d up to delta, and a straight line beyond.

    loss = mean of w d²/2 where |d| ≤ delta, else of w delta (|d| - delta/2), with d = x - t; the
    weight w defaults to 1, and the mean divides by the number of elements.
    Shapes: input s, target s, weight s -> () for the reductions "mean" and "sum", s for "none".

    Source: Huber, Robust Estimation of a Location Parameter, Ann. Math. Statist. 35 (1964).

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        RangeError: delta is not above 0.
        EmptyBatchError: the mean of no elements.

    >>> from torch import empty
    >>> huber_loss(empty(2).fill_(1), empty(2).fill_(4), delta=2)
    tensor(4.)
    """
    require_floating("huber_loss", input, target, optional=(weight,))
    require_range("delta", delta, above=0, finite=False)
    loss = Huber(delta)(Difference()(input, target))
    return reduce(loss if weight is None else MatchedProduct()(loss, weight), reduction)


def smooth_l1_loss(input: T, target: T, *, reduction: str = "mean", beta: float = 1.0) -> T:
    """The absolute error, smoothed to a parabola for differences d below beta.

    loss = mean of d²/(2 beta) where |d| < beta, else of |d| - beta/2, with d = x - t.
    Shapes: input s, target s -> () for the reductions "mean" and "sum", s for "none".

    Source: Girshick, Fast R-CNN (2015), equation 3.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        RangeError: beta is below 0.
        EmptyBatchError: the mean of no elements.

    >>> from torch import empty
    >>> smooth_l1_loss(empty(2).fill_(1), empty(2).fill_(4), beta=2)
    tensor(2.)
    """
    require_floating("smooth_l1_loss", input, target)
    if require_range("beta", beta, finite=False) == 0:
        return l1_loss(input, target, reduction=reduction)
    return reduce(div(Huber(beta)(Difference()(input, target)), beta), reduction)
