"""Sums and products that run along a dimension, and the product of all elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Op, T
from graphnet.ops.broadcasting import zeros_like
from graphnet.ops.dims import normal_dim, restore_dims
from graphnet.ops.joining import pad
from graphnet.ops.shapes import flatten, reshape

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["cumsum", "prod"]


class Cumsum(Op):
    """yᵢ = x₁ + ... + xᵢ along a dimension, or from its end.  Shapes: any -> the same."""

    symbol = "Σ→"
    dim: int
    reverse: bool = False

    def forward(self, x: Tensor) -> Tensor:
        if self.reverse:
            return x.flip(self.dim).cumsum(self.dim).flip(self.dim)
        return x.cumsum(self.dim)

    def grad_x(self, grad: Tensor) -> Tensor:
        return Cumsum(self.dim, not self.reverse)(grad)


def cumsum(x: T, dim: int) -> T:
    """The sums of the elements up to each place of a dimension.

    Raises:
        ShapeError: x has no such dimension.

    >>> from torch import empty
    >>> cumsum(empty(3).fill_(2), 0)
    tensor([2., 4., 6.])
    """
    dim = normal_dim(x, dim)
    return Cumsum(dim)(x) if x.ndim else reshape(Cumsum(dim)(reshape(x, 1)), ())


class Recurrence(Op):
    """yᵢ = xᵢ + aᵢ yᵢ₋₁ along a dimension with y₀ = 0, or from its end.

    So dL/dx is the same recurrence from the other end, and dL/daᵢ = dL/dxᵢ · yᵢ₋₁.
    Shapes: any, the same -> the same.

    Source: Hillis and Steele, Data parallel algorithms (1986), for the steps of 1, 2, 4, ...
    """

    symbol = "x + a y"
    dim: int
    reverse: bool = False

    def forward(self, x: Tensor, factor: Tensor) -> Tensor:
        place, step, size = self.dim, 1, x.shape[self.dim]
        if self.reverse:
            x, factor = x.flip(place), factor.flip(place)
        while step < size:
            kept, rest = x.narrow(place, 0, step), size - step
            late = factor.narrow(place, step, rest)
            grown = x.narrow(place, step, rest) + late * x.narrow(place, 0, rest)
            longer = late * factor.narrow(place, 0, rest)
            x, factor = x.new_empty(x.shape), factor.clone()
            x.narrow(place, 0, step).copy_(kept)
            x.narrow(place, step, rest).copy_(grown)
            factor.narrow(place, step, rest).copy_(longer)
            step *= 2
        return x.flip(place) if self.reverse else x.clone()

    def grad_x(self, grad: Tensor, factor: Tensor) -> Tensor:
        back = 1 if self.reverse else -1
        return Recurrence(self.dim, not self.reverse)(grad, shifted(factor, self.dim, back))

    def grad_factor(self, grad: Tensor, factor: Tensor, top: Tensor) -> Tensor:
        return self.grad_x(grad, factor) * shifted(top, self.dim, -1 if self.reverse else 1)


def shifted(x: T, dim: int, places: int, value: float = 0.0) -> T:
    """The elements of x moved along a dimension, with a value in the places left empty."""
    return pad(x, (0, 0) * (x.ndim - 1 - dim) + (places, -places), value=value)


class Prod(Op):
    """y = Π x along a dimension, so dy/dxᵢ = the product of the others.  Shapes: (n, m) -> (n).

    That product is worked out from both sides, since a division by xᵢ would fail for zeros.
    """

    symbol = "Π"
    dim: int
    keepdim: bool = False

    def forward(self, x: Tensor) -> Tensor:
        return x.prod(self.dim, self.keepdim)

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        before = self._others(x, reverse=False)
        return restore_dims(grad, (self.dim,), self.keepdim) * before * self._others(x, True)

    def _others(self, x: Tensor, reverse: bool) -> Tensor:
        """The product of all elements before each one, or of all behind it."""
        places = -1 if reverse else 1
        first = shifted(zeros_like(x), self.dim, places, 1.0)  # 1 at the first place, 0 elsewhere
        return Recurrence(self.dim, reverse)(first, shifted(x, self.dim, places))


def prod(x: T, dim: int | None = None, keepdim: bool = False) -> T:
    """The product of the elements of x: of all of them, or along one dimension.

    Raises:
        ShapeError: x has no such dimension.

    >>> from torch import empty
    >>> prod(empty(3).fill_(2))
    tensor(8.)
    """
    if dim is None:
        return Prod(0)(flatten(x))
    dim = normal_dim(x, dim)
    return Prod(dim, keepdim)(x) if x.ndim else Prod(0)(flatten(x))
