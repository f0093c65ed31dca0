"""The largest and the smallest: of all elements, along dimensions, and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError
from graphnet.op import Op, T
from graphnet.ops.arguments import require_flag
from graphnet.ops.arithmetic import mul
from graphnet.ops.dims import Dims, normal_dim, restore_dims
from graphnet.ops.dtypes import Convert, narrowed, widened
from graphnet.ops.gathering import gather
from graphnet.ops.limits import maximum, minimum
from graphnet.ops.reductions import reduced_dims
from graphnet.ops.shapes import squeeze

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["amax", "amin", "argmax", "argmin", "max", "min"]

_NOT_EMPTY = "A dimension of size 0 has no largest element, and no smallest."


class Amax(Op):
    """y = the largest x along some dimensions; equal ones share the gradient evenly.

    Shapes: (n, m) -> (n) for dims (1,).
    """

    symbol = "max"
    hint = _NOT_EMPTY
    dims: tuple[int, ...]
    keepdim: bool = False

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(self.dims, self.keepdim)

    def grad_x(self, grad: Tensor, x: Tensor, top: Tensor) -> Tensor:
        return _share(grad, x, top, self.dims, self.keepdim)


class Amin(Op):
    """y = the smallest x along some dimensions; equal ones share the gradient evenly.

    Shapes: (n, m) -> (n) for dims (1,).
    """

    symbol = "min"
    hint = _NOT_EMPTY
    dims: tuple[int, ...]
    keepdim: bool = False

    def forward(self, x: Tensor) -> Tensor:
        return x.amin(self.dims, self.keepdim)

    def grad_x(self, grad: Tensor, x: Tensor, top: Tensor) -> Tensor:
        return _share(grad, x, top, self.dims, self.keepdim)


def _share(grad: Tensor, x: Tensor, top: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """The gradient shared evenly by all elements that are equal to the reduced one."""
    ties = x.eq(restore_dims(top, dims, keepdim))
    share = widened(restore_dims(grad, dims, keepdim) * ties)
    return narrowed(share / Convert(share.dtype)(ties.sum(dims, True)), grad)


def amax(input: T, dim: Dims = (), keepdim: bool = False) -> T:
    """The largest elements of the input: of all of them, or along the dimensions named.

    Equal ones share the gradient evenly, where `max` with a dimension gives it to the first.

    Raises:
        ShapeError: the input has no such dimension, or its size is 0.

    >>> from torch import empty
    >>> amax(empty(2, 3).fill_(4), dim=1)
    tensor([4., 4.])
    """
    return Amax(reduced_dims(input, dim), keepdim)(input)


def amin(input: T, dim: Dims = (), keepdim: bool = False) -> T:
    """The smallest elements of the input: of all of them, or along the dimensions named.

    Equal ones share the gradient evenly, where `min` with a dimension gives it to the first.

    Raises:
        ShapeError: the input has no such dimension, or its size is 0.

    >>> from torch import empty
    >>> amin(empty(2, 3).fill_(4), dim=1)
    tensor([4., 4.])
    """
    return Amin(reduced_dims(input, dim), keepdim)(input)


class Max(Op):
    """y = the largest x of all; equal ones share the gradient evenly, NaNs too.

    Shapes: s -> ().
    """

    symbol = "max"
    hint = _NOT_EMPTY

    def forward(self, x: Tensor) -> Tensor:
        return x.max()

    def grad_x(self, grad: Tensor, x: Tensor, top: Tensor) -> Tensor:
        return _share_of_all(grad, x, top)


class Min(Op):
    """y = the smallest x of all; equal ones share the gradient evenly, NaNs too.

    Shapes: s -> ().
    """

    symbol = "min"
    hint = _NOT_EMPTY

    def forward(self, x: Tensor) -> Tensor:
        return x.min()

    def grad_x(self, grad: Tensor, x: Tensor, top: Tensor) -> Tensor:
        return _share_of_all(grad, x, top)


def _share_of_all(grad: Tensor, x: Tensor, top: Tensor) -> Tensor:
    """The gradient shared evenly by all that equal the top, and by all NaNs: they are the top."""
    ties = x.eq(top) | x.ne(x)
    return narrowed(widened(grad) / ties.sum(), grad) * ties


class Argmax(Op):
    """The place of the first of the largest elements; no gradient flows.  Shapes: (n, m) -> (n)."""

    symbol = "argmax"
    hint = _NOT_EMPTY
    dim: int | None = None
    keepdim: bool = False

    def forward(self, x: Tensor) -> Tensor:
        return x.argmax(self.dim, self.keepdim)

    grad_x = None


def argmax(input: T, dim: int | None = None, keepdim: bool = False) -> T:
    """The place of the first of the largest elements, along a dimension or of all as one vector.

    Raises:
        ShapeError: the input has no such dimension, or its size is 0.

    >>> from torch import empty
    >>> argmax(empty(2, 3).fill_(4), dim=1)
    tensor([0, 0])
    """
    return Argmax(None if dim is None else normal_dim(input, dim), keepdim)(input)


class Argmin(Op):
    """The place of the first of the smallest elements; no gradient.  Shapes: (n, m) -> (n)."""

    symbol = "argmin"
    hint = _NOT_EMPTY
    dim: int | None = None
    keepdim: bool = False

    def forward(self, x: Tensor) -> Tensor:
        return x.argmin(self.dim, self.keepdim)

    grad_x = None


def argmin(input: T, dim: int | None = None, keepdim: bool = False) -> T:
    """The place of the first of the smallest elements, along a dimension or of all as one vector.

    Raises:
        ShapeError: the input has no such dimension, or its size is 0.

    >>> from torch import empty
    >>> argmin(empty(2, 3).fill_(4), dim=1)
    tensor([0, 0])
    """
    return Argmin(None if dim is None else normal_dim(input, dim), keepdim)(input)


def max(input: T, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; with a dimension (values, indices); with a tensor the larger of both.

    Equal ones share the gradient evenly, but along a dimension the first one gets all of it.

    Raises:
        ShapeError: the input has no such dimension, or no elements.

    >>> from torch import empty
    >>> max(empty(2, 3).fill_(4), dim=1)
    (tensor([4., 4.]), tensor([0, 0]))
    """
    if dim is None:
        return Max()(_alone("max", input, keepdim))
    if hasattr(dim, "ndim"):
        return maximum(input, dim)
    return _at(input, dim, argmax(_ranks(input), dim, True), keepdim)


