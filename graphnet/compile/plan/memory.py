"""Memory of a program: buffers that are made once, and reused after their last reader."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from torch import empty

if TYPE_CHECKING:
    from torch import Tensor, device, dtype


@dataclass(eq=False)
class Buffer:
    """What one or more nodes keep their values in.

    Attributes:
        storage: the memory, flat; None if a kernel makes a new tensor at each step.
        readers: how often the values in it will still be read.
        owned: True if it may be overwritten once nothing reads it any more.
        behind: buffers that may really hold the values; they are held as long as this one.
    """

    storage: Tensor | None
    readers: int
    owned: bool = True
    behind: tuple[Buffer, ...] = ()


@dataclass
class Arena:
    """Buffers that are free to be reused.

    Attributes:
        bytes: the memory that all buffers take together.
    """

    device: device | None = None
    bytes: int = 0
    _free: dict[dtype, list[Tensor]] = field(default_factory=dict)  # the smallest first

    def take(self, shape: tuple[int, ...], of: dtype, readers: int) -> tuple[Buffer, Tensor]:
        """The smallest free buffer that is large enough, and a tensor of this shape in it."""
        count = prod(shape)
        free = self._free.get(of, [])
        place = bisect_left(free, count, key=_size)
        if place < len(free) and count:
            storage = free.pop(place)
        else:
            storage = empty(count, dtype=of, device=self.device)
            self.bytes += storage.numel() * storage.element_size()
        return Buffer(storage, readers), storage[:count].view(shape)

    def release(self, buffer: Buffer) -> None:
        """Count a reading, and free the memory after the last one."""
        buffer.readers -= 1
        if buffer.readers == 0:
            self.give_back(buffer)
            for each in buffer.behind:
                self.release(each)

    def give_back(self, buffer: Buffer) -> None:
        """Let a buffer be reused."""
        if buffer.storage is not None and buffer.owned and buffer.storage.numel():
            insort(self._free.setdefault(buffer.storage.dtype, []), buffer.storage, key=_size)


def _size(storage: Tensor) -> int:
    return storage.numel()
