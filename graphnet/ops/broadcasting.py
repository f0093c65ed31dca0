"""Operations that repeat elements, sum the repeats, or read only a shape.

`ExpandAs` and `SumAs` are each other's derivatives. An argument named `..._like` is read only for
its shape, so its values need not be kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from graphnet.op import Op, Structural, T, View
from graphnet.ops.dims import unpacked
from graphnet.ops.dtypes import cast_to

if TYPE_CHECKING:
    from torch import Tensor, dtype

__all__ = ["count", "expand", "expand_as", "numel", "ones_like", "size", "sum_as", "zeros_like"]


class Expand(View):
    """Sizes of 1 repeated, and new dimensions in front.  Shapes: (n, 1) -> (k, n, m)."""

    symbol = "expand"
    hint = "Only a size of 1 can be expanded; -1 keeps a size."
    sizes: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        return x.expand(self.sizes)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return sum_as(grad, x_like)


def expand(x: T, *sizes: int | tuple[int, ...]) -> T:
    """Sizes of 1 repeated to the given sizes; -1 keeps a size.

    >>> from torch import empty
    >>> expand(empty(3, 1), -1, 4).shape
    torch.Size([3, 4])
    """
    return Expand(unpacked(sizes))(x)


class ExpandAs(View):
    """x repeated to the shape of another tensor.  Shapes: (n, 1), (n, m) -> (n, m)."""

    symbol = "expand"
    hint = "Only a size of 1 can be expanded."
    grad_x = Expand.grad_x

    def forward(self, x: Tensor, other_like: Tensor) -> Tensor:
        return x.expand_as(other_like)


def expand_as(x: T, other: Any) -> T:
    """x repeated to the shape of `other`.

    >>> from torch import empty
    >>> expand_as(empty(3, 1), empty(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """
    return ExpandAs()(x, other)


class SumAs(Op):
    """x summed to the shape of another tensor: broadcasting undone.  Shapes: (n, m), (m) -> (m)."""

    symbol = "Σ"
    hint = "The other shape must be one that broadcasts to the shape of x."

    def forward(self, x: Tensor, other_like: Tensor) -> Tensor:
        return x.sum_to_size(other_like.shape)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return expand_as(grad, x_like)


def sum_as(x: T, other: Any) -> T:
    """x summed over the dimensions in which it is larger than `other`.

    >>> from torch import empty
    >>> sum_as(empty(2, 3, 4), empty(3, 1)).shape
    torch.Size([3, 1])
    """
    return SumAs()(x, other)


class Size(Structural):
    """One size of x as an integer, for a size unknown until x is fed.  Shapes: any -> ()."""

    symbol = "size"
    dim: int

    def forward(self, x_like: Tensor) -> Tensor:
        # An int64 product is exact, where float16 overflows above 65,504.
        return x_like.new_ones(()).long() * x_like.size(self.dim)


def size(x: Any, dim: int) -> Any:
    """One size of x: an int if it is known, else a node that holds it once x is fed.

    >>> from torch import empty
    >>> size(empty(3, 5), 1)
    5
    """
    known = x.shape[dim]
    return Size(dim)(x) if known is None else known


@overload
def numel(x: Tensor) -> int: ...
@overload
def numel(x: Any) -> Any: ...
def numel(x: Any) -> Any:
    """The number of elements of x: an int if it is known, else a node that holds it.

    >>> from torch import empty
    >>> numel(empty(3, 5))
    15
    """
    number = 1
    for dim in range(x.ndim):
        number = number * size(x, dim)
    return number


def count(x: Any, dim: int) -> Any:
    """One size of x, but at least 1: what a mean divides by.

    >>> from torch import empty
    >>> count(empty(3, 0), 1)
    1
    """
    known = x.shape[dim]
    return Size(dim)(x).clamp(min=1) if known is None else max(known, 1)


class ZerosLike(Structural):
    """Zeros in the shape of x.  Shapes: any -> the same."""

    symbol = "0"

    def forward(self, x_like: Tensor) -> Tensor:
        return x_like.new_zeros(x_like.shape)


def zeros_like(x: T, *, dtype: dtype | None = None) -> T:
    """Zeros in the shape of x, and in its dtype if no other is given.

    >>> from torch import empty
    >>> zeros_like(empty(2))
    tensor([0., 0.])
    """
    return cast_to(ZerosLike()(x), dtype)


class OnesLike(Structural):
    """Ones in the shape of x.  Shapes: any -> the same."""

    symbol = "1"

    def forward(self, x_like: Tensor) -> Tensor:
        return x_like.new_ones(x_like.shape)


def ones_like(x: T, *, dtype: dtype | None = None) -> T:
    """Ones in the shape of x, and in its dtype if no other is given.

    >>> from torch import empty
    >>> ones_like(empty(2))
    tensor([1., 1.])
    """
    return cast_to(OnesLike()(x), dtype)
