"""Joining and splitting tensors: cat, stack, split, chunk, unbind.

`Cat` and `Section` are each other's derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.op import Structural, T, View
from graphnet.ops.broadcasting import zeros_like
from graphnet.ops.dims import described, normal_dim, require_tensors
from graphnet.ops.dtypes import promoted
from graphnet.ops.indexing import select
from graphnet.ops.padding import Pad
from graphnet.validation import require_integer, require_integers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["cat", "chunk", "split", "stack", "unbind"]


class Cat(Structural):
    """Tensors joined along one dimension.  Shapes: (n, m), (k, m) -> (n + k, m)."""

    symbol = "cat"
    hint = "All sizes except that of dim must be the same."
    dim: int

    def forward(self, *tensors: Tensor) -> Tensor:
        shape = list(tensors[0].shape)
        for each in tensors:
            size = each.shape[self.dim] if each.ndim == len(shape) else 0
            if list(each.shape) != [*shape[: self.dim], size, *shape[self.dim + 1 :]]:
                raise ShapeError(
                    f"apart from dimension {self.dim}, {tuple(each.shape)} differs from "
                    f"{tuple(shape)}"
                )
        sizes = [each.shape[self.dim] for each in tensors]
        shape[self.dim] = sum(sizes)
        result = tensors[0].new_empty(shape)
        start = 0
        for size, each in zip(sizes, tensors, strict=True):
            result.narrow(self.dim, start, size).copy_(each)
            start += size
        return result

    def grad_tensors(self, grad: Tensor, place: int, *tensors_like: Tensor) -> Tensor:
        return Section(self.dim, place)(grad, *tensors_like)


class Section(View):
    """The section of x that belongs to one of several tensors joined along a dimension.

    Shapes: (n + k, m), (n, m), (k, m) -> (n, m) for place 0.
    """

    symbol = "section"
    dim: int
    place: int

    def forward(self, x: Tensor, *tensors_like: Tensor) -> Tensor:
        sizes = [each.shape[self.dim] for each in tensors_like]
        return x.narrow(self.dim, sum(sizes[: self.place]), sizes[self.place])

    def trial(self, x: Tensor, *tensors_like: Tensor) -> Tensor:
        return x.new_zeros(tensors_like[self.place].shape)

    def grad_x(self, grad: Tensor, *tensors_like: Tensor) -> Tensor:
        parts = [zeros_like(each) for each in tensors_like]
        parts[self.place] = grad
        return Cat(self.dim)(*parts)


def cat(tensors: Sequence[T], dim: int = 0) -> T:
    """Tensors joined along a dimension; one of shape (0,) is skipped.

    Shapes: (n, m), (k, m), ... -> (n + k + ..., m) for dim=0.

    Raises:
        ShapeError: there is no tensor, or a size other than that of `dim` differs.

    >>> from torch import empty
    >>> cat([empty(2, 3), empty(1, 3)]).shape
    torch.Size([3, 3])
    """
    joined: list[T] = _several("cat", tensors)
    joined = [each for each in joined if tuple(each.shape) != (0,)] or joined
    for each in joined:
        if not each.ndim:
            raise ShapeError(f"cat: {described(each)} has no dimension; ops.stack makes one.")
    return Cat(normal_dim(joined[0], dim))(*_of_one_dtype(joined))


class Stack(Structural):
    """Tensors of one shape joined along a new dimension.  Shapes: (n), (n) -> (2, n)."""

    symbol = "stack"
    hint = "All shapes must be the same; ops.cat joins along an existing dimension."
    dim: int

    def forward(self, *tensors: Tensor) -> Tensor:
        shape = tensors[0].shape
        for each in tensors:
            if each.shape != shape:
                raise ShapeError(f"{tuple(each.shape)} differs from {tuple(shape)}")
        result = tensors[0].new_empty((*shape[: self.dim], len(tensors), *shape[self.dim :]))
        for place, each in enumerate(tensors):  # autograd refuses writes into parts of an unbind
            result.select(self.dim, place).copy_(each)
        return result

    def grad_tensors(self, grad: Tensor, place: int) -> Tensor:
        return grad.select(self.dim, place)


def stack(tensors: Sequence[T], dim: int = 0) -> T:
    """Tensors of one shape joined along a new dimension.

    Shapes: (n), (n), ... -> (count, n) for dim=0.

    Raises:
        ShapeError: there is no tensor, or the shapes differ.

    >>> from torch import empty
    >>> stack([empty(2, 3), empty(2, 3)], dim=-1).shape
    torch.Size([2, 3, 2])
    """
    rows: list[T] = _several("stack", tensors)
    return Stack(normal_dim(rows[0], dim, extra=1))(*_of_one_dtype(rows))


def _of_one_dtype(tensors: list[T]) -> list[T]:
    """The tensors in the dtype to which torch promotes them; two floating dtypes are left."""
    kinds = {each.dtype for each in tensors}
    if len(kinds) == 1 or sum(each.is_floating_point for each in kinds) > 1:
        return tensors
    return list(promoted(*tensors))


def _several(name: str, tensors: Any) -> list[Any]:
    """The tensors to join, at least one."""
    if not isinstance(tensors, list | tuple) or not tensors:
        kind = "none" if isinstance(tensors, list | tuple) else type(tensors).__name__
        raise ShapeError(f"{name} takes a list or tuple of at least one tensor; got {kind}.")
    require_tensors(name, *tensors)
    return list(tensors)


class Split(View):
    """One of several pieces along a dimension.  Shapes: (n, m) -> (sizes[place], m)."""

    symbol = "split"
    hint = "The sizes must add up to that of the dimension."
    sizes: tuple[int, ...]
    dim: int
    place: int

    def forward(self, x: Tensor) -> Tensor:
        if sum(self.sizes) != x.shape[self.dim]:
            raise ShapeError(f"{self.sizes} do not add up to {x.shape[self.dim]}")
        return x.narrow(self.dim, sum(self.sizes[: self.place]), self.sizes[self.place])

    def grad_x(self, grad: Tensor) -> Tensor:
        before, after = sum(self.sizes[: self.place]), sum(self.sizes[self.place + 1 :])
        return Pad((0, 0) * (grad.ndim - 1 - self.dim) + (before, after))(grad)

    def trial(self, x: Tensor) -> Tensor:
        # A size unknown until it is fed may differ from those tried.
        sizes = (*x.shape[: self.dim], self.sizes[self.place], *x.shape[self.dim + 1 :])
        return x.new_zeros(()).expand(sizes)


def split(input: T, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[T, ...]:
    """The input in pieces along a dimension: equal ones (the last may be smaller) or given sizes.

    Raises:
        ShapeError: the sizes do not add up, one is negative, or equal pieces of a size that is
            unknown until the input is fed.

    >>> from torch import empty
    >>> [tuple(each.shape) for each in split(empty(5, 2), 3)]
    [(3, 2), (2, 2)]
    """
    dim = _split_dim("split", input, dim)
    if isinstance(split_size_or_sections, list | tuple):
        sizes = require_integers("split: a size", split_size_or_sections)
    else:
        sizes = _equal_sizes(require_integer("split: the size", split_size_or_sections), input, dim)
    if min(sizes, default=-1) < 0 or input.shape[dim] not in (None, sum(sizes)):
        raise ShapeError(
            f"split: the sizes {sizes} do not add up to the size of dimension {dim} of "
            f"{described(input)}."
        )
    return tuple(Split(sizes, dim, place)(input) for place in range(len(sizes)))


def _split_dim(name: str, x: Any, dim: int) -> int:
    """The index of the dimension to split, from 0."""
    if not x.ndim:
        raise ShapeError(f"{name}: {described(x)} has no dimension to split.")
    return normal_dim(x, dim)


def _equal_sizes(size: int, x: Any, dim: int) -> tuple[int, ...]:
    """The sizes of the pieces of a dimension, all equal except perhaps the last."""
    total = _known_size("split", x, dim)
    if size < 0 or (size == 0 and total):
        raise ShapeError(f"split: the size of a piece must be 1 or more; got {size}.")
    return tuple(min(size, total - at) for at in range(0, total, max(size, 1))) or (0,)


def chunk(input: T, chunks: int, dim: int = 0) -> tuple[T, ...]:
    """The input in at most `chunks` pieces along a dimension, equal except perhaps the last.

    Raises:
        ShapeError: `chunks` is not 1 or more, or the size is unknown until the input is fed.

    >>> from torch import empty
    >>> [len(each) for each in chunk(empty(5), 3)]
    [2, 2, 1]
    """
    require_integer("chunk: chunks", chunks, 1, ShapeError)
    dim = _split_dim("chunk", input, dim)
    total = _known_size("chunk", input, dim)
    return split(input, -(-total // chunks), dim) if total else split(input, [0] * chunks, dim)


def unbind(input: T, dim: int = 0) -> tuple[T, ...]:
    """The part at each index of a dimension, which is removed: the steps of a sequence.

    They are selected from about √n pieces of the input. The gradient of a part is padded with
    zeros to the size of its piece: padding n parts to the whole input would cost n².

    Raises:
        ShapeError: the input has no such dimension, or its size is unknown until the input is fed.

    >>> from torch import empty
    >>> [tuple(each.shape) for each in unbind(empty(2, 3), 1)]
    [(2,), (2,), (2,)]
    """
    dim = _split_dim("unbind", input, dim)
    total = _known_size("unbind", input, dim)
    pieces = split(input, isqrt(total - 1) + 1, dim) if total else ()
    return tuple(
        select(piece, dim, place) for piece in pieces for place in range(piece.shape[dim] or 0)
    )


def _known_size(name: str, x: Any, dim: int) -> int:
    """A size that must be known, since the number of pieces depends on it."""
    if x.shape[dim] is None:
        raise ShapeError(
            f"{name}: the size of dimension {dim} of {described(x)}, and so the number of pieces, "
            "is unknown until it is fed. Give the sizes: ops.split(x, [2, 3], dim)."
        )
    return int(x.shape[dim])
