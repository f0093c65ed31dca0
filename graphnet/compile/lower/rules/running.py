"""Sums that run along a dimension: each element needs the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.lower.loops import Map
from graphnet.compile.lower.scalars import Place, Scalar, call, converted, load
from graphnet.ops.cumulative import Cumsum, Recurrence

if TYPE_CHECKING:
    from graphnet.compile.lower.lowering import Lowering, Rule
    from graphnet.compile.plan.slots import Slot
    from graphnet.graph import Operation
    from graphnet.op import Op


def running(low: Lowering, node: Operation) -> None:
    """y[i] = x[i] + f[i] y[i - 1] along a dimension, with f = 1 for a running sum."""
    op, out = cast("Any", node.op), low.place(node)
    operands = [low.stored(cast("Any", source)) for source in node.sources]
    low.keep(node, out)
    if not node.ndim:
        low.copy(node, out, operands[0])
        return
    dim, count = op.dim % node.ndim, out.shape[op.dim % node.ndim]
    if 0 in out.shape:
        return
    x, *factor = operands
    ends = count - 1 if op.reverse else 0
    low.copy(node, out.narrow(dim, ends, 1), x.narrow(dim, ends, 1))
    if count == 1:
        return

    def later(slot: Slot, by: int) -> Slot:
        part = slot.narrow(dim, 1 - by if op.reverse else by, count - 1)
        return flipped(part, dim) if op.reverse else part

    before: Scalar = load(later(out, 0))
    if factor:
        before = call("mul", load(later(factor[0], 1)), before)
    value = call("add", converted(load(later(x, 1)), node.dtype), before)
    rest = later(out, 1)
    low.add(Map(node, rest.shape, value, Place(rest), in_order=True))


def flipped(slot: Slot, dim: int) -> Slot:
    """A dimension from its end to its start."""
    strides = list(slot.strides)
    offset = slot.offset + (slot.shape[dim] - 1) * strides[dim]
    strides[dim] = -strides[dim]
    return slot.as_strided(slot.shape, tuple(strides), offset)


RULES: dict[type[Op], Rule] = {Cumsum: running, Recurrence: running}
