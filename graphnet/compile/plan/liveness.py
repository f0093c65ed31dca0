"""Liveness: from which call to which a buffer holds something that will be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Buffer, Slot


def last_uses(
    calls: Sequence[Any], kept: Iterable[Slot], *, views: bool = True
) -> dict[Buffer, int]:
    """The place of the last call that uses each buffer, directly or through a view.

    Args:
        calls: the program.
        kept: what is still read when all calls have been made.
        views: False to count direct uses only, where views hold the memory that they see.
    """
    last: dict[Buffer, int] = {}
    for slot in kept:
        _extend(last, slot.buffer, len(calls), views)
    for place in range(len(calls) - 1, -1, -1):
        for slot in calls[place].slots():
            if slot.buffer not in last:
                _extend(last, slot.buffer, place, views)
    return last


def _extend(last: dict[Buffer, int], buffer: Buffer, place: int, views: bool) -> None:
    """Note a use of a buffer, and so of all that it may be a view of."""
    waiting = [buffer]
    while waiting:
        each = waiting.pop()
        if last.get(each, -1) < place:
            last[each] = place
            if views:
                waiting += each.behind
