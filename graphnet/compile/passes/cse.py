"""Common subexpression elimination: equal expressions are computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.compile.ir.rewrite import Rewriting
from graphnet.graph.nodes import Literal

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Program, Sources
    from graphnet.graph import Node, Operation


def cse(program: Program) -> Program:
    """Compute equal expressions once; random numbers are drawn as often as before."""
    known: dict[Any, Node] = {}

    def change(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
        if not node.op.pure:
            return None
        inputs = [repr(each.top) if isinstance(each, Literal) else each for each in sources]
        key = (node.op, *inputs)
        if key not in known:
            known[key] = copy.new.use(node.op, sources, node.name, node.spec)
        return known[key]

    return Rewriting(program, change).new
