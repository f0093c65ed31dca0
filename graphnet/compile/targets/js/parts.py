"""The parts of a printed program: a small program for each walk through each node.

A part reads values of the list and makes one of them, or it reads a gradient and makes what the
node passes on. So whatever passes and lowering do inside a part, each node of the list has its
value and its gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, cast

from torch import empty

from graphnet.compile.ir.program import Program
from graphnet.compile.ir.rewrite import Rewriting
from graphnet.compile.lower.lowering import Lowering
from graphnet.compile.lower.scalars import broadcast_to, calls_of, load
from graphnet.compile.passes import NATIVE_PASSES, optimize
from graphnet.graph import Input, Node, Operation, Parameter
from graphnet.graph.edges import uses
from graphnet.graph.nodes import Literal, Mode

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Number, Source, Sources
    from graphnet.compile.lower.loops import Contraction, Lowered, Reduction
    from graphnet.compile.lower.scalars import Scalar

Sizes = Mapping[Node, tuple[int, ...]]
"""The shape of each node of the list, for one size of the batch."""


class Memory(NamedTuple):
    """An array of the printed program.

    Attributes:
        node: the node of the list that it belongs to.
        kind: "value" or "gradient".
    """

    node: Node
    kind: str


@dataclass
class Part:
    """What one function of the printed program computes.

    Attributes:
        lowered: its statements.
        memory: the array that each of its inputs and cells is, by name.
        operation: what it belongs to.
        targets: the array of each of its results.
        adds: True if the results are added to what is there.
    """

    lowered: Lowered
    memory: Mapping[str, Memory]
    operation: Operation
    targets: Sequence[Memory]
    adds: bool = False


LONGEST = 60
"""From this number of calls on, an expression is stored rather than part of another one."""


class PlainLowering(Lowering):
    """Statements as they are meant, in the order of rows.

    JavaScript has no vectors, and adds in float64: no factor is copied to another order, and no
    sum is split into blocks.
    """

    def __init__(self, program: Program) -> None:
        super().__init__(program, batch_last=False)

    def contract(self, statement: Contraction) -> None:
        """Add a contraction as it is; one of integers is a reduction."""
        if statement.out.dtype.is_floating_point:
            self.add(statement)
        else:
            super().contract(statement)

    def is_kept(self, node: Node, element: Scalar) -> bool:
        """True if an element is better stored than computed wherever it is read.

        What only elementwise operations read is part of one expression, which computes it once.
        """
        readers = [each for each in self.program if node in each.inputs]
        inside = all(isinstance(each, Operation) and each.op.elementwise for each in readers)
        return calls_of(element) > LONGEST if inside else super().is_kept(node, element)

    def _given(self, node: Number) -> None:
        """A number of the optimizer, which is read as one of the dtype of the parameter."""
        super()._given(node)
        slot = replace(self.done.numbers[node], dtype=node.dtype)
        self._elements[node] = lambda shape: load(broadcast_to(slot, shape))

    def in_blocks(self, statement: Reduction) -> Reduction:
        """A sum of any length, as it is."""
        return statement


class _Sources:
    """A program with the sources of one operation, each once, and the operation itself."""

    def __init__(self, node: Operation, sizes: Sizes, training: bool | None) -> None:
        self.program, self.sizes, self.training = Program(), sizes, training
        self.memory: dict[str, Memory] = {}
        self.copies: dict[Node, Node] = {}
        sources = [self._source(each) for each in node.sources]
        self.originals = {copy: original for original, copy in self.copies.items()}
        self.operation = cast("Operation", self.program.use(node.op, sources, "operation"))

    def _source(self, source: Node | Literal) -> Source:
        if not isinstance(source, Node):
            if isinstance(source, Mode) and self.training is not None:
                return Literal(self.training)
            return Literal(source.top)
        if source not in self.copies:
            shape, name = self.sizes[source], f"source{len(self.copies)}"
            if isinstance(source, Parameter):
                top = empty(shape, dtype=source.dtype, device="meta")
                self.copies[source] = self.program.cell(top, name)
            else:
                self.copies[source] = self.given(name, source)
            self.memory[name] = Memory(source, "value")
        return self.copies[source]

    def given(self, name: str, like: Node) -> Input:
        """An input of the shape of a node of the list."""
        return Input(self.sizes[like], name=name, dtype=like.dtype, graph=self.program)


def forward_part(node: Operation, sizes: Sizes, training: bool | None) -> Part:
    """What computes the value of a node.

    Args:
        node: of the list.
        sizes: the shapes of all nodes.
        training: the mode; None for that of each module.

    Raises:
        NotLowered: the operation has no form as loops.
    """
    made = _Sources(node, sizes, training)
    made.program.results = [made.operation]
    return Part(_lowered(made.program), made.memory, node, [Memory(node, "value")])


def backward_part(
    node: Operation, reached: set[Node], sizes: Sizes, training: bool | None
) -> Part | None:
    """What computes the gradients that a node passes on to those of its inputs that one reaches.

    None if there are none. The arguments and errors are those of `forward_part`.
    """
    made = _Sources(node, sizes, training)
    program, operation = made.program, made.operation
    paths = [use for use in uses(operation) if made.originals[use.source] in reached]
    if not paths:
        return None
    grad = made.given("gradient", node)
    memory = made.memory | {"gradient": Memory(node, "gradient"), "value": Memory(node, "value")}
    with program:
        program.results = [use.derivative(grad) for use in paths]

    def change(copy: Rewriting, each: Operation, sources: Sources) -> Node | None:
        if each is not operation:
            return None
        return Input(each.shape, name="value", dtype=each.dtype, graph=copy.new)

    low = _lowered(Rewriting(program, change).new)
    targets = [Memory(made.originals[use.source], "gradient") for use in paths]
    return Part(low, memory, node, targets, adds=True)


def _lowered(program: Program) -> Lowered:
    return PlainLowering(optimize(program, NATIVE_PASSES)).run()
