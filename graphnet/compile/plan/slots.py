"""Slots: where each value lies, as numbers, before any memory exists.

A slot is a part of a buffer, in the way that a tensor is a part of a storage. It has the methods
that change how a tensor is viewed, so that the rule of a view, given a slot, returns a slot.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import dtype

Shape = tuple[int, ...]


class NotAView(Exception):  # noqa: N818 - a signal: the numbers must be copied to be seen so
    """No strides show the same memory in this shape."""


@dataclass(eq=False, slots=True)
class Buffer:
    """What one or more values lie in.

    Attributes:
        nbytes: its size.
        memory: what outlasts the step: the memory of a cell or a constant; None otherwise.
        made: True if a kernel makes it anew at each step, or if it is fed.
        owned: True if its values may be overwritten once nothing reads them any more.
        behind: buffers that a made one may be a view of; they are held as long as it is.
    """

    nbytes: int = 0
    memory: Any = None
    made: bool = False
    owned: bool = True
    behind: tuple[Buffer, ...] = ()

    @property
    def is_given(self) -> bool:
        """True if its memory comes from elsewhere: a cell, a kernel, or what is fed."""
        return self.made or self.memory is not None


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of a buffer; offset and strides count elements.

    >>> from torch import float32
    >>> slot = new_slot((2, 3), float32)
    >>> slot.mT.strides, slot.narrow(1, 1, 2).offset, slot.buffer.nbytes
    ((1, 3), 1, 24)
    """

    buffer: Buffer
    offset: int
    shape: Shape
    strides: Shape
    dtype: dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def is_fixed(self) -> bool:
        """True if it is the same memory at each step."""
        return not self.buffer.made

    @property
    def is_contiguous(self) -> bool:
        """True if the elements lie side by side in torch's usual order."""
        return _is_same(self.shape, self.strides, contiguous(self.shape))

    @property
    def span(self) -> tuple[int, int]:
        """The first element and the one after the last, counted from the start of the buffer."""
        if 0 in self.shape:
            return self.offset, self.offset
        last = sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        return self.offset, self.offset + last + 1

    def size(self, dim: int) -> int:
        """The size of a dimension."""
        return self.shape[dim]

    def is_at(self, other: Slot) -> bool:
        """True for the same elements in the same order; a single element has no stride."""
        return (
            self.buffer is other.buffer
            and self.offset == other.offset
            and self.has_layout_of(other)
        )

    def has_layout_of(self, other: Slot) -> bool:
        """True for the same shape, dtype and strides."""
        return (
            self.shape == other.shape
            and self.dtype is other.dtype
            and _is_same(self.shape, self.strides, other.strides)
        )

    # the same elements, seen in another way

    def as_strided(self, shape: Shape, strides: Shape, offset: int | None = None) -> Slot:
        """Any part of the same buffer."""
        at = self.offset if offset is None else offset
        return Slot(self.buffer, at, shape, strides, self.dtype)

    def detach(self) -> Slot:
        """The same: slots have no history."""
        return self

    def permute(self, *dims: Any) -> Slot:
        """The dimensions in another order."""
        order = _sizes(dims)
        return self.as_strided(
            tuple(self.shape[dim] for dim in order), tuple(self.strides[dim] for dim in order)
        )

    def transpose(self, dim0: int, dim1: int) -> Slot:
        """Two dimensions exchanged."""
        order = list(range(self.ndim))
        order[dim0], order[dim1] = order[dim1], order[dim0]
        return self.permute(order)

    @property
    def mT(self) -> Slot:  # noqa: N802 - as a tensor calls it
        """The matrix transposed."""
        return self.transpose(-2, -1)

    def reshape(self, *sizes: Any) -> Slot:
        """Another shape.

        Raises:
            NotAView: a tensor would be copied for it.
        """
        shape = _completed(_sizes(sizes), prod(self.shape))
        strides = _viewed(self.shape, self.strides, shape)
        if strides is None:
            raise NotAView
        return self.as_strided(shape, strides)

    view = reshape

    def reshape_as(self, other: Slot) -> Slot:
        """The shape of another slot."""
        return self.reshape(other.shape)

    def flatten(self, start: int = 0, end: int = -1) -> Slot:
        """Several dimensions in one."""
        if not self.ndim:
            return self.reshape(1)
        start, end = start % self.ndim, end % self.ndim
        size = prod(self.shape[start : end + 1])
        return self.reshape(*self.shape[:start], size, *self.shape[end + 1 :])

    def unflatten(self, dim: int, sizes: Shape) -> Slot:
        """One dimension as several."""
        dim %= self.ndim
        sizes = _completed(tuple(sizes), self.shape[dim])
        return self.reshape(*self.shape[:dim], *sizes, *self.shape[dim + 1 :])

    def squeeze(self, dim: int) -> Slot:
        """Without a dimension of size 1."""
        dim %= self.ndim
        return self.permute([each for each in range(self.ndim) if each != dim])

    def unsqueeze(self, dim: int) -> Slot:
        """With one more dimension of size 1."""
        dim %= self.ndim + 1
        step = self.shape[dim] * self.strides[dim] if dim < self.ndim else 1
        shape, strides = self.shape, self.strides
        return self.as_strided(
            (*shape[:dim], 1, *shape[dim:]), (*strides[:dim], step, *strides[dim:])
        )

    def expand(self, *sizes: Any) -> Slot:
        """Dimensions of size 1 repeated, without copies."""
        wanted = _sizes(sizes)
        new = len(wanted) - self.ndim
        shape = [*wanted[:new], *self.shape]
        strides = [*[0] * new, *self.strides]
        for dim in range(new, len(wanted)):
            if wanted[dim] not in (-1, shape[dim]):
                shape[dim], strides[dim] = wanted[dim], 0
        return self.as_strided(tuple(shape), tuple(strides))

    def expand_as(self, other: Slot) -> Slot:
        """The shape of another slot."""
        return self.expand(other.shape)

    def narrow(self, dim: int, start: int, length: int) -> Slot:
        """Some places of a dimension."""
        dim %= self.ndim
        start += self.shape[dim] if start < 0 else 0
        shape = (*self.shape[:dim], length, *self.shape[dim + 1 :])
        return self.as_strided(shape, self.strides, self.offset + start * self.strides[dim])

    def unfold(self, dim: int, size: int, step: int) -> Slot:
        """All windows along a dimension, each as a last dimension."""
        count = (self.shape[dim] - size) // step + 1
        shape, strides = list(self.shape), list(self.strides)
        shape[dim], strides[dim] = count, step * self.strides[dim]
        return self.as_strided((*shape, size), (*strides, self.strides[dim]))

    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Slot:
        """The places of two dimensions whose difference is the offset, as a last dimension."""
        dim1, dim2 = dim1 % self.ndim, dim2 % self.ndim
        (rows, down), (columns, along) = ((self.shape[d], self.strides[d]) for d in (dim1, dim2))
        count = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
        start = max(offset, 0) * along - min(offset, 0) * down if count else 0
        others = [each for each in range(self.ndim) if each not in (dim1, dim2)]
        rest = self.permute([*others, dim1, dim2])
        shape, strides = (*rest.shape[:-2], count), (*rest.strides[:-2], down + along)
        return self.as_strided(shape, strides, self.offset + start)

    def __getitem__(self, key: Any) -> Slot:
        """The part that integers, slices, None and an ellipsis select."""
        keys = list(key) if isinstance(key, tuple) else [key]
        used = sum(each is not None and each is not Ellipsis for each in keys)
        place = keys.index(Ellipsis) if Ellipsis in keys else len(keys)
        keys[place : place + 1] = [slice(None)] * (self.ndim - used)
        offset, shape, strides, dim = self.offset, [], [], 0
        for each in keys:
            if each is None:
                shape.append(1)
                strides.append(0)
                continue
            size, step = self.shape[dim], self.strides[dim]
            dim += 1
            if isinstance(each, slice):
                start, stop, by = each.indices(size)
                offset += start * step
                shape.append(len(range(start, stop, by)))
                strides.append(by * step)
            else:
                offset += (each % size) * step
        return self.as_strided(tuple(shape), tuple(strides), offset)