def min(input: T, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; with a dimension (values, indices); with a tensor the smaller of both.

    Equal ones share the gradient evenly, but along a dimension the first one gets all of it.

    Raises:
        ShapeError: the input has no such dimension, or no elements.

    >>> from torch import empty
    >>> min(empty(2, 3).fill_(4), dim=1)
    (tensor([4., 4.]), tensor([0, 0]))
    """
    if dim is None:
        return Min()(_alone("min", input, keepdim))
    if hasattr(dim, "ndim"):
        return minimum(input, dim)
    return _at(input, dim, argmin(_ranks(input), dim, True), keepdim)


def _alone(name: str, x: T, keepdim: bool) -> T:
    """x, if nothing but all of it is asked for."""
    if keepdim:
        raise GraphError(f"{name}: keepdim needs a dimension; ops.a{name} keeps all of them.")
    return x


def _ranks(x: Any) -> Any:
    """x, but 0 and 1 for booleans, which argmax does not compare."""
    return mul(x, 1) if str(x.dtype) == "torch.bool" else x


def _at(x: T, dim: int, places: T, keepdim: bool) -> tuple[T, T]:
    """The elements of x at these places of a dimension, and the places."""
    require_flag(keepdim=keepdim)
    values = gather(x, dim, places)
    if keepdim or not x.ndim:
        return values, places
    return squeeze(values, dim), squeeze(places, dim)
