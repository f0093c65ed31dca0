"""Shapes made of sizes that are unknown until a tensor is fed: x.reshape(x.size(0), -1, 2 · n).

A size is an integer, or a formula of the sizes of other tensors, which are read for their shapes
only: `("size", 0, 1)` is dimension 1 of the first of them, `("*", 2, ("size", 0, 1))` its double.
"""

from __future__ import annotations

from operator import add, floordiv, mod, mul, sub
from typing import TYPE_CHECKING, Any

from graphnet.op import Op, Structural, View
from graphnet.ops.broadcasting import sum_as

if TYPE_CHECKING:
    from torch import Tensor, dtype

Formula = int | tuple[Any, ...]
"""A size: an integer, ("size", place, dimension), or a sign and two formulas."""

SIGNS = {"+": add, "-": sub, "*": mul, "//": floordiv, "%": mod}


def value_of(formula: Formula, others: tuple[Any, ...]) -> int:
    """The value of a formula, from the shapes of the other tensors.

    >>> from torch import empty
    >>> value_of(("*", 2, ("size", 0, 1)), (empty(3, 5),))
    10
    """
    if isinstance(formula, int):
        return formula
    sign, first, second = formula
    if sign == "size":
        return int(others[first].shape[second])
    return int(SIGNS[sign](value_of(first, others), value_of(second, others)))


def values_of(formulas: tuple[Formula, ...], others: tuple[Any, ...]) -> tuple[int, ...]:
    """The values of several formulas."""
    return tuple(value_of(each, others) for each in formulas)


class ToFormulas(View, abstract=True):
    """A view whose shape is made of formulas."""

    mixes_dtypes = True  # other tensors are read for their shapes only
    sizes: tuple[Formula, ...]


class ReshapeTo(ToFormulas):
    """The elements of x in a shape of formulas; one size may be -1.

    Shapes: (2 n, m), (n) -> (n, 2, m) for the formulas of n, 2 and -1.
    """

    symbol = "reshape"
    hint = "The product of the sizes must stay the same; one size may be -1."

    def forward(self, x: Tensor, *others_like: Tensor) -> Tensor:
        return x.reshape(values_of(self.sizes, others_like))

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return grad.reshape_as(x_like)


class ExpandTo(ToFormulas):
    """x repeated to a shape of formulas; -1 keeps a size.  Shapes: (1, m), (n) -> (n, m)."""

    symbol = "expand"
    hint = "Only a size of 1 can be expanded; -1 keeps a size."

    def forward(self, x: Tensor, *others_like: Tensor) -> Tensor:
        return x.expand(values_of(self.sizes, others_like))

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return sum_as(grad, x_like)


class Slice(View):
    """A range of one dimension, whose ends are formulas; None is the end of the dimension.

    Shapes: (n, m), (k) -> (k, m) for the dimension 0 and the formulas 0 and k.
    """

    symbol = "x[·]"
    mixes_dtypes = True  # other tensors are read for their shapes only
    dim: int
    start: Formula | None = None
    stop: Formula | None = None
    step: int = 1

    def forward(self, x: Tensor, *others_like: Tensor) -> Tensor:
        return x[part_of(self, others_like)]

    def grad_x(self, grad: Tensor, x_like: Tensor, *others_like: Tensor) -> Tensor:
        return SliceGrad(*self.options.values())(grad, x_like, *others_like)

    def trial(self, x: Tensor, *others_like: Tensor) -> Tensor:
        # A size unknown until it is fed may be larger than those tried, as in `Index`.
        (*_, part), sizes = part_of(self, others_like), list(x.shape)
        sizes[self.dim] = max(sizes[self.dim], part.start or 0, part.stop or 0)
        return x.new_zeros(()).expand(sizes)[part_of(self, others_like)]


class SliceGrad(Structural):
    """Zeros in the shape of another tensor, but x in a range of one dimension.

    Shapes: (k, m), (n, m), (k) -> (n, m).
    """

    symbol = "scatter"
    mixes_dtypes = True  # other tensors are read for their shapes only
    dim: int
    start: Formula | None = None
    stop: Formula | None = None
    step: int = 1

    def forward(self, x: Tensor, target_like: Tensor, *others_like: Tensor) -> Tensor:
        result = x.new_zeros(target_like.shape)
        result[part_of(self, others_like)] = x
        return result

    def grad_x(self, grad: Tensor, *others_like: Tensor) -> Tensor:
        return Slice(*self.options.values())(grad, *others_like)

    def trial(self, x: Tensor, target_like: Tensor, *others_like: Tensor) -> Tensor:
        return x.new_zeros(target_like.shape)


def part_of(op: Slice | SliceGrad, others: tuple[Any, ...]) -> tuple[slice, ...]:
    """The index of the range of a `Slice`."""
    start, stop = (None if end is None else value_of(end, others) for end in (op.start, op.stop))
    return (*[slice(None)] * op.dim, slice(start, stop, op.step))


class Full(Structural):
    """One value in a shape of formulas.  Shapes: (n, m) -> (m, n) for the formulas of m and n."""

    symbol = "full"
    mixes_dtypes = True  # other tensors are read for their shapes only
    sizes: tuple[Formula, ...]
    value: float = 0.0
    dtype: dtype | None = None

    def forward(self, *others_like: Tensor) -> Tensor:
        sizes = values_of(self.sizes, others_like)
        return others_like[0].new_full(sizes, self.value, dtype=self.dtype)


class Arange(Op):
    """The integers from `start` in steps of `step`, as many as a formula says.

    Shapes: (n, m) -> (m) for the formula of m.
    """

    symbol = "arange"
    mixes_dtypes = True  # other tensors are read for their shapes only
    count: Formula
    dtype: dtype
    start: int = 0
    step: int = 1

    def forward(self, *others_like: Tensor) -> Tensor:
        count = max(value_of(self.count, others_like), 0)
        ones = others_like[0].new_ones((), dtype=self.dtype).expand(count)
        return (ones.cumsum(0) - 1).to(self.dtype) * self.step + self.start
