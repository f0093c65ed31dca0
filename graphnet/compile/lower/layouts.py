"""Layouts: which axis of a contraction vectors run along, and copies in which they can.

A vector of products is loaded from one factor and multiplied by one number of the other (the axis
is in the result), or by a vector of it (the axis is summed). Both need elements side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from graphnet.compile.lower.loops import Contraction, Map
from graphnet.compile.lower.scalars import Place, load
from graphnet.compile.plan.slots import Shape, Slot, new_slot

if TYPE_CHECKING:
    from graphnet.compile.lower.statements import Statements

MOST = 3
"""The summed axes that a target goes through without storing sums in between."""
LANES = 16
"""The numbers of a vector, for the estimate only."""
PER_VECTOR, PER_SUM = 0.6, 8.0
"""Cycles for a vector of products, and for adding up its lanes."""
NEAR, FAR, FEW = 1.2, 4.0, 4096
"""Cycles for copying a number to another order: one of a few, or one of many in distant places."""
SQUARE = 0.8
"""Cycles for a number of a matrix that is transposed square by square."""
CACHED = 80_000
"""The numbers that stay in the cache of a core, and may be used again and again."""
DEEP = 512
"""The rows of a panel of vectors that stays in the cache while all tiles beside it are summed."""
REUSED = 250
"""How often numbers must be used for each cycle of a copy in the order in which they are used."""


@dataclass(frozen=True)
class Choice:
    """An axis for the vectors, what must be copied for it, and an estimate of the cycles."""

    axis: int
    cycles: float


def arranged(lowering: Statements, statement: Contraction) -> None:
    """Add a contraction whose vectors run along the cheapest axis, after the copies it needs."""
    choices = [
        choice
        for axis in range(len(statement.sizes))
        if (choice := _choice(lowering, statement, axis)) is not None
    ]
    best = min(choices, key=lambda each: each.cycles, default=None)
    if best is None:
        as_it_is(lowering, statement)
        return
    lowering.done.work += best.cycles
    axis, out = best.axis, statement.out
    statement.vector = axis
    statement.x = turned(lowering, statement, statement.x, axis)
    statement.y = turned(lowering, statement, statement.y, axis)
    if axis < statement.kept and out.strides[axis] != 1:
        statement.out = new_slot(_order(out.shape, axis), out.dtype)
        statement.out = _back(statement.out, axis)
    if statement.start is not None and axis < statement.kept:
        statement.start = turned(lowering, statement, statement.start, axis)
    if axis < statement.kept:
        _along_rows(lowering, statement, axis)
    statement.parts = _parts(statement, axis)
    _begin(lowering, statement)
    lowering.add(statement)
    if statement.out is not out:
        lowering.copy(statement.node, out, statement.out)


def as_it_is(lowering: Statements, statement: Contraction) -> None:
    """Add a contraction without vectors, whose factors may lie in any order."""
    statement.vector = None
    lowering.done.work += prod(statement.sizes) * 2
    _begin(lowering, statement)
    lowering.add(statement)


def _begin(lowering: Statements, statement: Contraction) -> None:
    """Store what the sums start with, if they are added up in several turns."""
    if statement.adds or (summed_loops(statement) <= MOST and statement.parts is None):
        return
    node, out, start = statement.node, statement.out, statement.start
    if start is None:
        lowering.fill(node, out, 0.0)
    else:
        lowering.copy(node, out, start)
    statement.start = out


def _along_rows(lowering: Statements, statement: Contraction, vector: int) -> None:
    """Copy the factor whose numbers are used one by one, if they lie far apart and are used often.

    The rows of a tile are along the longest axis that only this factor depends on. Its numbers
    shall lie side by side along a summed axis, or, if there are few, along the rows.
    """
    of_rows = statement.y.strides[vector] != 0
    factor, other = (statement.x, statement.y) if of_rows else (statement.y, statement.x)
    sizes, kept = statement.sizes, statement.kept
    own = [axis for axis in range(kept) if factor.strides[axis] and not other.strides[axis]]
    rows = max(own, key=lambda axis: sizes[axis], default=None)
    near = [axis for axis, step in enumerate(factor.strides) if step == 1 and sizes[axis] > 1]
    if rows is None or not near or max(near) >= kept:
        return
    along = rows
    if rows in near:
        if _numel(factor) <= CACHED or not _is_matrix(statement):
            return
        along = max(range(kept, len(sizes)), key=lambda axis: sizes[axis])
    if prod(sizes) >= REUSED * copying(statement, factor, along):
        made = turned(lowering, statement, factor, along)
        statement.x, statement.y = (made, other) if of_rows else (other, made)


def _parts(statement: Contraction, vector: int) -> tuple[int, int] | None:
    """An axis to sum part by part, if what is read for each tile does not stay cached."""
    sizes, x, y = statement.sizes, statement.x, statement.y
    again = [each for each in (x, y) if each.strides[vector]]  # both, if the axis is summed
    numbers = sum(map(_numel, again))
    others = [axis for axis in range(statement.kept, len(sizes)) if axis != vector]
    axis = max(others, key=lambda each: x.strides[each] * (sizes[each] > 1), default=None)
    if axis is None or sizes[axis] == 1 or numbers <= CACHED:
        return None
    if vector < statement.kept:
        least = -(-prod(sizes[statement.kept :]) // DEEP)
    else:
        least = -(-numbers // CACHED)
    count = next((n for n in range(least, sizes[axis] + 1) if sizes[axis] % n == 0), sizes[axis])
    return (axis, count) if count > 1 else None


def summed_loops(statement: Contraction) -> int:
    """How many loops lead through the summed axes; axes with one common stride are one."""
    vector, count, last = statement.vector, 0, None
    for axis in range(statement.kept, len(statement.sizes)):
        size = statement.sizes[axis]
        if size == 1 or axis == vector:
            continue
        steps = [each.strides[axis] for each in (statement.x, statement.y)]
        if last is None or last != [step * size for step in steps]:
            count += 1
        last = steps
    return count + (vector is not None and vector >= statement.kept)


def _is_matrix(statement: Contraction) -> bool:
    """True for a product of matrices; a convolution sums along several axes."""
    return summed_loops(statement) == 1


def _choice(lowering: Statements, statement: Contraction, axis: int) -> Choice | None:
    """What vectors along an axis would cost; None if they would hold a single number.

    Along an axis of the result one factor is loaded as vectors, the other as a number for all
    lanes: exactly one of them may depend on it.
    """
    size, total = statement.sizes[axis], prod(statement.sizes)
    if size == 1 or not total:
        return None
    depend = [bool(factor.strides[axis]) for factor in (statement.x, statement.y)]
    if axis < statement.kept and depend[0] == depend[1]:
        return None
    vectors = total / size * -(-size // LANES)
    cycles = vectors * PER_VECTOR
    summed = axis >= statement.kept
    for factor in (statement.x, statement.y):
        if factor.strides[axis] == 0 and summed:
            return None
        if factor.strides[axis] not in (0, 1) and not _is_turned(lowering, factor, axis):
            cycles += copying(statement, factor, axis)
    if summed:  # both factors are loaded as vectors
        cycles *= 1.5
        cycles += prod(statement.sizes[: statement.kept]) * PER_SUM
    elif statement.out.strides[axis] != 1:
        if statement.adds:
            return None
        cycles += copying(statement, statement.out, axis)
    return Choice(axis, cycles)


def turned(lowering: Statements, statement: Contraction, factor: Slot, axis: int) -> Slot:
    """A factor whose elements lie side by side along an axis: itself, or a copy."""
    if factor.strides[axis] in (0, 1):
        return factor
    key = _key(factor, axis)
    if key not in lowering.turned:
        sizes = tuple(
            n if step else 1 for n, step in zip(factor.shape, factor.strides, strict=True)
        )
        made = _back(new_slot(_order(sizes, axis), factor.dtype), axis)
        given = factor.as_strided(sizes, factor.strides)
        lowering.add(Map(statement.node, sizes, load(given), Place(made)))
        strides = tuple(
            step if given else 0 for step, given in zip(made.strides, factor.strides, strict=True)
        )
        lowering.turned[key] = made.as_strided(factor.shape, strides)
    return lowering.turned[key]


def _is_turned(lowering: Statements, factor: Slot, axis: int) -> bool:
    return _key(factor, axis) in lowering.turned


def _key(factor: Slot, axis: int) -> tuple[object, ...]:
    return factor.buffer, factor.offset, factor.shape, factor.strides, axis


def _order(shape: Shape, axis: int) -> Shape:
    """A shape with one axis last."""
    return (*shape[:axis], *shape[axis + 1 :], shape[axis])


def _back(slot: Slot, axis: int) -> Slot:
    """A slot with its last axis at a place."""
    last = slot.ndim - 1
    return slot.permute([*range(axis), last, *range(axis, last)])


def copying(statement: Contraction, slot: Slot, axis: int) -> float:
    """The cycles for a copy whose numbers lie side by side along an axis."""
    count, steps = _numel(slot), zip(slot.shape, slot.strides, strict=True)
    near = max((n for n, step in steps if step == 1), default=1)
    if _is_matrix(statement) and min(near, slot.shape[axis]) >= LANES:
        return count * SQUARE
    return count * (NEAR if count < FEW else FAR)


def _numel(slot: Slot) -> int:
    return prod(n for n, step in zip(slot.shape, slot.strides, strict=True) if step)
