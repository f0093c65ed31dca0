"""Rewriting: a copy of a program in which operations may be replaced; what passes are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, cast

from graphnet.compile.ir.program import Cell, Number, Program, Source, Sources
from graphnet.graph import Input, Node, Operation

if TYPE_CHECKING:
    from graphnet.op import Op


class Rewriting:
    """A copy of a program that is being made, in which operations may be replaced.

    Attributes:
        new: the copy so far.
        readers: how often the original of each node is read.

    Args:
        old: the program to copy.
        change: what replaces an operation in the copy.
        kept: the nodes to be copied; None for all.
    """

    def __init__(self, old: Program, change: Change, kept: Collection[Node] | None = None) -> None:
        self.new = Program()
        self.new.device = old.device
        self.readers: Counter[Node] = Counter()
        mapped: dict[Node, Node] = {}
        readers = old.readers
        for node in old if kept is None else [node for node in old if node in kept]:
            mapped[node] = self._copy(node, mapped, change)
            self.readers[mapped[node]] += readers[node]
        self.new.results = [mapped[node] for node in old.results]
        self.new.finite = [mapped[node] for node in old.finite]
        self.new.writes = {
            cast("Cell", mapped[cell]): mapped[value] for cell, value in old.writes.items()
        }

    def _copy(self, node: Node, mapped: dict[Node, Node], change: Change) -> Node:
        if isinstance(node, Cell):
            return self.new.cell(node.top, node.name, type(node))
        if isinstance(node, Number):
            return self.new.number(node.given, node.dtype)
        if isinstance(node, Input):
            return Input(node.shape, name=node.name, dtype=node.dtype, graph=self.new)
        operation = cast("Operation", node)
        sources = tuple(
            [mapped[each] if isinstance(each, Node) else each for each in operation.sources]
        )
        changed = change(self, operation, sources)
        if changed is not None:
            return changed
        return self.new.use(operation.op, sources, node.name, node.spec)

    def is_read_once(self, source: Source) -> bool:
        """True if only one operation reads a node."""
        return isinstance(source, Node) and self.readers[source] == 1


def has_op(program: Program, wanted: Callable[[Op], bool]) -> bool:
    """True if a program has such an op: without one, a pass has nothing to copy."""
    return any(isinstance(node, Operation) and wanted(node.op) for node in program)


Change = Callable[[Rewriting, Operation, Sources], "Node | None"]
"""What replaces an operation in the copy, given its sources there; None for the same."""
