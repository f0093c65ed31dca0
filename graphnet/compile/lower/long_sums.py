"""Long sums: many rows as blocks of rows, whose sums are added to each other.

A number that is added to a much larger sum is rounded to the sum's last place. Among n numbers that
are added one by one the error grows with n, in blocks with the size and the count of the blocks.

Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.compile.lower.loops import Reduction
from graphnet.compile.lower.scalars import load, loads, positions, relocated
from graphnet.compile.plan.slots import new_slot

if TYPE_CHECKING:
    from graphnet.compile.lower.statements import Statements
    from graphnet.compile.plan.slots import Slot

ROWS = 64
"""The rows of a block."""


def in_blocks(low: Statements, statement: Reduction) -> Reduction:
    """The last step of a sum of rows, after the sums of blocks; the sum itself if it is short.

    A sum along numbers that lie side by side stays whole: a target adds many of them at once.
    """
    axis = _long_axis(statement)
    if axis is None:
        return statement
    kept, sizes = statement.kept, statement.sizes
    blocks, rest = divmod(sizes[axis], ROWS)
    shape = sizes[:kept]
    sums = new_slot((blocks + bool(rest), *shape), statement.out.dtype)
    order = [axis, *(dim for dim in range(len(sizes) + 1) if dim != axis)]

    def see(slot: Slot) -> Slot:
        whole = slot.narrow(axis, 0, blocks * ROWS)
        return whole.unflatten(axis, (blocks, ROWS)).permute(*order)

    inner = (*sizes[:axis], ROWS, *sizes[axis + 1 :])
    of_blocks = relocated(statement.element, see)
    node, given = statement.node, sums.narrow(0, 0, blocks)
    low.add(Reduction(node, (blocks, *inner), kept + 1, "add", of_blocks, given))
    if rest:
        left = relocated(statement.element, lambda slot: slot.narrow(axis, blocks * ROWS, rest))
        inner = (*sizes[:axis], rest, *sizes[axis + 1 :])
        low.add(Reduction(node, inner, kept, "add", left, sums.narrow(0, blocks, 1).squeeze(0)))
    seen = load(sums.permute(*range(1, sums.ndim), 0))
    return in_blocks(low, Reduction(node, seen.place.slot.shape, kept, "add", seen, statement.out))


def _long_axis(statement: Reduction) -> int | None:
    """The axis of many rows along which floating-point numbers are added."""
    if statement.function != "add" or not statement.out.dtype.is_floating_point:
        return None
    if positions(statement.element):
        return None
    strides = [each.place.slot.strides for each in loads(statement.element)]
    for axis in range(statement.kept, len(statement.sizes)):
        steps = {each[axis] for each in strides}  # 0 for what all rows have in common
        if steps - {0} and 1 not in steps and statement.sizes[axis] >= 4 * ROWS:
            return axis
    return None
