"""Reductions: many elements become one, over all dimensions or over some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import EmptyBatchError
from graphnet.op import Op, T
from graphnet.ops.broadcasting import count, expand_as
from graphnet.ops.dims import Dims, normal_dims, restore_dims

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["mean", "mean_of_batch", "sum"]


class Sum(Op):
    """y = Σ x over some dimensions, so dy/dx = 1.  Shapes: (n, m) -> (n) for dims (1,)."""

    symbol = "Σ"
    dims: tuple[int, ...]
    keepdim: bool = False

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(self.dims, self.keepdim)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return expand_as(restore_dims(grad, self.dims, self.keepdim), x_like)


def sum(x: T, dim: Dims = None, keepdim: bool = False) -> T:
    """The sum of the elements of x: of all of them, or along the dimensions named.

    Raises:
        ShapeError: x has no such dimension.

    >>> from torch import empty
    >>> sum(empty(2, 3).fill_(1), dim=1)
    tensor([3., 3.])
    """
    return Sum(normal_dims(x, dim), keepdim)(x)


class Mean(Op):
    """y = Σ x / n over some dimensions of n elements, so dy/dx = 1 / n.

    Shapes: (n, m) -> (n) for dims (1,).
    """

    symbol = "mean"
    dims: tuple[int, ...]
    keepdim: bool = False
    of_batch: bool = False
    """True for a loss: the mean over no elements is an error then, not NaN."""

    def forward(self, x: Tensor) -> Tensor:
        if self.of_batch and not x.numel():
            raise EmptyBatchError("the mean over an empty batch does not exist")
        return x.mean(self.dims, self.keepdim)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        for dim in self.dims:
            grad = grad / count(x_like, dim)
        return expand_as(restore_dims(grad, self.dims, self.keepdim), x_like)


def mean(x: T, dim: Dims = None, keepdim: bool = False) -> T:
    """The mean of the elements of x: of all of them, or along the dimensions named.

    Raises:
        ShapeError: x has no such dimension.

    >>> from torch import empty
    >>> mean(empty(2, 3).fill_(4))
    tensor(4.)
    """
    return Mean(normal_dims(x, dim), keepdim)(x)


def mean_of_batch(x: T) -> T:
    """The mean of all elements, of which there must be one at least: what a loss averages.

    Raises:
        EmptyBatchError: x has no elements.

    >>> from torch import empty
    >>> mean_of_batch(empty(2, 3).fill_(4))
    tensor(4.)
    """
    return Mean(normal_dims(x, None), of_batch=True)(x)
