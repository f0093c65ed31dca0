"""Aims: where a value will be needed, so that it can be computed there directly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from graphnet.compile.ir.program import Cell, is_foreign
from graphnet.compile.targets.torch.lowerings import may_be_a_view
from graphnet.graph import Operation
from graphnet.ops.joining import Cat
from graphnet.ops.shapes import Reshape, ReshapeAs

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Program
    from graphnet.graph import Node


def aims(program: Program) -> dict[Node, Tensor]:
    """Aim new values at their cells, and parts at their place in the whole that they make up.

    A value aims at a cell only if it is computed after everything that reads the old one, and after
    everything that may fail: an error leaves everything as it was.
    """
    found: dict[Node, Tensor] = {}
    last_reader, foreign = _last_readers(program), _last_foreign(program)
    checks = max((node.index for node in (*program.results, *program.finite)), default=-1)
    for cell, value in program.writes.items():
        if value in found or not isinstance(value, Operation):
            continue
        first = max(last_reader(cell.top), foreign, checks)
        if first > value.index or (first == value.index and not value.op.elementwise):
            continue
        found[value] = cell.top
        if isinstance(value.op, Cat) and value.op.dim == 0:
            _aim_parts(value, cell.top, foreign, found)
    return found


def _last_foreign(program: Program) -> int:
    """The place of the last operation written by a user, which may raise anything."""
    return max(
        (node.index for node in program if isinstance(node, Operation) and is_foreign(node.op)),
        default=-1,
    )


def _last_readers(program: Program) -> Callable[[Tensor], int]:
    """The place of the last node that reads a piece of memory, directly or through a view."""
    memory: dict[Node, Tensor] = {}
    readers: list[tuple[int, Tensor]] = []
    for node in program:
        if isinstance(node, Cell):
            memory[node] = node.top
        for source in node.inputs:
            if source in memory:
                readers.append((node.index, memory[source]))
                if may_be_a_view(node):
                    memory[node] = memory[source]  # an unknown rule may return a view
    return lambda tensor: max(
        (index for index, other in readers if _overlap(tensor, other)), default=-1
    )


def _overlap(a: Tensor, b: Tensor) -> bool:
    """True if two dense tensors share memory."""
    start, other = a.data_ptr(), b.data_ptr()
    return start < other + b.nbytes and other < start + a.nbytes


def _aim_parts(whole: Operation, memory: Tensor, after: int, found: dict[Node, Tensor]) -> None:
    """Let parts be computed where the whole will be."""
    start = 0
    for part in whole.inputs:
        stop = start + cast("int", part.shape[0])
        _aim_part(part, memory[start:stop], after, found)
        start = stop


def _aim_part(part: Node, memory: Tensor, after: int, found: dict[Node, Tensor]) -> None:
    """Let a part be computed there, through changes of its shape."""
    while isinstance(part, Operation) and isinstance(part.op, Reshape | ReshapeAs):
        part = part.inputs[0]
        memory = memory.view(cast("tuple[int, ...]", part.shape))
    if not isinstance(part, Operation) or part in found or part.op.view:
        return
    if part.index > after:
        found[part] = memory
