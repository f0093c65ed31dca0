"""Parts of a tensor, `x[...]`, and the operations that put the parts back.

`Index` and `Scatter`, `Take` and `Put` are each other's derivatives.
As in torch, `x[key]` first applies integers, slices and None, and then integer tensors. These
tensors are inputs, not options: an index may change at every walk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.op import Op, Structural, T, View
from graphnet.ops.dims import described, normal_dim
from graphnet.ops.dtypes import narrowed, widened
from graphnet.ops.keys import as_option, checked_index, parts_of, require_in_range
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["getitem", "narrow", "select"]

Key = tuple[Any, ...]
"""The key in the brackets, for an op: ints, None, "...", and (start, stop, step) for slices."""

ALL = (None, None, None)
"""The key for a whole dimension: `:`."""


def as_index(key: Key) -> tuple[Any, ...]:
    """A key as tensors take it; Python 3.11 cannot hash slices, so options hold tuples."""
    return tuple(
        slice(*each) if isinstance(each, tuple) else Ellipsis if each == "..." else each
        for each in key
    )


class Index(View):
    """The part of x that integers, slices, None and an ellipsis select.

    Shapes: (n, m) -> (m) for a number, (k, m) for a slice of k.
    """

    symbol = "x[·]"
    hint = "An index counts from 0, or back from -1; a step must be 1 or more."
    part: Key

    def forward(self, x: Tensor) -> Tensor:
        return x[as_index(self.part)]

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return Scatter(self.part)(grad, x_like)

    def trial(self, x: Tensor) -> Tensor:
        # A size unknown until it is fed may be larger than those tried: indices always fit here.
        sizes = list(x.shape)
        for dim, number in numbers_of(self.part, x.ndim):
            sizes[dim] = max(sizes[dim], number + 1, -number)
        return x.new_zeros(()).expand(sizes)[as_index(self.part)]


class Scatter(Structural):
    """Zeros in the shape of another tensor, but x in the part that `part` selects.

    Shapes: (m), (n, m) -> (n, m) for a number.
    """

    symbol = "scatter"
    part: Key

    def forward(self, x: Tensor, other_like: Tensor) -> Tensor:
        result = x.new_zeros(other_like.shape)
        result[as_index(self.part)] = x
        return result

    def grad_x(self, grad: Tensor) -> Tensor:
        return Index(self.part)(grad)

    def trial(self, x: Tensor, other_like: Tensor) -> Tensor:
        return x.new_zeros(other_like.shape)


class Take(Structural):
    """The elements of x that integer tensors select, one tensor for each of some dims.

    Shapes: (n, m), (k) -> (k, m) for dims (0,), and (n, m), (k), (k) -> (k) for dims (0, 1).
    """

    symbol = "x[i]"
    hint = "Indices must broadcast with each other."
    dims: tuple[int, ...]

    def forward(self, x: Tensor, *indices: Tensor) -> Tensor:
        found = dict(zip(self.dims, indices, strict=True))
        return x[tuple(found.get(dim, slice(None)) for dim in range(max(self.dims) + 1))]

    def grad_x(self, grad: Tensor, x_like: Tensor, *indices: Tensor) -> Tensor:
        return Put(self.dims)(grad, x_like, *indices)

    grad_indices = None


class Put(Op):
    """Zeros in the shape of another tensor, plus each element of x at its index.

    Shapes: (k, m), (n, m), (k) -> (n, m) for dims (0,).
    """

    symbol = "put"
    dims: tuple[int, ...]

    def forward(self, x: Tensor, other_like: Tensor, *indices: Tensor) -> Tensor:
        wide = widened(x)  # torch adds in the dtype of the result, however many there are
        result = wide.new_zeros(other_like.shape)
        # torch adds along the first dimensions: the indexed ones move there, in both tensors.
        separated = len(self.dims) <= max(self.dims) - min(self.dims)
        first, count = 0 if separated else min(self.dims), max(index.ndim for index in indices)
        source = wide.movedim(tuple(range(first, first + count)), tuple(range(count)))
        front = result.movedim(self.dims, tuple(range(len(self.dims))))
        front.index_put_(indices, source, accumulate=True)
        return narrowed(result, x)

    def grad_x(self, grad: Tensor, *indices: Tensor) -> Tensor:
        return Take(self.dims)(grad, *indices)

    grad_indices = None


def numbers_of(key: Key, ndim: int) -> list[tuple[int, int]]:
    """The integers in a key, each with the dimension of x that it is for."""
    found = []
    dim = 0
    taken = len(key) - key.count(None) - key.count("...")
    for each in key:
        if isinstance(each, int) and dim < ndim:
            found.append((dim, each))
        dim += max(ndim - taken, 0) if each == "..." else each is not None
    return found


def getitem(x: T, key: Any) -> T:
    """The part of x that `x[key]` selects.

    The key is one of these or a tuple of them: an integer, a slice with a positive step, None
    for a new dimension, `...`, integer tensors or nodes, lists of integers, and tensors of
    booleans, which select where they are true. Elements that are selected several times get the sum
    of their gradients.

    Raises:
        ShapeError: an index is out of range, there are more of them than dimensions, or a mask
            does not have the sizes of its dimensions.
        DtypeError: an index does not hold integers, or a mask is a node: then the size of the
            result would depend on values.

    >>> from torch import empty
    >>> getitem(empty(4, 5), (0, slice(1, None, 2))).shape
    torch.Size([2])
    >>> getitem(empty(4, 5), [0, 2]).shape
    torch.Size([2, 5])
    """
    parts = parts_of(x, key)
    basic: list[Any] = []
    chosen: list[tuple[int, Any]] = []  # the dimension after the basic part, and the index
    dim = 0
    dims_left = x.ndim - len([each for each in parts if each is not None and each is not Ellipsis])
    for each in parts:
        if hasattr(each, "dtype"):
            basic.append(ALL)
            chosen.append((dim, checked_index(x, each)))
        else:
            basic.append(as_option(x, each))
        if each is Ellipsis:
            dim += max(dims_left, 0)
        elif not isinstance(basic[-1], int):
            dim += 1
    taken = _basic(x, tuple(basic))
    for place, index in chosen:
        require_in_range(taken, index, place)
    for place, index in reversed([each for each in chosen if each[1].ndim == 0]):
        taken = Take((place,))(taken, index)  # a scalar index is applied first, as an int is
        chosen = [(dim - (dim > place), each) for dim, each in chosen if each is not index]
    if not chosen:
        return taken
    return Take(tuple(dim for dim, _ in chosen))(taken, *(index for _, index in chosen))


def _basic(x: T, key: Key) -> T:
    """The part of x without the tensor indices; x itself if that is all of x."""
    for dim, number in numbers_of(key, x.ndim):
        known = x.shape[dim]
        if known is not None and not -known <= number < known:
            raise ShapeError(
                f"index {number} is out of range: dimension {dim} of {described(x)} has the size "
                f"{known}."
            )
    whole = all(each in (ALL, "...") for each in key) and len(key) <= x.ndim
    return x if whole and key.count("...") < 2 and len(key) else Index(key)(x)


def select(input: T, dim: int, index: int) -> T:
    """The part of the input at one index of a dimension, which is removed.

    Raises:
        ShapeError: the input has no such dimension, or the index is out of range.

    >>> from torch import empty
    >>> select(empty(2, 3), 1, -1).shape
    torch.Size([2])
    """
    if not input.ndim:
        raise ShapeError(f"select: {described(input)} has no dimension to select from.")
    place = require_integer("select: the index", index)
    return _basic(input, (ALL,) * normal_dim(input, dim) + (place,))


class Narrow(View):
    """A range of one dimension.  Shapes: (n, m) -> (length, m) for dim=0."""

    symbol = "narrow"
    hint = "The range must lie within the dimension."
    dim: int
    start: int
    length: int

    def forward(self, x: Tensor) -> Tensor:
        return x.narrow(self.dim, self.start, self.length)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        stop = self.start + self.length
        stretch = (self.start, None if self.start < 0 and stop == 0 else stop, None)
        return Scatter((ALL,) * self.dim + (stretch,))(grad, x_like)

    def trial(self, x: Tensor) -> Tensor:
        # As in `Index`: a size unknown until it is fed may be larger than those tried.
        sizes = (*x.shape[: self.dim], self.length, *x.shape[self.dim + 1 :])
        return x.new_zeros(()).expand(sizes)


def narrow(input: T, dim: int, start: int, length: int) -> T:
    """`length` elements of a dimension from `start`, which may count back from the end.

    Raises:
        ShapeError: the range does not lie within the dimension.

    >>> from torch import empty
    >>> narrow(empty(5, 2), 0, 1, 3).shape
    torch.Size([3, 2])
    """
    if not input.ndim:
        raise ShapeError(f"narrow: {described(input)} has no dimension to take a range of.")
    start = require_integer("narrow: the start", start)
    length = require_integer("narrow: the length", length)
    dim = normal_dim(input, dim)
    known = input.shape[dim]
    first = start + known if known is not None and start < 0 else start
    if length < 0 or (known is not None and not 0 <= first <= known - length):
        raise ShapeError(
            f"narrow: {length} elements from {start} do not lie within dimension {dim} of "
            f"{described(input)}."
        )
    return Narrow(dim, first, length)(input)
