"""How far two distributions or two directions are apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import ShapeError
from graphnet.op import Op, T
from graphnet.ops.arithmetic import div, mul
from graphnet.ops.broadcasting import expand_as
from graphnet.ops.dims import described, normal_dim
from graphnet.ops.functions import exp, log, sqrt
from graphnet.ops.limits import clamp
from graphnet.ops.losses import SAME_SHAPE_HINT, Difference, MatchedProduct, reduce, same_shape
from graphnet.ops.reductions import Mean, sum

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["cosine_similarity", "kl_div"]


class KLDivergence(Op):
    """z = t log t - t x, with 0 log 0 = 0, so dz/dx = -t and dz/dt = log t + 1 - x.

    Shapes: s, s -> s.
    """

    symbol = "t log t-tx"
    hint = SAME_SHAPE_HINT

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        same_shape(x, target)
        return target.xlogy(target) - target * x

    def grad_x(self, grad: Tensor, target: Tensor) -> Tensor:
        return -grad * target

    def grad_target(self, grad: Tensor, x: Tensor, target: Tensor) -> Tensor:
        return grad * (log(target) + 1 - x)


def kl_div(x: T, target: T, *, reduction: str = "mean", log_target: bool = False) -> T:
    """The divergence of probabilities t from log-probabilities x: t (log t - x) at every element.

    With `log_target` the target holds log t. The reduction "mean" divides by the number of
    elements, "batchmean" by the first size only, as the divergence of distributions asks for.
    Shapes: x s, target s -> () for the reductions "mean", "batchmean" and "sum", s for "none".

    Source: Kullback and Leibler, On Information and Sufficiency, Ann. Math. Statist. 22 (1951).

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        EmptyBatchError: a mean of no elements.

    >>> from torch import empty
    >>> kl_div(empty(2, 2).fill_(-1), empty(2, 2).fill_(0.5), reduction="batchmean")
    tensor(0.3069)
    """
    if log_target:
        loss = MatchedProduct()(exp(target), Difference()(target, x))
    else:
        loss = KLDivergence()(x, target)
    if reduction == "batchmean":
        first = (0,) if x.ndim else ()
        return sum(Mean(first, of_batch=True)(loss))
    return reduce(loss, reduction)


def cosine_similarity(x1: T, x2: T, dim: int = 1, eps: float = 1e-8) -> T:
    """The cosine of the angle between x1 and x2 along a dimension: Σ x1 x2 / (‖x1‖ ‖x2‖).

    Each length is `eps` at least. As in torch the two are broadcast: this is no loss.
    Shapes: any two that broadcast -> the common shape without `dim`.

    Raises:
        ShapeError: the shapes do not broadcast, or have no such dimension.

    >>> from torch import empty
    >>> cosine_similarity(empty(1, 2).fill_(3), empty(1, 2).fill_(-4))
    tensor([-1.])
    """
    longer = x1 if x1.ndim >= x2.ndim else x2
    if not longer.ndim:
        raise ShapeError(f"{described(x1)} and {described(x2)} have no dimension to sum along.")
    dim = normal_dim(longer, dim) - longer.ndim  # counted from the end it is the same in both
    short = min(x1.ndim, x2.ndim) < -dim
    if short or None in (x1.shape[dim], x2.shape[dim]) or x1.shape[dim] != x2.shape[dim]:
        product = mul(x1, x2)
        x1, x2 = expand_as(x1, product), expand_as(x2, product)
    return sum(mul(_unit(x1, dim, eps), _unit(x2, dim, eps)), dim)


def _unit(x: T, dim: int, eps: float) -> T:
    """x divided by its length along a dimension, or by eps where that is larger."""
    squares = sum(mul(x, x), dim, keepdim=True)
    return div(x, sqrt(clamp(squares, min=eps * eps)))
