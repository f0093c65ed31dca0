"""Joining: maps that follow each other, over the same places, in one nest of loops.

What one stores and the next one reads is then still in a register: the three maps of an Adam update
read seven arrays and write three, joined they read four.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graphnet.compile.lower.loops import Map
from graphnet.compile.lower.scalars import loads

if TYPE_CHECKING:
    from graphnet.compile.lower.loops import Lowered, Statement
    from graphnet.compile.plan.slots import Buffer, Slot


def joined(low: Lowered) -> Lowered:
    """A lowered program in which maps share loops where that changes no number."""
    statements: list[Statement] = []
    fed = {slot.buffer for slot in low.inputs.values()}
    for each in low.statements:
        last = statements[-1] if statements else None
        if isinstance(each, Map) and isinstance(last, Map) and _fits(last, each, fed):
            statements[-1] = replace(last, then=(*last.then, each))
        else:
            statements.append(each)
    return replace(low, statements=statements)


def _fits(before: Map, other: Map, fed: set[Buffer]) -> bool:
    """True if each place of a map needs nothing that the maps before do at other places."""
    maps = (before, *before.then)
    if not all(_is_plain(each) for each in (*maps, other)) or not _is_in_order_of(before, other):
        return False
    known = {slot.buffer for slot in before.slots()}
    shares = any(slot.buffer in known for slot in other.slots())
    return shares and all(_are_independent(each, other, fed) for each in maps)


def _is_in_order_of(before: Map, other: Map) -> bool:
    """True for maps over the same places, whose results lie in one order of memory."""
    places = zip(before.sizes, before.out.slot.strides, other.out.slot.strides, strict=False)
    return before.sizes == other.sizes and all(n == 1 or a == b for n, a, b in places)


def _is_plain(statement: Map) -> bool:
    """True if all memory lies in the order of the result, and each place is stored once."""
    out = statement.out.slot
    alike = all(
        step in (0, own)
        for slot in statement.slots()
        for step, own in zip(slot.strides, out.strides, strict=True)
    )
    computed = statement.out.terms or any(each.place.terms for each in loads(statement.element))
    return alike and not (computed or statement.adds or statement.in_order)


def _are_independent(first: Map, second: Map, fed: set[Buffer]) -> bool:
    """True if the second map may be computed place by place, beside the first one."""
    pairs = [(first.out.slot, second.out.slot)]
    pairs += [(each.place.slot, first.out.slot) for each in loads(second.element)]
    pairs += [(each.place.slot, second.out.slot) for each in loads(first.element)]
    return all(_is_apart(slot, written, fed) for slot, written in pairs)


def _is_apart(slot: Slot, written: Slot, fed: set[Buffer]) -> bool:
    """True if a place of one slot is never another place of the other; a weight may be fed."""
    if slot.buffer is not written.buffer:
        return slot.buffer not in fed or written.buffer.memory is None
    return slot.is_at(written) or not slot.overlaps(written)
