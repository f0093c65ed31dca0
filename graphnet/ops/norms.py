"""Norms along some dimensions, and the logarithm of a sum of exponentials."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from graphnet.errors import RangeError, ShapeError
from graphnet.op import Op, T
from graphnet.ops.arguments import require_floating
from graphnet.ops.arithmetic import abs
from graphnet.ops.broadcasting import ones_like
from graphnet.ops.comparison import eq, masked_fill
from graphnet.ops.dims import Dims, restore_dims
from graphnet.ops.extremes import amax, amin
from graphnet.ops.reductions import Reduction, reduced_dims, sum
from graphnet.validation import must_be

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["logsumexp", "norm"]


class Logsumexp(Reduction):
    """y = log Σ eˣ over some dimensions, so dy/dx = eˣ⁻ʸ.  Shapes: (n, m) -> (n) for dims (1,)."""

    symbol = "log Σ eˣ"

    def forward(self, x: Tensor) -> Tensor:
        return x.logsumexp(self.dims, self.keepdim)

    def grad_x(self, grad: Tensor, x: Tensor, top: Tensor) -> Tensor:
        whole = restore_dims(top, self.dims, self.keepdim)
        return restore_dims(grad, self.dims, self.keepdim) * (x - whole).exp()


def logsumexp(input: T, dim: Dims, keepdim: bool = False) -> T:
    """The logarithm of the sum of eˣ along dimensions, without overflow for large elements.

    Raises:
        ShapeError: the input has no such dimension, or none is given.

    >>> from torch import empty
    >>> logsumexp(empty(2).fill_(1000), 0)
    tensor(1000.6932)
    """
    if dim is None or (dim in ((), []) and input.ndim):
        raise ShapeError(
            f"logsumexp: dim={dim} names no dimension; for all, use dim=tuple(range(x.ndim))."
        )
    return Logsumexp(reduced_dims(input, dim), keepdim)(input)


class Norm(Op):
    """y = (Σ |x|ᵖ)¹ᐟᵖ, so dy/dx = sign x (|x| / y)ᵖ⁻¹, and 0 at the kink y = 0.

    Shapes: (n, m) -> (n) for dims (1,).
    """

    symbol = "‖x‖"
    p: float
    dims: tuple[int, ...]
    keepdim: bool = False

    def forward(self, x: Tensor) -> Tensor:
        top: Tensor = x.norm(self.p, self.dims, self.keepdim)
        return top

    def grad_x(self, grad: Tensor, x: Tensor, top: Tensor) -> Tensor:
        whole = restore_dims(top, self.dims, self.keepdim)
        grad = restore_dims(grad, self.dims, self.keepdim)
        if self.p == 1:
            return x.sign() * grad
        if self.p == 2:
            return x * (grad / whole).masked_fill(whole.eq(0), 0.0)
        scale = (grad / whole ** (self.p - 1)).masked_fill(whole.eq(0), 0.0)
        if self.p < 2:
            return (x.sign() * x.abs() ** (self.p - 1)).masked_fill(x.eq(0), 0.0) * scale
        return x * x.abs() ** (self.p - 2) * scale


def norm(input: T, p: float | str | None = "fro", dim: Dims = None, keepdim: bool = False) -> T:
    """The p-norm of the input, of all elements as one vector or along dimensions.

    p is a number, `inf` for the largest |x|, `-inf` for the smallest, or "fro", which is 2.
    The derivative at 0 is 0, and equal extremes share it, as in torch. The second derivative, by
    `graph.gradients` twice, is 0 too for every p, so a penalty on gradients stays finite; in torch
    it is NaN for p = 2, and 0 for all others. If an element is NaN, all derivatives by its extreme
    are NaN; in torch they are 0.

    Raises:
        ShapeError: the input has no such dimension, or no elements to take an extreme of.
        GraphError: p is not a number.
        DtypeError: the input holds integers.

    >>> from torch import empty
    >>> norm(empty(4).fill_(3))
    tensor(6.)
    """
    power = 2.0 if p is None or p == "fro" else p
    if isinstance(power, bool) or not isinstance(power, int | float):
        raise RangeError(must_be("norm: p", 'a number or "fro"', p))
    require_floating("norm", input)
    if power in (inf, -inf):
        return (amax if power > 0 else amin)(abs(input), () if dim is None else dim, keepdim)
    if power == 0:  # the number of nonzero elements: no gradient flows
        return sum(masked_fill(ones_like(input), eq(input, 0), 0.0), dim, keepdim)
    return Norm(float(power), reduced_dims(input, dim), keepdim)(input)
