"""Cumulative sums and recurrences along a dimension, and the product of all elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import GraphError
from graphnet.op import Op, Structural, T
from graphnet.ops.broadcasting import zeros_like
from graphnet.ops.dims import normal_dim, restore_dims
from graphnet.ops.dtypes import cast_to
from graphnet.ops.shapes import flatten, reshape

if TYPE_CHECKING:
    from torch import Tensor, dtype

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


def cumsum(input: T, dim: int, *, dtype: dtype | None = None) -> T:
    """The sums of the elements up to each index of a dimension.

    With a `dtype` the input is converted first.

    Raises:
        ShapeError: the input has no such dimension.

    >>> from torch import empty
    >>> cumsum(empty(3).fill_(2), 0)
    tensor([2., 4., 6.])
    """
    input, dim = cast_to(input, dtype), normal_dim(input, dim)
    return Cumsum(dim)(input) if input.ndim else reshape(Cumsum(dim)(reshape(input, 1)), ())


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
        return Recurrence(self.dim, not self.reverse)(grad, Shift(self.dim, back)(factor))

    def grad_factor(self, grad: Tensor, factor: Tensor, top: Tensor) -> Tensor:
        return self.grad_x(grad, factor) * Shift(self.dim, -1 if self.reverse else 1)(top)


class Shift(Structural):
    """The elements moved one step along a dimension, with a value in the gap.

    So dL/dx is moved the other way. Shapes: any -> the same.
    """

    symbol = "shift"
    dim: int
    places: int
    """1 towards the end, -1 towards the front."""
    value: float = 0.0

    def forward(self, x: Tensor) -> Tensor:
        result = x.roll(self.places, self.dim)
        front = result.movedim(self.dim, 0)
        (front[:1] if self.places > 0 else front[-1:]).fill_(self.value)
        return result

    def grad_x(self, grad: Tensor) -> Tensor:
        return Shift(self.dim, -self.places)(grad)


class Prod(Op):
    """y = Π x along a dimension, so dy/dxᵢ = the product of the others.  Shapes: (n, m) -> (n).

    That product is computed from both ends, since a division by xᵢ would fail for zeros.
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
        """The product of all elements before each one, or of all after it."""
        places = -1 if reverse else 1
        first = Shift(self.dim, places, 1.0)(zeros_like(x))  # 1 at the first index, 0 elsewhere
        return Recurrence(self.dim, reverse)(first, Shift(self.dim, places)(x))


def prod(
    input: T, dim: int | None = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> T:
    """The product of the elements of the input, of all of them or along one dimension.

    With a `dtype` the input is converted first.

    Raises:
        ShapeError: the input has no such dimension.
        GraphError: `keepdim` without a dimension.

    >>> from torch import empty
    >>> prod(empty(3).fill_(2))
    tensor(8.)
    """
    if dim is None and keepdim:
        raise GraphError("prod: keepdim needs a dimension.")
    input, place = cast_to(input, dtype), 0 if dim is None else normal_dim(input, dim)
    return Prod(0)(flatten(input)) if dim is None or not input.ndim else Prod(place, keepdim)(input)
