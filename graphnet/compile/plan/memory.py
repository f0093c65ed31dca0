"""Memory: where each buffer lies in one arena, whose bytes are reused after the last reader."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphnet.compile.plan.liveness import last_uses
from graphnet.compile.plan.slots import Buffer

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Slot

LARGE = 65_536
"""From this number of bytes on, buffers start at multiples of 64, as torch's own memory does.

Smaller ones stay in the fastest cache, where it makes no difference.
"""

MANY = 1_000  # buffers; packing more of them tightly would take longer than compiling them


class Life(NamedTuple):
    """How much memory a buffer needs, and when.

    Attributes:
        nbytes: its size.
        first: the place of the first call that uses it.
        last: the place of the last one.
        multiple: what its first byte is a multiple of.
    """

    nbytes: int
    first: int
    last: int
    multiple: int


def plan(
    calls: Sequence[Any], kept: Iterable[Slot], multiple: int = 1
) -> tuple[dict[Buffer, int], int]:
    """The first byte of each buffer that a program needs, and the bytes of all together.

    Args:
        calls: the program; each call tells its `slots()`.
        kept: what is still read when all calls have been made.
        multiple: what the first byte of even a small buffer is a multiple of.
    """
    lives, last = dict[Buffer, Life](), last_uses(calls, kept)
    for place, call in enumerate(calls):
        for slot in call.slots():
            buffer = slot.buffer
            if buffer.nbytes and buffer not in lives and not buffer.is_given:
                small = max(slot.dtype.itemsize, multiple)
                aligned = 64 if buffer.nbytes >= LARGE else small
                lives[buffer] = Life(buffer.nbytes, place, last[buffer], aligned)
    ordered = list(lives.values())
    starts = by_size(ordered) if len(ordered) <= MANY else in_turn(ordered)
    stops = (start + life.nbytes for start, life in zip(starts, ordered, strict=True))
    return dict(zip(lives, starts, strict=True)), max(stops, default=0)


def by_size(lives: Sequence[Life]) -> list[int]:
    """The first byte of each: the largest first, as low as those allow that live at its time.

    >>> by_size([Life(8, 0, 1, 4), Life(4, 1, 2, 4), Life(8, 2, 3, 4)])
    [0, 8, 0]
    """
    starts = [0] * len(lives)
    placed: list[tuple[int, int, int, int]] = []  # start, stop, first, last
    for place in sorted(range(len(lives)), key=lambda place: -lives[place].nbytes):
        nbytes, first, last, multiple = lives[place]
        start = 0
        for other, stop, begin, end in placed:  # the lowest first
            if begin <= last and first <= end:
                if start + nbytes <= other:
                    break
                start = max(start, _up(stop, multiple))
        insort(placed, (start, start + nbytes, first, last))
        starts[place] = start
    return starts


def in_turn(lives: Sequence[Life]) -> list[int]:
    """The first byte of each, in order of time: the smallest piece that is free and large enough.

    >>> in_turn([Life(8, 0, 1, 4), Life(4, 1, 2, 4), Life(8, 2, 3, 4)])
    [0, 8, 0]
    """
    free: list[tuple[int, int]] = []  # size, start; the smallest first
    ending: dict[int, list[tuple[int, int]]] = {}
    starts, top, now = list[int](), 0, 0
    for nbytes, first, last, multiple in lives:
        for time in range(now, first):
            for piece in ending.pop(time, ()):
                insort(free, piece)
        now = first
        place = bisect_left(free, (nbytes, 0))
        while place < len(free) and free[place][1] % multiple:
            place += 1
        if place < len(free):
            size, start = free.pop(place)
        else:
            size, start = nbytes, _up(top, multiple)
            top = start + size
        ending.setdefault(last, []).append((size, start))
        starts.append(start)
    return starts


def _up(number: int, multiple: int) -> int:
    """The next multiple."""
    return -(-number // multiple) * multiple
