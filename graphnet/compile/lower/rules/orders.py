"""Elements in another order: reversed, moved in a circle, sorted, on a diagonal; and in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.lower.loops import Map
from graphnet.compile.lower.scalars import (
    Place,
    Position,
    Scalar,
    broadcast_to,
    call,
    load,
    select,
)
from graphnet.ops.diagonals import DiagonalScatter
from graphnet.ops.random import RandLike, RandnLike
from graphnet.ops.ranges import Positions
from graphnet.ops.rearranging import Flip, Roll
from graphnet.ops.sorting import Argsort

if TYPE_CHECKING:
    from graphnet.compile.lower.lowering import Lowering, Rule
    from graphnet.compile.plan.slots import Shape, Slot
    from graphnet.graph import Operation
    from graphnet.op import Op

Source = Callable[[Scalar, int, int], Scalar]
"""From which index an element comes, given its own index, the size, and the number of the dim."""


def moved(source: Source) -> Rule:
    """Each element from another index along some dimensions."""

    def rule(low: Lowering, node: Operation) -> None:
        x, dims = low.stored(node.inputs[0]), cast("Any", node.op).dims
        if not prod(x.shape):
            low.keep(node, low.place(node))
            return

        def element(shape: Shape) -> Scalar:
            first = len(shape) - x.ndim
            terms = [
                (x.strides[dim], source(Position(first + dim), x.shape[dim], each))
                for each, dim in enumerate(dims)
            ]
            return load(broadcast_to(_firsts(x, dims), shape), *terms)

        low.define(node, element)

    return rule


def _firsts(slot: Slot, dims: Sequence[int]) -> Slot:
    """The first element along some dimensions, whose sizes become 1."""
    for dim in dims:
        slot = slot.narrow(dim, 0, 1)
    return slot


def flip(low: Lowering, node: Operation) -> None:
    """The last element first."""
    moved(lambda index, size, _: call("sub", size - 1, index))(low, node)


def roll(low: Lowering, node: Operation) -> None:
    """Each element some places further, in a circle."""
    shifts = cast("Any", node.op).shifts

    def source(index: Scalar, size: int, place: int) -> Scalar:
        back = shifts[place] % size
        wrapped = call("add", index, size - back)
        begins = call("lt", index, back, dtype=torch.bool)
        return select(begins, wrapped, call("sub", index, back))

    moved(source)(low, node)


def argsort(low: Lowering, node: Operation) -> None:
    """The rank of each element is the number of those that come before it."""
    given, op = low.stored(node.inputs[0]), cast("Any", node.op)
    whole = low.place(node)
    low.keep(node, whole)
    x, out = (each if each.ndim else each.unsqueeze(0) for each in (given, whole))
    if not prod(x.shape):
        return
    dim, last = op.dim % x.ndim, x.ndim
    sizes = (*x.shape, x.shape[dim])
    others = x.unsqueeze(-1).transpose(dim, -1)  # (.., 1 at dim, .., n)

    def before(shape: Shape) -> Scalar:
        this, other = load(broadcast_to(x.unsqueeze(-1), shape)), load(broadcast_to(others, shape))
        earlier = call("lt", Position(last), Position(dim), dtype=torch.bool)
        less = _less(this, other) if op.descending else _less(other, this)
        more = _less(other, this) if op.descending else _less(this, other)
        return select(less, 1, select(more, 0, select(earlier, 1, 0)))

    rank = low.reduce(node, "add", before, sizes, (last,))
    low.fill(node, out, 0)
    to = Place(broadcast_to(_firsts(out, (dim,)), x.shape), ((out.strides[dim], load(rank)),))
    low.add(Map(node, x.shape, Position(dim), to, adds=True))


def _less(x: Scalar, y: Scalar) -> Scalar:
    """x comes before y; NaN is the largest number."""
    if not x.dtype.is_floating_point:
        return call("lt", x, y, dtype=torch.bool)
    numbers = call("and", call("eq", x, x, dtype=torch.bool), call("ne", y, y, dtype=torch.bool))
    return call("or", call("lt", x, y, dtype=torch.bool), numbers, dtype=torch.bool)


def diagonal_scatter(low: Lowering, node: Operation) -> None:
    """Zeros, but for a diagonal."""
    op, out, given = cast("Any", node.op), low.place(node), low.stored(node.inputs[0])
    low.fill(node, out, 0.0)
    low.keep(node, out)
    if prod(given.shape):
        low.copy(node, out.diagonal(op.offset, op.dim1, op.dim2), given)


def positions(low: Lowering, node: Operation) -> None:
    """0, 1, 2, ..."""
    low.define(node, lambda shape: Position(len(shape) - 1))
    low.stored(node)


def drawn(low: Lowering, node: Operation) -> None:
    """Random numbers: torch draws them before the step."""
    from graphnet.compile.plan.slots import new_slot

    slot = new_slot(cast("Shape", node.shape), node.dtype, made=True, owned=False)
    low.done.drawn[node] = low.keep(node, slot)


RULES: dict[type[Op], Rule] = {
    Argsort: argsort,
    DiagonalScatter: diagonal_scatter,
    Flip: flip,
    Positions: positions,
    RandLike: drawn,
    RandnLike: drawn,
    Roll: roll,
}
