"""The program as a list of nodes: one step with every size known, its gradients and its update."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from torch import empty

from graphnet.graph import Graph, Input, Node, Operation
from graphnet.graph.nodes import Literal, spec_of
from graphnet.graph.roles import is_single
from graphnet.graph.shape_inference import Spec, infer

if TYPE_CHECKING:
    from torch import Tensor, device, dtype

    from graphnet.draw.drawing import Drawing
    from graphnet.op import Op

Source = Node | Literal
"""What an operation reads: a node, or a plain number in its place."""

Sources = tuple[Source, ...]


def value_of(source: Source, device: device | None = None) -> Any:
    """A number, or the value of a constant; of another node, what shows shape, dtype and device."""
    if isinstance(source, Constant | Literal):
        return source.top
    like = empty((), dtype=source.dtype, device=device)
    return like.expand(cast("tuple[int, ...]", source.shape))


def is_number(source: Source | None) -> bool:
    """True for a plain number, one given at each step, or one computed from such numbers."""
    if isinstance(source, Operation):
        return source.shape == () and all(map(is_number, source.sources))
    return isinstance(source, Literal | Number)


def is_half(node: Node) -> bool:
    """True for float16 and bfloat16."""
    return node.dtype.is_floating_point and node.dtype.itemsize < 4


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
        given: the place of the bucket of parameters, and the name of the setting.
    """

    __slots__ = ("given",)
    given: tuple[int, str]


class Program(Graph):
    """A list that computes one step, and what is done with its results.

    Attributes:
        results: the nodes that a call returns: the loss, or the outputs.
        finite: scalar nodes that must be finite before anything is written.
        writes: the new value of each cell, written once nothing reads the old one any more.
        device: where it computes; None for the processor.
    """

    def __init__(self) -> None:
        super().__init__()
        self.results: list[Node] = []
        self.finite: list[Node] = []
        self.writes: dict[Cell, Node] = {}
        self.device: device | None = None

    def draw(self, **options: Any) -> Drawing:
        """Draw the program as a picture, with the options of `Graph.draw`.

        What it returns first is drawn as the loss, if that is a single number.
        """
        losses = [node for node in self.results[:1] if is_single(node)]
        return super().draw(**{"loss": losses[0] if losses else None, **options})

    @property
    def wanted(self) -> list[Node]:
        """The nodes that the program is run for."""
        return [*self.results, *self.finite, *self.writes.values()]

    @property
    def readers(self) -> Counter[Node]:
        """How often each node is read, by operations or as a wanted node."""
        return Counter([source for node in self for source in node.inputs] + self.wanted)

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
