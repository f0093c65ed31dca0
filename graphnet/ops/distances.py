"""Distances between two distributions or two directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import ShapeError
from graphnet.op import Elementwise, T
from graphnet.ops.arguments import require_floating
from graphnet.ops.arithmetic import div, mul
from graphnet.ops.broadcasting import expand_as
from graphnet.ops.dims import described, normal_dim
from graphnet.ops.functions import exp, log
from graphnet.ops.losses import Difference, Matched, MatchedProduct, reduce, same_shape
from graphnet.ops.norms import norm
from graphnet.ops.reductions import Mean, sum
from graphnet.ops.shapes import unsqueeze
from graphnet.validation import require_flags, require_range

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["cosine_similarity", "kl_div"]


class KlDivergence(Matched):
    """z = t log t - t x, with 0 log 0 = 0, so dz/dx = -t and dz/dt = log t + 1 - x.

    Shapes: s, s -> s.
    """

    symbol = "t log t-tx"

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        same_shape(x, target)
        return target.xlogy(target) - target * x

    def grad_x(self, grad: Tensor, target: Tensor) -> Tensor:
        return -grad * target

    def grad_target(self, grad: Tensor, x: Tensor, target: Tensor) -> Tensor:
        # The quotient is NaN at 0 and infinity, as in torch. It follows the logarithm, so that its
        # two derivatives meet first, and cancel before 1 / t is added to them.
        return grad * (log(target) + target / target - x)


def kl_div(input: T, target: T, *, reduction: str = "mean", log_target: bool = False) -> T:
    """The divergence of probabilities t from log-probabilities x: t (log t - x) at each element.

    With `log_target` the target holds log t. The reduction "mean" divides by the number of
    elements, "batchmean" by the first size only, as the divergence of distributions requires.
    Shapes: input s, target s -> () for the reductions "mean", "batchmean" and "sum", s for "none".

    Source: Kullback and Leibler, On Information and Sufficiency, Ann. Math. Statist. 22 (1951).

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        EmptyBatchError: a mean of no elements.
        GraphError: the reduction is unknown, or `log_target` is not True or False.

    >>> from torch import empty
    >>> kl_div(empty(2, 2).fill_(-1), empty(2, 2).fill_(0.5), reduction="batchmean")
    tensor(0.3069)
    """
    require_floating("kl_div", input, target)
    require_flags(log_target=log_target)
    if log_target:
        loss = MatchedProduct()(exp(target), Difference()(target, input))
    else:
        loss = KlDivergence()(input, target)
    if reduction == "batchmean":
        first = (0,) if input.ndim else ()
        return sum(Mean(first, nonempty=True)(loss))
    return reduce(loss, reduction)


class AtLeast(Elementwise):
    """y = x, or `least` where x is smaller; as in torch, dy/dx = 1 on both sides.

    Shapes: any.
    """

    symbol = "≥"
    composite = True
    least: float

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(min=self.least)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad


def cosine_similarity(x1: T, x2: T, dim: int = 1, eps: float = 1e-8) -> T:
    """The cosine of the angle between x1 and x2 along a dimension: Σ x1 x2 / (‖x1‖ ‖x2‖).

    Each length is at least `eps`. As in torch, the two broadcast: this is not a loss.
    Shapes: any two that broadcast -> the common shape without `dim`.

    Raises:
        ShapeError: the shapes do not broadcast, or have no such dimension.
        DtypeError: the dtypes differ, or are not floating-point.
        RangeError: `eps` is below 0.

    >>> from torch import empty
    >>> cosine_similarity(empty(1, 2).fill_(3), empty(1, 2).fill_(-4))
    tensor([-1.])
    """
    require_floating("cosine_similarity", x1, x2)
    require_range("eps", eps)
    x1, x2, dim = _aligned(x1, x2, dim)
    return sum(mul(_unit(x1, dim, eps), _unit(x2, dim, eps)), dim)


def _aligned(x1: T, x2: T, dim: int) -> tuple[T, T, int]:
    """Both with one size along a dimension, and that dimension counted from the end, as in both.

    Raises:
        ShapeError: the shapes do not broadcast, or have no such dimension.
    """
    pairs = zip(reversed(x1.shape), reversed(x2.shape), strict=False)
    if any(size != other and not {1, None} & {size, other} for size, other in pairs):
        raise ShapeError(f"cosine_similarity: {described(x1)}, {described(x2)} do not broadcast.")
    if not x1.ndim and not x2.ndim:
        x1, x2 = unsqueeze(x1, 0), unsqueeze(x2, 0)
    longer = x1 if x1.ndim >= x2.ndim else x2
    dim = normal_dim(longer, dim) - longer.ndim
    short = min(x1.ndim, x2.ndim) < -dim
    if short or x1.shape[dim] is None or x1.shape[dim] != x2.shape[dim]:
        product = mul(x1, x2)
        x1, x2 = expand_as(x1, product), expand_as(x2, product)
    return x1, x2, dim


def _unit(x: T, dim: int, eps: float) -> T:
    """x divided by its length along a dimension, or by eps if that is larger."""
    return div(x, AtLeast(eps)(norm(x, dim=dim, keepdim=True)))
