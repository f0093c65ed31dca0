"""Memory: where each buffer lies in one arena, which is reused after the last reader."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from graphnet.compile.plan.liveness import last_uses
from graphnet.compile.plan.slots import Buffer

if TYPE_CHECKING:
    from graphnet.compile.plan.calls import Call
    from graphnet.compile.plan.slots import Slot

LARGE = 65_536
"""From this number of bytes on, buffers start at multiples of 64, as torch's own memory does.

Smaller ones stay in the fastest cache, where it makes no difference; there a gap would cost more.
"""


class Arena:
    """Bytes that are taken and given back, from the smallest gap that is large enough.

    Attributes:
        nbytes: how many are needed in all.
    """

    def __init__(self) -> None:
        self.nbytes = 0
        self._gaps: list[tuple[int, int]] = []  # (size, start), the smallest first
        self._after: dict[int, int] = {}  # the size of the gap that starts here
        self._before: dict[int, int] = {}  # the size of the gap that ends here

    def take(self, size: int, multiple: int) -> int:
        """The start of a free piece of this size, a multiple of a number."""
        for place in range(bisect_left(self._gaps, (size, 0)), len(self._gaps)):
            length, first = self._gaps[place]
            start = _up(first, multiple)
            if start + size <= first + length:
                break
        else:  # no gap is large enough; the last one grows if it ends the arena
            length = self._before.get(self.nbytes, 0)
            first = self.nbytes - length
            start = _up(first, multiple)
            self.nbytes = start + size
        if length:
            self._remove(first, length)
        self.give_back(first, start - first)
        self.give_back(start + size, first + length - start - size)
        return start

    def give_back(self, start: int, size: int) -> None:
        """Let a piece be reused, as one with the gaps beside it."""
        if size <= 0:
            return
        before, after = self._before.get(start, 0), self._after.get(start + size, 0)
        if before:
            self._remove(start - before, before)
        if after:
            self._remove(start + size, after)
        start, size = start - before, before + size + after
        insort(self._gaps, (size, start))
        self._after[start] = self._before[start + size] = size

    def _remove(self, start: int, size: int) -> None:
        del self._gaps[bisect_left(self._gaps, (size, start))]
        del self._after[start], self._before[start + size]


def plan(calls: Sequence[Call], kept: Iterable[Slot]) -> tuple[dict[Buffer, int], int]:
    """The first byte of each buffer that a program needs, and the bytes of all together."""
    arena, starts = Arena(), dict[Buffer, int]()
    dying: dict[int, list[Buffer]] = {}
    for buffer, place in last_uses(calls, kept).items():
        if _is_planned(buffer):
            dying.setdefault(place, []).append(buffer)
    for place, call in enumerate(calls):
        for slot in call.slots():
            buffer = slot.buffer
            if buffer not in starts and _is_planned(buffer):
                multiple = 64 if buffer.nbytes >= LARGE else slot.dtype.itemsize
                starts[buffer] = arena.take(buffer.nbytes, multiple)
        for buffer in dying.get(place, ()):
            if buffer in starts:  # else it has become a part of another
                arena.give_back(starts[buffer], buffer.nbytes)
    return starts, arena.nbytes


def _is_planned(buffer: Buffer) -> bool:
    """True for memory of this program: not fed, made by a kernel, or outlasting the step."""
    return bool(buffer.nbytes) and not buffer.made and buffer.memory is None


def _up(number: int, multiple: int) -> int:
    """The next multiple.

    >>> _up(8, 8), _up(9, 8)
    (8, 16)
    """
    return -(-number // multiple) * multiple
