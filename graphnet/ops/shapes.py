"""Operations that rearrange elements without changing them: reshape, transpose, squeeze."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.op import Structural, T, View
from graphnet.ops.dims import Dims, described, normal_dim, normal_dims, unpacked
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "flatten",
    "permute",
    "reshape",
    "reshape_as",
    "squeeze",
    "transpose",
    "tril",
    "triu",
    "unsqueeze",
    "view",
]


class Reshape(View):
    """The same elements in the same order, in another shape.  Shapes: any -> shape."""

    symbol = "reshape"
    hint = "The product of the sizes must stay the same; one size may be -1."
    shape: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(self.shape)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return grad.reshape_as(x_like)


def reshape(input: T, *shape: int | tuple[int, ...]) -> T:
    """The elements of the input in another shape; one size may be -1 and is then inferred.

    >>> from torch import empty
    >>> reshape(empty(6), 2, -1).shape
    torch.Size([2, 3])
    """
    return Reshape(unpacked(shape))(input)


def view(input: T, *shape: int | tuple[int, ...]) -> T:
    """The elements of the input in another shape, like `reshape`; memory may be shared or not.

    Raises:
        ShapeError: the number of elements differs.

    >>> from torch import empty
    >>> view(empty(6), 2, -1).shape
    torch.Size([2, 3])
    """
    return reshape(input, *shape)


class Flatten(View):
    """Dimensions from start to end as one.  Shapes: (n, c, h, w) -> (n, c h w) for 1 to 3."""

    symbol = "flatten"
    start: int
    end: int
    grad_x = Reshape.grad_x

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(self.start, self.end)


def flatten(input: T, start_dim: int = 0, end_dim: int = -1) -> T:
    """The dimensions from `start_dim` to `end_dim` as one; a scalar becomes a vector.

    Raises:
        ShapeError: the input has no such dimension, or the end comes before the start.

    >>> from torch import empty
    >>> flatten(empty(2, 3, 4), 1).shape
    torch.Size([2, 12])
    """
    start, end = normal_dim(input, start_dim), normal_dim(input, end_dim)
    if start > end:
        raise ShapeError(
            f"flatten: start_dim={start_dim} comes after end_dim={end_dim} in {described(input)}."
        )
    return input if start == end and input.ndim else Flatten(start, end)(input)


class ReshapeAs(View):
    """The elements of x in the shape of another tensor.  Shapes: any, any -> that of other."""

    symbol = "reshape"
    hint = "Both must have the same number of elements."
    grad_x = Reshape.grad_x

    def forward(self, x: Tensor, other_like: Tensor) -> Tensor:
        return x.reshape_as(other_like)


def reshape_as(input: T, other: Any) -> T:
    """The elements of the input in the shape of `other`.

    >>> from torch import empty
    >>> reshape_as(empty(6), empty(3, 2)).shape
    torch.Size([3, 2])
    """
    return ReshapeAs()(input, other)


class Transpose(View):
    """Two dimensions swapped.  Shapes: (..., n, ..., m, ...) -> (..., m, ..., n, ...)."""

    symbol = "ᵀ"
    dim0: int
    dim1: int

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(self.dim0, self.dim1)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad.transpose(self.dim0, self.dim1)


def transpose(input: T, dim0: int, dim1: int) -> T:
    """The input with two dimensions swapped.

    Raises:
        ShapeError: the input has no such dimension.

    >>> from torch import empty
    >>> transpose(empty(2, 3, 4), 0, -1).shape
    torch.Size([4, 3, 2])
    """
    return Transpose(normal_dim(input, dim0), normal_dim(input, dim1))(input)


class Permute(View):
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


def permute(input: T, *dims: int | tuple[int, ...]) -> T:
    """The dimensions of the input in another order.

    >>> from torch import empty
    >>> permute(empty(2, 3, 4), 2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    return Permute(unpacked(dims))(input)


class Unsqueeze(View):
    """A new dimension of size 1.  Shapes: (n, m) -> (n, 1, m) for dim=1."""

    symbol = "unsqueeze"
    dim: int
    grad_x = Reshape.grad_x

    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(self.dim)


def unsqueeze(input: T, dim: int) -> T:
    """The input with a new dimension of size 1 at index `dim`.

    Raises:
        ShapeError: the result would have no such dimension.

    >>> from torch import empty
    >>> unsqueeze(empty(2, 3), -1).shape
    torch.Size([2, 3, 1])
    """
    return Unsqueeze(normal_dim(input, dim, extra=1))(input)


class Squeeze(View):
    """A dimension of size 1 removed.  Shapes: (n, 1, m) -> (n, m) for dim=1."""

    symbol = "squeeze"
    dim: int

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[self.dim] != 1:
            raise ShapeError(f"dimension {self.dim} has the size {x.shape[self.dim]}, not 1")
        return x.squeeze(self.dim)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad.unsqueeze(self.dim)


def squeeze(input: T, dim: Dims = None) -> T:
    """The input without the given dimensions of size 1, or all of them; other sizes stay.

    Raises:
        ShapeError: the input has no such dimension, or its size is unknown until it is fed.

    >>> from torch import empty
    >>> squeeze(empty(2, 1, 3, 1)).shape
    torch.Size([2, 3])
    """
    dims = normal_dims(input, dim)  # refuses what is not a dimension, also for a scalar
    for each in reversed(dims if input.ndim else ()):
        if input.shape[each] is None:
            if dim is None:
                continue
            raise ShapeError(
                f"squeeze: the size of dimension {each} is unknown until it is fed, "
                f"of {described(input)}. "
                "Name a dimension whose size is known, or use reshape."
            )
        if input.shape[each] == 1:
            input = Squeeze(each)(input)
    return input


class Tril(Structural):
    """The lower triangle of a matrix, zeros above it.  Shapes: (..., n, m) -> the same."""

    symbol = "tril"
    hint = "A matrix has two dimensions; batch dimensions may precede them."
    diagonal: int = 0

    def forward(self, x: Tensor) -> Tensor:
        return x.tril(self.diagonal)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad.tril(self.diagonal)


def tril(input: T, diagonal: int = 0) -> T:
    """The elements on and below a diagonal, zeros elsewhere; 1 is the diagonal above the main one.

    Raises:
        ShapeError: the input has fewer than two dimensions.

    >>> from torch import empty
    >>> tril(empty(2, 2).fill_(3))
    tensor([[3., 0.],
            [3., 3.]])
    """
    return Tril(require_integer("tril: the diagonal", diagonal))(input)


class Triu(Structural):
    """The upper triangle of a matrix, zeros below it.  Shapes: (..., n, m) -> the same."""

    symbol = "triu"
    hint = "A matrix has two dimensions; batch dimensions may precede them."
    diagonal: int = 0

    def forward(self, x: Tensor) -> Tensor:
        return x.triu(self.diagonal)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad.triu(self.diagonal)


def triu(input: T, diagonal: int = 0) -> T:
    """The elements on and above a diagonal, zeros elsewhere; 1 is the diagonal above the main one.

    Raises:
        ShapeError: the input has fewer than two dimensions.

    >>> from torch import empty
    >>> triu(empty(2, 2).fill_(3))
    tensor([[3., 3.],
            [0., 3.]])
    """
    return Triu(require_integer("triu: the diagonal", diagonal))(input)
