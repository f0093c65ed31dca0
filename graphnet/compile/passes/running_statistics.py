"""Running statistics as nodes: a walk writes them to buffers as it goes, a program at the end."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.ir.rewrite import Rewriting, has_op
from graphnet.graph.nodes import Literal
from graphnet.ops.running import CountUp, Remembering

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Cell, Program, Sources
    from graphnet.graph import Node, Operation
    from graphnet.op import Op


def running_statistics(program: Program) -> Program:
    """Replace what writes to a buffer with nodes for its new value, which is written last."""
    if not has_op(program, _writes):
        return program
    news: dict[Node, Node] = {}

    def change(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
        if not _writes(node.op):
            return None
        training = cast("Literal", sources[-1]).top
        with copy.new, copy.new.scopes.inside(node.name):
            if isinstance(node.op, CountUp):
                count = cast("Node", sources[0])
                return _raised(news, count) if training else count
            if training:
                _remember(news, node.op, sources)
        return cast("Node", sources[0])

    new = Rewriting(program, change).new
    new.writes |= {cast("Cell", buffer): value for buffer, value in news.items()}
    return new


def _writes(op: Op) -> bool:
    """True for an op that writes to a buffer."""
    return isinstance(op, CountUp | Remembering)


def _raised(news: dict[Node, Node], count: Node) -> Node:
    """A count that is one higher, even if several layers count in one buffer."""
    news[count] = news.get(count, count) + 1
    return news[count]


def _remember(news: dict[Node, Node], op: Any, sources: Sources) -> None:
    """Note the new value of a buffer, even if it is updated more than once."""
    x, buffer, values, batches = sources[:4]  # or the number of values in their place
    sizes = cast("Any", values).shape
    if prod(sizes):
        counted: Any = batches.top if isinstance(batches, Literal) else batches
        before = news.get(cast("Node", buffer), cast("Node", buffer))
        news[cast("Node", buffer)] = op.moved(
            cast("Node", x), before, cast("Node", values), counted
        )
