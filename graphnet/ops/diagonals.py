"""Diagonals of matrices: `diagonal`, and the operation that puts them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import ShapeError
from graphnet.op import Structural, T, View
from graphnet.ops.dims import described, normal_dim
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["diagonal"]


class DiagonalView(View):
    """The diagonal of the matrices in two dimensions, as the last dimension.

    Shapes: (n, m, k) -> (k, min(n, m)) for the dimensions 0 and 1.
    """

    symbol = "diagonal"
    offset: int = 0
    dim1: int = 0
    dim2: int = 1

    def forward(self, x: Tensor) -> Tensor:
        return x.diagonal(self.offset, self.dim1, self.dim2)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return DiagonalScatter(self.offset, self.dim1, self.dim2)(grad, x_like)


class DiagonalScatter(Structural):
    """Zeros in the shape of another tensor, but x on a diagonal of its matrices.

    Shapes: (k, min(n, m)), (n, m, k) -> (n, m, k) for the dimensions 0 and 1.
    """

    symbol = "diag"
    offset: int = 0
    dim1: int = 0
    dim2: int = 1

    def forward(self, x: Tensor, other_like: Tensor) -> Tensor:
        result = x.new_zeros(other_like.shape)
        result.diagonal(self.offset, self.dim1, self.dim2).copy_(x)
        return result

    def trial(self, x: Tensor, other_like: Tensor) -> Tensor:
        return x.new_zeros(other_like.shape)

    def grad_x(self, grad: Tensor) -> Tensor:
        return DiagonalView(self.offset, self.dim1, self.dim2)(grad)


def diagonal(input: T, offset: int = 0, dim1: int = 0, dim2: int = 1) -> T:
    """The diagonals of the matrices that lie in two dimensions, as a new last dimension.

    Args:
        input: at least two dimensions.
        offset: which diagonal: 1 is the one above the main one, -1 the one below.
        dim1: the dimension of the rows.
        dim2: the dimension of the columns.

    Raises:
        ShapeError: the input has no such dimensions, or they are the same.

    >>> from torch import empty
    >>> diagonal(empty(5, 2, 3), 0, 1, 2).shape
    torch.Size([5, 2])
    """
    rows, columns = normal_dim(input, dim1), normal_dim(input, dim2)
    if rows == columns or input.ndim < 2:
        raise ShapeError(
            f"diagonal takes two different dimensions; got {dim1} and {dim2} of {described(input)}."
        )
    return DiagonalView(require_integer("offset", offset), rows, columns)(input)
