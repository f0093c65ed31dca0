"""Decomposition: a composite operation becomes the operations that it applies.

Their kernels write into buffers, and the forward and the backward pass share what both compute:
gelu and its derivative need the same error function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.ir.rewrite import Rewriting, has_op
from graphnet.graph.nodes import Literal, Operation
from graphnet.ops.dtypes import Convert

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Program, Sources
    from graphnet.graph import Node


def decompose(program: Program) -> Program:
    """Replace composite operations by their parts; see `Op.composite`."""
    if not has_op(program, lambda op: op.composite):
        return program
    return Rewriting(program, _parts).new


def _parts(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
    """The last of the parts of a composite operation; None to leave it as it is.

    One that computes in another dtype than its own is left: later passes round there otherwise
    than its rule, and in half precision that shows.
    """
    if not node.op.composite:
        return None
    arguments: list[Any] = [each.top if isinstance(each, Literal) else each for each in sources]
    before = len(copy.new)
    with copy.new, copy.new.scopes.inside(node.name):
        result: Any = node.op.forward(*arguments)
    parts = [copy.new[place] for place in range(before, len(copy.new))]
    if any(isinstance(part, Operation) and isinstance(part.op, Convert) for part in parts):
        return None
    return cast("Node", result)
