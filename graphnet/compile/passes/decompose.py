"""Decomposition: an operation that others share a part with becomes what it consists of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.ir.rewrite import Rewriting
from graphnet.graph.nodes import Literal
from graphnet.ops.losses import SquaredError

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Program, Source
    from graphnet.graph import Node, Operation

_OPENED = (SquaredError,)


def decompose(program: Program) -> Program:
    """Replace operations by their parts, if others compute one of these parts too."""

    def change(copy: Rewriting, node: Operation, sources: tuple[Source, ...]) -> Node | None:
        if not isinstance(node.op, _OPENED):
            return None
        arguments: list[Any] = [each.top if isinstance(each, Literal) else each for each in sources]
        with copy.new, copy.new.scopes.inside(node.name):
            result: Any = node.op.forward(*arguments)
        return cast("Node", result)

    return Rewriting(program, change).new
