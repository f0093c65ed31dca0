"""Slots: where each value lies, as numbers, before any memory exists.

A slot is a part of a buffer, in the way that a tensor is a part of a storage. It has the methods
that change how a tensor is viewed, so that the rule of a view, given a slot, returns a slot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from torch import empty, empty_strided

if TYPE_CHECKING:
    from torch import Tensor, dtype

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


def _view(name: str) -> Callable[..., Slot]:
    """The method of a tensor that views it in another way, as a method of a slot.

    It is called on a tensor without memory. If that would have to be copied, it raises `NotAView`.
    """

    def method(slot: Slot, *arguments: Any, **options: Any) -> Slot:
        layout = empty_strided(slot.shape, slot.strides, device="meta")
        try:
            seen: Tensor = getattr(layout, name)(*arguments, **options)
        except RuntimeError as error:
            raise NotAView from error
        offset = slot.offset + int(seen.storage_offset())
        return Slot(slot.buffer, offset, tuple(seen.shape), seen.stride(), slot.dtype)

    return method


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
        same_start = self.buffer is other.buffer and self.offset == other.offset
        return same_start and self.has_layout_of(other)

    def overlaps(self, other: Slot) -> bool:
        """True if both may have an element in common: their spans do."""
        (start, stop), (first, end) = self.span, other.span
        return self.buffer is other.buffer and start < end and first < stop

    def has_layout_of(self, other: Slot) -> bool:
        """True for the same shape, dtype and strides."""
        alike = self.shape == other.shape and self.dtype is other.dtype
        return alike and _is_same(self.shape, self.strides, other.strides)

    # the same elements, seen in another way

    def as_strided(self, shape: Shape, strides: Shape, offset: int | None = None) -> Slot:
        """Any part of the same buffer."""
        at = self.offset if offset is None else offset
        return Slot(self.buffer, at, shape, strides, self.dtype)

    @property
    def mT(self) -> Slot:  # noqa: N802 - as a tensor calls it
        """The matrix transposed."""
        return self.transpose(-2, -1)

    def flatten(self, *dims: int) -> Slot:
        """Several dimensions in one.

        Raises:
            NotAView: a tensor would be copied for it.
        """
        return self.view(empty(self.shape, device="meta").flatten(*dims).shape)

    def reshape_as(self, other: Slot) -> Slot:
        """The shape of another slot."""
        return self.view(other.shape)

    def expand_as(self, other: Slot) -> Slot:
        """The shape of another slot, with dimensions of size 1 repeated."""
        return self.expand(other.shape)

    detach = _view("detach")
    permute = _view("permute")
    transpose = _view("transpose")
    reshape = view = _view("view")
    unflatten = _view("unflatten")
    squeeze = _view("squeeze")
    unsqueeze = _view("unsqueeze")
    expand = _view("expand")
    narrow = _view("narrow")
    unfold = _view("unfold")
    diagonal = _view("diagonal")
    __getitem__ = _view("__getitem__")


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
