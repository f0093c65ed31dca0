"""Values that are computed in the memory of what they are computed from: less RAM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphnet.compile.lower.loops import Map
from graphnet.compile.lower.scalars import loads
from graphnet.compile.plan.liveness import last_uses
from graphnet.compile.plan.slots import Buffer

if TYPE_CHECKING:
    from graphnet.compile.lower.loops import Statement
    from graphnet.compile.plan.slots import Slot


def in_place(statements: Sequence[Statement]) -> dict[Buffer, Buffer]:
    """For buffers that may lie where another one lies, that one.

    A map may overwrite what it reads if nothing reads it later, and if each place reads only the
    element that it stores.
    """
    last = last_uses(statements, ())
    same: dict[Buffer, Buffer] = {}
    seen = set[Buffer]()
    for place, statement in enumerate(statements):
        buffers = [slot.buffer for slot in statement.slots()]
        if isinstance(statement, Map) and statement.out.slot.buffer not in seen:
            made = statement.out.slot.buffer
            for buffer in dict.fromkeys(buffers):
                root = same.get(buffer, buffer)
                if root is not made and last[root] == place and _fits(statement, buffer):
                    same[made] = root
                    last[root] = last[made]
                    break
        seen.update(buffers)
    return same


def _fits(statement: Map, buffer: Buffer) -> bool:
    """True if a map may store its result in a buffer that it reads."""
    out = statement.out.slot
    if statement.adds or statement.in_order or statement.out.terms:
        return False
    if buffer.is_given or out.buffer.is_given:
        return False
    if not buffer.nbytes or buffer.nbytes != out.buffer.nbytes:
        return False
    read = (each.place for each in loads(statement.element) if each.place.slot.buffer is buffer)
    return all(not place.terms and _is_at(place.slot, out) for place in read)


def _is_at(slot: Slot, out: Slot) -> bool:
    """True for the same elements of buffers of the same size."""
    return slot.offset == out.offset and slot.has_layout_of(out)
