"""Placement: where a value will be needed, so that it can be computed there directly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from graphnet.compile.ir.program import Cell, is_foreign
from graphnet.compile.plan.slots import Buffer, Slot
from graphnet.graph import Operation
from graphnet.ops.joining import Cat
from graphnet.ops.shapes import Reshape, ReshapeAs

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Program
    from graphnet.graph import Node
    from graphnet.op import Op


class Cells:
    """The slots of what outlasts a step: one buffer for each piece of memory."""

    def __init__(self) -> None:
        self._buffers: dict[object, Buffer] = {}

    def slot(self, tensor: Tensor) -> Slot:
        """Where a tensor lies; those that share memory lie in one buffer."""
        key = tensor.untyped_storage().data_ptr() or id(tensor), tensor.dtype
        buffer = self._buffers.get(key)
        if buffer is None:
            buffer = self._buffers[key] = Buffer(memory=tensor, owned=False)
        shape, strides = tuple(tensor.shape), tensor.stride()
        return Slot(buffer, int(tensor.storage_offset()), shape, strides, tensor.dtype)


class Target(NamedTuple):
    """What placement must know of the kernels of a target.

    Attributes:
        may_overwrite: True for an op that may write over any of its operands.
        may_be_a_view: True for a node whose value may lie in the memory of an operand.
    """

    may_overwrite: Callable[[Op], bool]
    may_be_a_view: Callable[[Node], bool]


def placement(program: Program, cells: Mapping[Node, Slot], target: Target) -> dict[Node, Slot]:
    """Place new values at their cells, and parts in the whole that they make up.

    A value is placed at a cell only if it is computed after everything that reads the old one, and
    after everything that may fail: an error leaves everything as it was.
    """
    found: dict[Node, Slot] = {}
    last_reader = _last_readers(program, cells, target)
    operations = (node for node in program if isinstance(node, Operation))
    foreign = max((node.index for node in operations if is_foreign(node.op)), default=-1)
    checks = max((node.index for node in (*program.results, *program.finite)), default=-1)
    for cell, value in program.writes.items():
        if value in found or not isinstance(value, Operation):
            continue
        first = max(last_reader(cells[cell]), foreign, checks)
        overwrites = first == value.index and target.may_overwrite(value.op)
        if first >= value.index and not overwrites:
            continue
        found[value] = cells[cell]
        if isinstance(value.op, Cat) and value.op.dim == 0:
            _place_parts(value, cells[cell], foreign, found)
    return found


def _last_readers(
    program: Program, cells: Mapping[Node, Slot], target: Target
) -> Callable[[Slot], int]:
    """The place of the last node that reads a piece of memory, directly or through a view."""
    memory: dict[Node, Slot] = {}
    readers: dict[Buffer, list[tuple[int, Slot]]] = {}
    for node in program:
        if isinstance(node, Cell):
            memory[node] = cells[node]
        for source in node.inputs:
            if source in memory:
                read = memory[source]
                readers.setdefault(read.buffer, []).append((node.index, read))
                if target.may_be_a_view(node):
                    memory[node] = read  # an unknown rule may return a view
    return lambda slot: max(
        (index for index, other in readers.get(slot.buffer, ()) if slot.overlaps(other)),
        default=-1,
    )


def _place_parts(whole: Operation, slot: Slot, after: int, found: dict[Node, Slot]) -> None:
    """Let parts be computed where the whole will be."""
    start = 0
    for part in whole.inputs:
        size = cast("int", part.shape[0])
        _place_part(part, slot.narrow(0, start, size), after, found)
        start += size


def _place_part(part: Node, slot: Slot, after: int, found: dict[Node, Slot]) -> None:
    """Let a part be computed there, through changes of its shape."""
    while isinstance(part, Operation) and isinstance(part.op, Reshape | ReshapeAs):
        part = part.inputs[0]
        slot = slot.view(cast("Any", part.shape))
    if not isinstance(part, Operation) or part in found or part.op.view:
        return
    if part.index > after:
        found[part] = slot
