"""Maxima and minima, of all elements or along dimensions, and their indices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from graphnet.errors import GraphError
from graphnet.op import Op, T
from graphnet.ops.arithmetic import mul
from graphnet.ops.dims import Dims, normal_dim, restore_dims
from graphnet.ops.dtypes import Convert, narrowed, widened
from graphnet.ops.gathering import gather
from graphnet.ops.limits import maximum, minimum
from graphnet.ops.reductions import Reduction, reduced_dims
from graphnet.ops.selected import Selected
from graphnet.ops.shapes import squeeze
from graphnet.validation import require_flags

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["amax", "amin", "argmax", "argmin", "max", "min"]

_NOT_EMPTY = "A dimension of size 0 has no largest and no smallest element."


class _Extreme(Reduction, abstract=True):
    """The largest or the smallest element along some dimensions."""

    hint = _NOT_EMPTY


class Amax(_Extreme):
    """y = the largest x along some dimensions; equal ones share the gradient evenly.

    Shapes: (n, m) -> (n) for dims (1,).
    """

    symbol = "max"

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(self.dims, self.keepdim)

    def grad_x(self, grad: Tensor, x: Tensor, top: Tensor) -> Tensor:
        ties = x.eq(restore_dims(top, self.dims, self.keepdim))
        share = widened(restore_dims(grad, self.dims, self.keepdim) * ties)
        return narrowed(share / Convert(share.dtype)(ties.sum(self.dims, True)), grad)


class Amin(_Extreme):
    """y = the smallest x along some dimensions; equal ones share the gradient evenly.

    Shapes: (n, m) -> (n) for dims (1,).
    """

    symbol = "min"
    grad_x = Amax.grad_x

    def forward(self, x: Tensor) -> Tensor:
        return x.amin(self.dims, self.keepdim)


def amax(input: T, dim: Dims = (), keepdim: bool = False) -> T:
    """The largest element of the input, or the largest along the given dimensions.

    Equal ones share the gradient evenly, whereas `max` with a dimension gives it to the first.

    Raises:
        ShapeError: the input has no such dimension, or its size is 0.

    >>> from torch import empty
    >>> amax(empty(2, 3).fill_(4), dim=1)
    tensor([4., 4.])
    """
    return Amax(reduced_dims(input, dim), keepdim)(input)


def amin(input: T, dim: Dims = (), keepdim: bool = False) -> T:
    """The smallest element of the input, or the smallest along the given dimensions.

    Equal ones share the gradient evenly, whereas `min` with a dimension gives it to the first.

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
        ties = x.eq(top) | x.ne(x)  # where any x is NaN, so is the top
        return narrowed(widened(grad) / ties.sum(), grad) * ties


class Min(Op):
    """y = the smallest x of all; equal ones share the gradient evenly, NaNs too.

    Shapes: s -> ().
    """

    symbol = "min"
    hint = _NOT_EMPTY
    grad_x = Max.grad_x

    def forward(self, x: Tensor) -> Tensor:
        return x.min()


class _Place(Op, abstract=True):
    """The index of an element; no gradient flows."""

    hint = _NOT_EMPTY
    dim: int | None = None
    keepdim: bool = False
    grad_x = None


class Argmax(_Place):
    """The index of the first largest element; no gradient flows.  Shapes: (n, m) -> (n)."""

    symbol = "argmax"

    def forward(self, x: Tensor) -> Tensor:
        return x.argmax(self.dim, self.keepdim)


def argmax(input: T, dim: int | None = None, keepdim: bool = False) -> T:
    """The index of the first largest element, along a dimension or in the flattened input.

    Raises:
        ShapeError: the input has no such dimension, or its size is 0.

    >>> from torch import empty
    >>> argmax(empty(2, 3).fill_(4), dim=1)
    tensor([0, 0])
    """
    return Argmax(None if dim is None else normal_dim(input, dim), keepdim)(input)


class Argmin(_Place):
    """The index of the first smallest element; no gradient flows.  Shapes: (n, m) -> (n)."""

    symbol = "argmin"

    def forward(self, x: Tensor) -> Tensor:
        return x.argmin(self.dim, self.keepdim)


def argmin(input: T, dim: int | None = None, keepdim: bool = False) -> T:
    """The index of the first smallest element, along a dimension or in the flattened input.

    Raises:
        ShapeError: the input has no such dimension, or its size is 0.

    >>> from torch import empty
    >>> argmin(empty(2, 3).fill_(4), dim=1)
    tensor([0, 0])
    """
    return Argmin(None if dim is None else normal_dim(input, dim), keepdim)(input)


@overload
def max(input: T, dim: T | None = None, keepdim: bool = False) -> T: ...
@overload
def max(input: T, dim: int, keepdim: bool = False) -> Selected[T]: ...
def max(input: T, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; with a dimension, (values, indices); with a tensor, `maximum`.

    Equal ones share the gradient evenly, but along a dimension the first one gets all of it.

    Raises:
        ShapeError: the input has no such dimension, or no elements.

    >>> from torch import empty
    >>> max(empty(2, 3).fill_(4), dim=1)
    Selected(values=tensor([4., 4.]), indices=tensor([0, 0]))
    """
    if dim is None:
        return Max()(_alone("max", input, keepdim))
    if hasattr(dim, "ndim"):
        return maximum(input, dim)
    return _at(input, dim, argmax(_ranks(input), dim, True), keepdim)


@overload
def min(input: T, dim: T | None = None, keepdim: bool = False) -> T: ...
@overload
def min(input: T, dim: int, keepdim: bool = False) -> Selected[T]: ...
def min(input: T, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; with a dimension, (values, indices); with a tensor, `minimum`.

    Equal ones share the gradient evenly, but along a dimension the first one gets all of it.

    Raises:
        ShapeError: the input has no such dimension, or no elements.

    >>> from torch import empty
    >>> min(empty(2, 3).fill_(4), dim=1)
    Selected(values=tensor([4., 4.]), indices=tensor([0, 0]))
    """
    if dim is None:
        return Min()(_alone("min", input, keepdim))
    if hasattr(dim, "ndim"):
        return minimum(input, dim)
    return _at(input, dim, argmin(_ranks(input), dim, True), keepdim)


def _alone(name: str, x: T, keepdim: bool) -> T:
    """x, if there is no dimension to keep."""
    if keepdim:
        raise GraphError(f"{name}: keepdim needs a dimension; ops.a{name} keeps all dimensions.")
    return x


def _ranks(x: Any) -> Any:
    """x, with booleans as 0 and 1, since argmax does not take booleans."""
    return mul(x, 1) if str(x.dtype) == "torch.bool" else x


def _at(x: T, dim: int, places: T, keepdim: bool) -> Selected[T]:
    """The elements of x at these indices of a dimension, and the indices."""
    require_flags(keepdim=keepdim)
    values = gather(x, dim, places)
    if keepdim or not x.ndim:
        return Selected(values, places)
    return Selected(squeeze(values, dim), squeeze(places, dim))
