"""Operations that move elements about without changing them: reshape, transpose, squeeze."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.op import Op, T
from graphnet.ops.dims import Dims, described, flat_sizes, normal_dim, normal_dims

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["permute", "reshape", "reshape_as", "squeeze", "transpose", "unsqueeze"]


class Reshape(Op):
    """The same elements in the same order, in another shape.  Shapes: any -> shape."""

    symbol = "reshape"
    hint = "The product of the sizes must stay the same; one size may be -1."
    shape: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(self.shape)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return grad.reshape_as(x_like)


def reshape(x: T, *shape: int | tuple[int, ...]) -> T:
    """The elements of x in another shape; one size may be -1 and is then worked out.

    >>> from torch import empty
    >>> reshape(empty(6), 2, -1).shape
    torch.Size([2, 3])
    """
    return Reshape(flat_sizes(shape))(x)


class ReshapeAs(Op):
    """The elements of x in the shape of another tensor.  Shapes: any, any -> that of other."""

    symbol = "reshape"
    hint = "Both need the same number of elements."

    def forward(self, x: Tensor, other_like: Tensor) -> Tensor:
        return x.reshape_as(other_like)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return grad.reshape_as(x_like)


def reshape_as(x: T, other: Any) -> T:
    """The elements of x in the shape of `other`.

    >>> from torch import empty
    >>> reshape_as(empty(6), empty(3, 2)).shape
    torch.Size([3, 2])
    """
    return ReshapeAs()(x, other)


class Transpose(Op):
    """Two dimensions change places.  Shapes: (..., n, ..., m, ...) -> (..., m, ..., n, ...)."""

    symbol = "ᵀ"
    dim0: int
    dim1: int

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(self.dim0, self.dim1)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad.transpose(self.dim0, self.dim1)


def transpose(x: T, dim0: int, dim1: int) -> T:
    """Two dimensions of x change places.

    Raises:
        ShapeError: x has no such dimension.

    >>> from torch import empty
    >>> transpose(empty(2, 3, 4), 0, -1).shape
    torch.Size([4, 3, 2])
    """
    return Transpose(normal_dim(x, dim0), normal_dim(x, dim1))(x)


class Permute(Op):
    """The dimensions in another order: size i of the result is size dims[i] of x.  Shapes: any."""

    symbol = "permute"
    hint = "Name each dimension exactly once."
    dims: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.dims)

    def grad_x(self, grad: Tensor) -> Tensor:
        count = len(self.dims)
        place = {dim % count: i for i, dim in enumerate(self.dims)}
        return grad.permute(tuple(place[dim] for dim in range(count)))


def permute(x: T, *dims: int | tuple[int, ...]) -> T:
    """The dimensions of x in another order.

    >>> from torch import empty
    >>> permute(empty(2, 3, 4), 2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    return Permute(flat_sizes(dims))(x)


class Unsqueeze(Op):
    """A new dimension of size 1.  Shapes: (n, m) -> (n, 1, m) for dim=1."""

    symbol = "unsqueeze"
    dim: int

    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(self.dim)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return grad.reshape_as(x_like)


def unsqueeze(x: T, dim: int) -> T:
    """A new dimension of size 1 at place `dim`.

    Raises:
        ShapeError: the result would have no such dimension.

    >>> from torch import empty
    >>> unsqueeze(empty(2, 3), -1).shape
    torch.Size([2, 3, 1])
    """
    return Unsqueeze(normal_dim(x, dim, extra=1))(x)


class Squeeze(Op):
    """A dimension of size 1 taken away.  Shapes: (n, 1, m) -> (n, m) for dim=1."""

    symbol = "squeeze"
    dim: int

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[self.dim] != 1:
            raise ShapeError(f"dimension {self.dim} has the size {x.shape[self.dim]}, not 1")
        return x.squeeze(self.dim)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad.unsqueeze(self.dim)


def squeeze(x: T, dim: Dims = None) -> T:
    """Dimensions of size 1 taken away: those named, or all of them; other sizes stay as they are.

    Raises:
        ShapeError: x has no such dimension, or its size is unknown until x is fed (it may be 1).

    >>> from torch import empty
    >>> squeeze(empty(2, 1, 3, 1)).shape
    torch.Size([2, 3])
    """
    for each in reversed(normal_dims(x, dim) if x.ndim else ()):
        if x.shape[each] is None:
            if dim is None:
                continue
            raise ShapeError(
                f"squeeze: the size of dimension {each} is unknown until it is fed, "
                f"of {described(x)}. "
                "Name a dimension whose size is known, or use reshape."
            )
        if x.shape[each] == 1:
            x = Squeeze(each)(x)
    return x
