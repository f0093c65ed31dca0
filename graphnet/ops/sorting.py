"""Elements in ascending or descending order: argsort, sort, topk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import ShapeError
from graphnet.op import Op, T
from graphnet.ops.dims import described, normal_dim
from graphnet.ops.gathering import gather
from graphnet.ops.indexing import narrow
from graphnet.ops.selected import Selected
from graphnet.validation import require_flags, require_integer

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["argsort", "sort", "topk"]


class Argsort(Op):
    """The indices that put x in order along a dimension; equal elements stay in theirs.

    NaN counts as the largest number.  Shapes: any -> the same.
    """

    symbol = "argsort"
    dim: int
    descending: bool = False

    def forward(self, x: Tensor) -> Tensor:
        order = x.sort(dim=self.dim, descending=self.descending, stable=True)
        return order.indices

    grad_x = None


def argsort(input: T, dim: int = -1, descending: bool = False, *, stable: bool = False) -> T:
    """The indices that put the input in order along a dimension; NaN is the largest number.

    Equal elements always stay in their order, as torch does for `stable=True`.
    Shapes: any -> the same.

    Raises:
        ShapeError: the input has no such dimension.

    >>> from torch import empty
    >>> argsort(empty(3).fill_(1), descending=True)
    tensor([0, 1, 2])
    """
    require_flags(descending=descending, stable=stable)
    return Argsort(normal_dim(input, dim), descending)(input)


def sort(input: T, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Selected[T]:
    """The elements in order along a dimension, and the indices at which they were.

    The gradient of an element flows to where it was. Equal elements always stay in their order.
    Shapes: any -> the same.

    Raises:
        ShapeError: the input has no such dimension.

    >>> from torch import empty
    >>> sort(empty(2).fill_(3))
    Selected(values=tensor([3., 3.]), indices=tensor([0, 1]))
    """
    order = argsort(input, dim, descending, stable=stable)
    return Selected(gather(input, normal_dim(input, dim), order), order)


def topk(input: T, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Selected[T]:
    """The k largest elements along a dimension, or the smallest, in order, and their indices.

    Of equal elements the first is taken. The gradient of an element flows to where it was.
    Shapes: (n, m) -> (n, k) for the last dimension.

    Args:
        input: any shape.
        k: how many.
        dim: the dimension.
        largest: False for the smallest.
        sorted: they are in order in any case.

    Raises:
        ShapeError: the input has no such dimension, or fewer than k elements there.

    >>> from torch import empty
    >>> topk(empty(3).fill_(2), 2)
    Selected(values=tensor([2., 2.]), indices=tensor([0, 1]))
    """
    require_flags(largest=largest, sorted=sorted)
    k, dim = require_integer("topk: k", k, 0), normal_dim(input, dim)
    known = input.shape[dim] if input.ndim else 1
    if known is not None and k > known:
        raise ShapeError(
            f"topk: dimension {dim} of {described(input)} has {known} elements; got k={k}."
        )
    order = Argsort(dim, largest)(input)
    if input.ndim:
        order = narrow(order, dim, 0, k)
    return Selected(gather(input, dim, order), order)
