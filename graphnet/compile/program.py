"""The program as a list of nodes: one step with every size known, its gradients and its update."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, cast

from graphnet.graph import Graph, Input, Node, Operation
from graphnet.graph.kinds import Literal, spec_of
from graphnet.graph.trials import Spec, infer

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from graphnet.op import Op

Source = Node | Literal
"""What an operation reads: a node, or a plain number in its place."""


class Cell(Node):
    """Memory that outlasts a step: a weight, all weights side by side, an optimizer's state."""

    __slots__ = ()
    kind = "parameter"

    def __init__(self, value: Tensor) -> None:
        self.top = value
        self.shape = tuple(value.shape)
        self.spec = Spec((tuple(value.shape),), value.dtype)
        self.requires_grad = value.dtype.is_floating_point
        self.grad = None
        self.line = ""

    def forget(self) -> None:
        """Keep the value: it is not that of one walk."""


class Constant(Cell):
    """A value that never changes: it is computed from numbers alone."""

    __slots__ = ()


class Number(Input):
    """A number that is given anew at each step, such as the learning rate.

    Attributes:
        given: the place of the stretch of parameters, and the name of the setting.
    """

    __slots__ = ("given",)
    given: tuple[int, str]


class Program(Graph):
    """A list that computes one step, and what is done with its results.

    Attributes:
        results: the nodes that a call returns: the loss, or the outputs.
        finite: scalar nodes that must be finite before anything is written.
        writes: the new value of each cell, written once nothing reads the old one any more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.results: list[Node] = []
        self.finite: list[Node] = []
        self.writes: dict[Cell, Node] = {}

    @property
    def wanted(self) -> list[Node]:
        """The nodes that the program is run for."""
        return [*self.results, *self.finite, *self.writes.values()]

    @property
    def readers(self) -> Counter[Node]:
        """How often each node is read, by operations or as a wanted node."""
        return Counter([*(source for node in self for source in node.inputs), *self.wanted])

    def cell(self, value: Tensor, name: str, kind: type[Cell] = Cell) -> Cell:
        """Append a cell."""
        cell = kind(value)
        self.add(cast("Any", cell), self.names.unique(name))
        return cell

    def number(self, given: tuple[int, str], of: dtype) -> Number:
        """Append a number that is given anew at each step."""
        number = Number((), name=self.names.unique(given[1]), dtype=of, graph=self)
        number.given = given
        return number

    def use(self, op: Op, sources: Iterable[Source], name: str, spec: Spec | None = None) -> Node:
        """Append the use of an op, under a name close to the requested one."""
        sources = tuple(sources)
        spec = spec or infer(op, tuple(spec_of(source) for source in sources))
        operation = Operation(op, sources, spec, name.startswith("gradients"), line="")
        self.add(operation, self.names.unique(name))
        return operation


def is_foreign(op: Op) -> bool:
    """True for an operation written by a user, which may do anything."""
    return not type(op).__module__.startswith("graphnet.")


def is_pure(op: Op) -> bool:
    """True if an op returns the same for the same inputs, and changes nothing: see `Op.pure`."""
    return not is_foreign(op) if op.pure is None else op.pure


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
            mapped[source] if isinstance(source, Node) else source for source in operation.sources
        )
        changed = change(self, operation, sources)
        if changed is not None:
            return changed
        return self.new.use(operation.op, sources, node.name, node.spec)

    def is_read_once(self, source: Source) -> bool:
        """True if only one operation reads a node."""
        return isinstance(source, Node) and self.readers[source] == 1


Change = Callable[[Rewriting, Operation, tuple[Source, ...]], "Node | None"]
"""What replaces an operation in the copy, given its sources there; None for the same."""
