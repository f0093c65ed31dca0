"""Unrolling: a loop over time becomes the operations of its steps, which have forms in C.

As calls of torch the loop stays one call, so that a program for another length is made quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.ir.rewrite import Rewriting, has_op
from graphnet.graph.nodes import Literal, Operation
from graphnet.ops.recurrent import LinearScan, RecurrentScan

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Program, Sources
    from graphnet.graph import Node
    from graphnet.op import Op


def unroll(program: Program) -> Program:
    """Replace each scan by the steps that its forward rule makes for the length that is fed."""
    if not has_op(program, _is_scan):
        return program
    return Rewriting(program, _steps).new


def _is_scan(op: Op) -> bool:
    return isinstance(op, RecurrentScan | LinearScan)


def _steps(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
    """The last of the operations that a scan applies; None for another operation."""
    if not _is_scan(node.op):
        return None
    arguments: list[Any] = [each.top if isinstance(each, Literal) else each for each in sources]
    with copy.new, copy.new.scopes.inside(node.name):
        return cast("Node", cast("Any", node.op).forward(*arguments))
