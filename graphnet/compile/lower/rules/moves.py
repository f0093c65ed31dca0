"""Operations that move numbers to known places, or fill in some that take no arithmetic."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.lower.scalars import Position, Scalar, as_scalar, call, select
from graphnet.ops.attention import AllHidden, LaterKeys
from graphnet.ops.broadcasting import OnesLike, Size, ZerosLike
from graphnet.ops.cumulative import Shift
from graphnet.ops.einsum import DiagEmbed
from graphnet.ops.gathering import Corner, InCorner
from graphnet.ops.indexing import Scatter, as_index
from graphnet.ops.joining import Cat, Stack
from graphnet.ops.padding import Pad
from graphnet.ops.random import DropoutMask
from graphnet.ops.shapes import Tril, Triu
from graphnet.ops.sizes import SliceGrad, part_of

if TYPE_CHECKING:
    from graphnet.compile.lower.lowering import Lowering, Rule
    from graphnet.compile.plan.slots import Shape, Slot
    from graphnet.graph import Node, Operation
    from graphnet.op import Op


def constant(value: float) -> Rule:
    """The same number everywhere."""

    def rule(low: Lowering, node: Operation) -> None:
        low.define(node, lambda shape: as_scalar(value, node.dtype))

    return rule


def size(low: Lowering, node: Operation) -> None:
    """A size, as a number."""
    found = cast("Any", node.sources[0]).shape[cast("Any", node.op).dim]
    low.define(node, lambda shape: as_scalar(found, node.dtype))


def cat(low: Lowering, node: Operation) -> None:
    """Each tensor in its part."""
    out, dim, start = low.place(node), cast("Any", node.op).dim, 0
    for source in node.inputs:
        count = cast("Shape", source.shape)[dim]
        _bring(low, node, source, out.narrow(dim, start, count))
        start += count
    low.keep(node, out)


def stack(low: Lowering, node: Operation) -> None:
    """Each tensor at its place."""
    out, dim = low.place(node), cast("Any", node.op).dim
    for place, source in enumerate(node.inputs):
        part = out.narrow(dim, place, 1)
        _bring(low, node, source, part.squeeze(dim))
    low.keep(node, out)


def _bring(low: Lowering, node: Operation, source: Node, to: Slot) -> None:
    """Bring a value to a part of another; what is not stored yet is computed there."""
    if source in low.slots:
        low.copy(node, to, low.slots[source])
    elif 0 not in to.shape:
        low.map(node, low.scalar(source, to.shape), to)


def around(value: float) -> Rule:
    """A part of a whole that is filled with a number elsewhere."""

    def rule(low: Lowering, node: Operation) -> None:
        out, part = low.place(node), cast("Node", node.sources[0])
        low.fill(node, out, value)
        low.keep(node, out)
        if 0 in cast("Shape", part.shape):
            return
        if isinstance(node.op, Scatter):
            inside = out[as_index(node.op.part)]
        elif isinstance(node.op, DiagEmbed):
            inside = out.diagonal(0, -2, -1)
        elif isinstance(node.op, SliceGrad):
            inside = out[part_of(node.op, node.inputs[2:])]
        else:
            inside = out[tuple(slice(n) for n in cast("Shape", part.shape))]
        low.copy(node, inside, low.stored(part))

    return rule


def corner(low: Lowering, node: Operation) -> None:
    """The first elements along each dimension."""
    whole = low.stored(cast("Node", node.sources[0]))
    if 0 in cast("Shape", node.shape):
        low.keep(node, low.place(node))
        return
    low.keep(node, whole[tuple(slice(n) for n in cast("Shape", node.shape))])


def pad(low: Lowering, node: Operation) -> None:
    """A border of one number; a negative amount cuts."""
    op, out = cast("Any", node.op), low.place(node)
    inside, given = out, low.stored(cast("Node", node.sources[0]))
    for dim, before, after in op.sides(given.ndim):
        left = given.shape[dim] + min(before, 0) + min(after, 0)
        given = given.narrow(dim, max(-before, 0), left)
        inside = inside.narrow(dim, max(before, 0), left)
    low.fill(node, out, op.value)
    low.copy(node, inside, given)
    low.keep(node, out)


def shift(low: Lowering, node: Operation) -> None:
    """Each element one place further; a number fills the first place."""
    op, out, given = cast("Any", node.op), low.place(node), low.stored(node.inputs[0])
    count, step = given.shape[op.dim], op.places
    low.keep(node, out)
    if not count:
        return
    rest = max(count - abs(step), 0)
    low.copy(
        node, out.narrow(op.dim, max(step, 0), rest), given.narrow(op.dim, max(-step, 0), rest)
    )
    low.fill(node, out.narrow(op.dim, 0 if step > 0 else count - 1, 1), op.value)


def triangle(comparison: str) -> Rule:
    """0 on one side of a diagonal."""

    def rule(low: Lowering, node: Operation) -> None:
        op, source = cast("Any", node.op), node.sources[0]

        def element(shape: Shape) -> Scalar:
            row, column = Position(len(shape) - 2), Position(len(shape) - 1)
            within = call(comparison, call("sub", column, row), op.diagonal, dtype=torch.bool)
            return select(within, low.scalar(source, shape), 0)

        low.define(node, element)

    return rule


def later_keys(low: Lowering, node: Operation) -> None:
    """True where the column is after the row."""

    def element(shape: Shape) -> Scalar:
        row, column = Position(len(shape) - 2), Position(len(shape) - 1)
        return call("gt", column, row, dtype=torch.bool)

    low.define(node, element)
    low.stored(node)


def all_hidden(low: Lowering, node: Operation) -> None:
    """True for a row of minus infinities."""
    source = cast("Node", node.sources[0])
    sizes, out = cast("Shape", source.shape), low.place(node)
    low.keep(node, out)
    low.reduce(
        node,
        "and",
        lambda shape: call("eq", low.scalar(source, shape), -inf, dtype=torch.bool),
        sizes,
        (len(sizes) - 1,),
        out.squeeze(-1),
    )


def dropout_mask(low: Lowering, node: Operation) -> None:
    """Random numbers: torch draws them before the step."""
    training = cast("Any", node.sources[1]).top
    if not training:
        constant(1.0)(low, node)
        return
    from graphnet.compile.plan.slots import new_slot

    slot = new_slot(cast("Shape", node.shape), node.dtype, made=True, owned=False)
    low.done.drawn[node] = low.keep(node, slot)


RULES: dict[type[Op], Rule] = {
    AllHidden: all_hidden,
    Cat: cat,
    Corner: corner,
    DiagEmbed: around(0.0),
    DropoutMask: dropout_mask,
    InCorner: around(0.0),
    LaterKeys: later_keys,
    OnesLike: constant(1.0),
    Pad: pad,
    Scatter: around(0.0),
    Shift: shift,
    Size: size,
    SliceGrad: around(0.0),
    Stack: stack,
    Tril: triangle("le"),
    Triu: triangle("ge"),
    ZerosLike: constant(0.0),
}