def new_slot(shape: Shape, of: dtype, *, made: bool = False, owned: bool = True) -> Slot:
    """A slot that is the whole of a new buffer."""
    buffer = Buffer(prod(shape) * of.itemsize, made=made, owned=owned)
    return Slot(buffer, 0, shape, contiguous(shape), of)


def contiguous(shape: Shape) -> Shape:
    """The strides of elements that lie side by side.

    >>> contiguous((2, 3, 4))
    (12, 4, 1)
    """
    strides, step = [1] * len(shape), 1
    for dim in range(len(shape) - 1, -1, -1):
        strides[dim] = step
        step *= max(shape[dim], 1)
    return tuple(strides)


def _is_same(shape: Shape, strides: Shape, others: Shape) -> bool:
    """True for equal strides where they matter."""
    if strides == others or 0 in shape:
        return True
    return all(
        n == 1 or step == other for n, step, other in zip(shape, strides, others, strict=True)
    )


def _sizes(given: tuple[Any, ...]) -> Shape:
    """Sizes given one by one, or as one sequence."""
    if len(given) == 1 and not isinstance(given[0], int):
        return tuple(given[0])
    return given


def _completed(shape: Shape, count: int) -> Shape:
    """The size in place of -1."""
    if -1 not in shape:
        return shape
    rest = prod(size for size in shape if size != -1)
    return tuple(count // max(rest, 1) if size == -1 else size for size in shape)


def _viewed(shape: Shape, strides: Shape, new: Shape) -> Shape | None:
    """The strides that show the same memory in another shape, found from the last dimension on.

    Runs of dimensions that lie side by side are split or joined; None if one would have to be cut.
    """
    if 0 in shape or not shape:
        return contiguous(new)
    found, place = [0] * len(new), len(new) - 1
    step, here, there = strides[-1], 1, 1
    for dim in range(len(shape) - 1, -1, -1):
        here *= shape[dim]
        if dim and (shape[dim - 1] == 1 or strides[dim - 1] == here * step):
            continue  # the run goes on
        while place >= 0 and (there < here or new[place] == 1):
            found[place] = there * step
            there *= new[place]
            place -= 1
        if there != here:
            return None
        if dim:
            step, here, there = strides[dim - 1], 1, 1
    return tuple(found) if place == -1 else None
