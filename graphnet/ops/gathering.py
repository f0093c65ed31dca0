"""Elements selected by an integer tensor along one dimension.

`Gather` and `ScatterAdd` are each other's derivatives, and so are `InCorner` and `Corner`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Op, Structural, T
from graphnet.ops.broadcasting import zeros_like
from graphnet.ops.dims import normal_dim, require_tensors
from graphnet.ops.indexing import Put
from graphnet.ops.shapes import reshape

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["gather", "index_select", "scatter_add"]


class Gather(Structural):
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
    """The elements of the input that the index selects along a dimension.

    Shapes: input and index have as many dimensions; the result has the shape of the index.

    Raises:
        ShapeError: the shapes do not fit, or an index is out of range.

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
        if source.ndim == index.ndim:  # torch's autograd has no gradient for a larger source
            source = source[tuple(map(slice, index.shape))]
        return x.scatter_add(self.dim, index, source)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad

    grad_index = None

    def grad_source(self, grad: Tensor, index: Tensor, source_like: Tensor) -> Tensor:
        part = Gather(self.dim)(grad, index)
        if None not in part.shape and part.shape == source_like.shape:
            return part
        whole: Tensor = InCorner()(part, source_like)  # the unused rest gets no gradient
        return whole


class InCorner(Structural):
    """Zeros in the shape of another tensor, but x in its first corner; x may be empty.

    Shapes: (k, l), (n, m) -> (n, m) with k ≤ n and l ≤ m.
    """

    symbol = "corner"

    def forward(self, x: Tensor, other_like: Tensor) -> Tensor:
        result = x.new_zeros(other_like.shape)
        if x.numel():
            result[tuple(map(slice, x.shape))] = x
        return result

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return Corner()(grad, x_like)

    def trial(self, x: Tensor, other_like: Tensor) -> Tensor:
        return x.new_zeros(other_like.shape)


class Corner(Structural):
    """The first corner of x, in the shape of another tensor, which may be empty.

    Shapes: (n, m), (k, l) -> (k, l) with k ≤ n and l ≤ m.
    """

    symbol = "corner"
    trial = InCorner.trial

    def forward(self, x: Tensor, other_like: Tensor) -> Tensor:
        if not other_like.numel():
            return x.new_zeros(other_like.shape)
        return x[tuple(map(slice, other_like.shape))]

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return InCorner()(grad, x_like)


def scatter_add(input: T, dim: int, index: T, src: T) -> T:
    """The input, plus each element of `src` at its index along a dimension.

    Shapes: all three have as many dimensions. If `src` is larger than the index, its rest is
    unused and gets no gradient. If the index is empty, `src` may have any shape.

    Raises:
        ShapeError: the shapes do not fit, or an index is out of range.

    >>> from torch import empty
    >>> scatter_add(empty(1, 2).fill_(3), 1, empty(1, 2).long().zero_(), empty(1, 2).fill_(1))
    tensor([[5., 3.]])
    """
    require_tensors("scatter_add", index, src)
    if index.ndim == 1 and not src.ndim:
        src = reshape(src, 1)
    return ScatterAdd(normal_dim(input, dim))(input, index, src)


class IndexSelect(Structural):
    """The slices of x that a vector selects along dim.  Shapes: (n, m), (k) -> (k, m) for dim=0."""

    symbol = "x[i]"
    hint = "The index must be an integer vector."
    dim: int

    def forward(self, x: Tensor, index: Tensor) -> Tensor:
        return x.index_select(self.dim, index)

    def grad_x(self, grad: Tensor, x_like: Tensor, index: Tensor) -> Tensor:
        return Put((self.dim,))(grad, x_like, index)

    grad_index = None


def index_select(input: T, dim: int, index: T) -> T:
    """The slices of the input that an integer vector selects along a dimension, in its order.

    Raises:
        ShapeError: the input has no such dimension, or an index is out of range; negative indices
            are not allowed.

    >>> from torch import empty
    >>> index_select(empty(3, 2), 0, empty(5).long().zero_()).shape
    torch.Size([5, 2])
    """
    dim = normal_dim(input, dim)
    require_tensors("index_select", index)
    index = index if index.ndim else reshape(index, 1)
    if input.ndim:
        return IndexSelect(dim)(input, index)
    return reshape(IndexSelect(0)(reshape(input, 1), index), ())
