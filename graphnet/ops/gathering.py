"""Elements at places that a tensor of whole numbers names, along one dimension.

`Gather` and `ScatterAdd` are each other's derivatives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.op import Op, T
from graphnet.ops.broadcasting import zeros_like
from graphnet.ops.dims import normal_dim, require_tensors
from graphnet.ops.indexing import Put, getitem
from graphnet.ops.shapes import reshape

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["gather", "index_select", "scatter_add"]


class Gather(Op):
    """y[i, j] = x[index[i, j], j] for dim 0.  Shapes: (n, m), (k, l) -> (k, l) with l ≤ m."""

    symbol = "gather"
    hint = "Apart from dim, no size of the index may be larger than that of x."
    dim: int

    def forward(self, x: Tensor, index: Tensor) -> Tensor:
        return x.gather(self.dim, index)

    def grad_x(self, grad: Tensor, x_like: Tensor, index: Tensor) -> Tensor:
        return ScatterAdd(self.dim)(zeros_like(x_like), index, grad)

    grad_index = None


def gather(input: T, dim: int, index: T) -> T:
    """The elements of the input at the places of a dimension that the index names.

    Shapes: input and index have as many dimensions; the result has the shape of the index.

    Raises:
        ShapeError: the shapes do not fit, or a place is out of range.

    >>> from torch import empty
    >>> gather(empty(1, 2).fill_(3), 1, empty(1, 1).long().zero_())
    tensor([[3.]])
    """
    return Gather(normal_dim(input, dim))(input, index)


class ScatterAdd(Op):
    """y = x, plus source[i, j] at [index[i, j], j] for dim 0.

    Shapes: (n, m), (k, l), (k, l) -> (n, m) with l ≤ m.
    """

    symbol = "scatter +"
    hint = "Apart from dim, no size of the index may be larger than that of x or the source."
    dim: int

    def forward(self, x: Tensor, index: Tensor, source: Tensor) -> Tensor:
        return x.scatter_add(self.dim, index, source)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad

    grad_index = None

    def grad_source(self, grad: Tensor, index: Tensor) -> Tensor:
        return Gather(self.dim)(grad, index)


def scatter_add(input: T, dim: int, index: T, src: T) -> T:
    """The input, plus each element of `src` at the place of a dimension that the index names.

    Shapes: all three have as many dimensions; where `src` is larger than the index, the rest of it
    is not used. Sizes of `src` unknown until it is fed must be those of the index.

    Raises:
        ShapeError: the shapes do not fit, or a place is out of range.

    >>> from torch import empty
    >>> scatter_add(empty(1, 2).fill_(3), 1, empty(1, 2).long().zero_(), empty(1, 2).fill_(1))
    tensor([[5., 3.]])
    """
    require_tensors("scatter_add", index, src)
    if index.ndim == 1 and not src.ndim:
        src = reshape(src, 1)
    if src.ndim == index.ndim:
        sizes: list[Any] = list(zip(src.shape, index.shape, strict=True))
        if any(None not in each and each[0] > each[1] for each in sizes):
            src = getitem(src, tuple(slice(wanted) for _, wanted in sizes))
    return ScatterAdd(normal_dim(input, dim))(input, index, src)


class IndexSelect(Op):
    """The places of one dimension that a vector names.  Shapes: (n, m), (k) -> (k, m) for dim=0."""

    symbol = "x[i]"
    hint = "The index is a vector of whole numbers."
    dim: int

    def forward(self, x: Tensor, index: Tensor) -> Tensor:
        return x.index_select(self.dim, index)

    def grad_x(self, grad: Tensor, x_like: Tensor, index: Tensor) -> Tensor:
        return Put((self.dim,))(grad, x_like, index)

    grad_index = None


def index_select(input: T, dim: int, index: T) -> T:
    """The places of a dimension that a vector of whole numbers names, in its order.

    Raises:
        ShapeError: the input has no such dimension, or a place is out of range; none counts
            from the end.

    >>> from torch import empty
    >>> index_select(empty(3, 2), 0, empty(5).long().zero_()).shape
    torch.Size([5, 2])
    """
    dim = normal_dim(input, dim)
    require_tensors("index_select", index)
    index = index if index.ndim else reshape(index, 1)
    return IndexSelect(dim)(input, index) if input.ndim else _of_number(input, index)


def _of_number(x: T, index: T) -> T:
    """The place 0 of a single number."""
    return reshape(IndexSelect(0)(reshape(x, 1), index), ())
