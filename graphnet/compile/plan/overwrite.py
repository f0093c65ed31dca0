"""Overwriting: a result is put where an operand lies that nothing else will read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from graphnet.compile.plan.liveness import last_uses
from graphnet.compile.plan.slots import Slot

if TYPE_CHECKING:
    from graphnet.compile.plan.calls import Call
    from graphnet.compile.plan.slots import Buffer


class Moves:
    """Which buffers have become parts of others."""

    def __init__(self) -> None:
        self._of: dict[Buffer, tuple[Slot, Slot]] = {}

    def add(self, old: Slot, new: Slot) -> None:
        """Let the buffer of a slot lie where another slot of the same layout is."""
        self._of[old.buffer] = (old, new)
        old.buffer.behind += (new.buffer,)  # what may be a view of the one is a view of the other

    def __call__(self, slot: Slot) -> Slot:
        """Where a slot lies now."""
        found = self._of.get(slot.buffer)
        if found is None:
            return slot
        old, new = found
        if slot == old:
            return new
        offset = new.offset + slot.offset - old.offset
        return Slot(new.buffer, offset, slot.shape, slot.strides, slot.dtype)


def overwrite(calls: Sequence[Call], kept: Iterable[Slot]) -> tuple[list[Call], Moves]:
    """The same calls, each writing over an operand where it may; and what has moved."""
    moves, last = Moves(), last_uses(calls, kept)
    done: list[Call] = []
    for place, each in enumerate(calls):
        call = each.moved(moves)
        if (found := _overwritten(call, place, last)) is not None:
            out, given = found
            moves.add(out, given)
            last[given.buffer] = last[out.buffer]
            call = call.moved(moves)
        elif call.otherwise is not None:
            call = call.otherwise.moved(moves)
        done.append(call)
    return done, moves


def _overwritten(call: Call, place: int, last: dict[Buffer, int]) -> tuple[Slot, Slot] | None:
    """The result of a call, and the operand that it may write over, if there is one."""
    out = call.out[0] if call.over else None
    if out is None or not out.buffer.owned or out.buffer.memory is not None:
        return None  # it has its place already
    for name in call.over:
        given = call.args[name]
        if isinstance(given, Slot) and _is_free(given, out, call, place, last):
            return out, given
    return None


def _is_free(given: Slot, out: Slot, call: Call, place: int, last: dict[Buffer, int]) -> bool:
    """True if only this call still reads an operand, which has the layout of the result."""
    buffer = given.buffer
    if not buffer.owned or buffer.memory is not None or last[buffer] != place:
        return False
    if buffer.made != out.buffer.made or given.shape != out.shape or given.dtype is not out.dtype:
        return False
    if not buffer.made and not given.has_layout_of(out):
        return False
    return all(each == given for each in call.reads() if each.buffer is buffer)
