"""Lowering: a program of nodes becomes statements over memory.

Elementwise operations become no statement of their own: what reads them computes them on its way,
unless several nodes read them. Views are other strides. Everything else has a row in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.ir.program import Cell, Number, is_foreign, is_number
from graphnet.compile.lower.loops import Lowered, Map, Statement
from graphnet.compile.lower.primitives import applied, is_simple
from graphnet.compile.lower.scalars import (
    NotLowered,
    Place,
    Scalar,
    as_scalar,
    broadcast_to,
    calls_of,
    converted,
    load,
    loads,
)
from graphnet.compile.lower.statements import Element, Statements
from graphnet.compile.plan.placement import Cells, Target, placement
from graphnet.compile.plan.slots import Buffer, NotAView, Shape, Slot, new_slot
from graphnet.compile.targets.torch.fused_ops import Copy
from graphnet.graph import Input, Node, Operation

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Program, Source

Rule = Callable[["Lowering", Operation], None]

DTYPES = frozenset(
    {torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.int8, torch.bool}
)
LARGEST = 2**31 - 1
LONGEST = 24
"""From this number of calls on, an expression is stored rather than computed where it is read."""


def _shape(node: Any) -> Shape:
    return cast("Shape", tuple(node.shape))


class Lowering(Statements):
    """The statements of a program.

    Args:
        program: the list, after all passes.
        batch_last: True to keep what is computed with its first dimension innermost in memory.

    Attributes:
        slots: where nodes lie in memory.
        readers: how often each node is read.
        taps: where in its window each pixel lies that a pool takes, by the node of the places.
    """

    def __init__(self, program: Program, batch_last: bool) -> None:
        super().__init__(batch_last)
        self.program, self.readers = program, program.readers
        self.slots: dict[Node, Slot] = {}
        self.taps: dict[Node, Slot] = {}
        self._elements: dict[Node, Element] = {}
        self._made: dict[tuple[Node, Shape], Scalar] = {}
        self._wanted = set(program.wanted)
        self._last_reader: dict[Node, int] = {}
        for node in program:
            self._last_reader |= dict.fromkeys(node.inputs, node.index)
        self._numbers = Buffer(made=True, owned=False)
        cells, memory = {}, Cells()
        for node in program:
            if node.dtype not in DTYPES:
                raise NotLowered(f"{node.name}: {node.dtype}")
            if prod(_shape(node)) > LARGEST:
                raise NotLowered(f"{node.name} has more elements than an int counts in C")
            if isinstance(node, Cell):
                cells[node] = memory.slot(cast("Any", node).top)
        self.done.cells, self._cells = cells, cells
        foreign = Target(lambda op: op.elementwise and op.name != "convert", lambda node: False)
        self._targets = placement(program, cast("Any", cells), foreign)

    def run(self) -> Lowered:
        """Lower everything.

        Raises:
            NotLowered: something has no form as loops.
        """
        for node in self.program:
            if isinstance(node, Cell):
                self.slots[node] = self._cells[node]
            elif isinstance(node, Number):
                self._given(node)
            elif isinstance(node, Input):
                self.slots[node] = new_slot(_shape(node), node.dtype, made=True, owned=False)
                self.done.inputs[node] = self.slots[node]
            elif isinstance(node, Operation):
                self._operation(node)
            if node in self.program.finite:
                self.check(node, self.stored(node))
        self._write()
        self.done.results = [self.stored(node) for node in self.program.results]
        self.done.values = self.slots
        return self.done

    def _given(self, node: Number) -> None:
        place = len(self.done.numbers)
        self.done.numbers[node] = slot = Slot(self._numbers, place, (), (), torch.float64)
        self._elements[node] = lambda shape: load(broadcast_to(slot, shape))

    def _operation(self, node: Operation) -> None:
        from graphnet.compile.lower.rules import RULES

        op = node.op
        if is_number(node):
            self._elements[node] = lambda shape: applied(op, self._scalars(node, shape))
        elif isinstance(op, Copy):
            self.map(node, self.scalar(node.sources[0], _shape(node)))
        elif type(op) in RULES:
            RULES[type(op)](self, node)
        elif op.view:
            self._view(node)
        elif op.elementwise:
            self.define(node, lambda shape: applied(op, self._scalars(node, shape)))
        else:
            raise NotLowered(op.name)
        if node in self._wanted and node not in self.slots:
            self.stored(node)

    def _scalars(self, node: Operation, shape: Shape) -> tuple[Any, ...]:
        """The arguments of an elementwise operation, at a place."""
        found: list[Any] = []
        for source in node.sources:
            each = self.scalar(source, shape)
            if isinstance(each, Scalar) and is_number(source) and not is_number(node):
                mixed = next((i.dtype for i in node.inputs if not is_number(i)), node.dtype)
                each = converted(each, mixed if mixed.is_floating_point else node.dtype)
            found.append(each)
        return tuple(found)

    # values: in memory, or computed where they are read

    def define(self, node: Node, element: Element) -> None:
        """Note how the elements of a node are computed; store them if several nodes read them."""

        def own(shape: Shape) -> Scalar:
            return converted(element(shape), node.dtype)

        self._elements[node] = own
        made = own(_shape(node))
        if node in self._targets or node in self._wanted or self.is_kept(node, made):
            self.stored(node)

    def is_kept(self, node: Node, element: Scalar) -> bool:
        """True if an element is better stored than computed wherever it is read."""
        is_cheap = self.readers[node] <= 1 or is_simple(element)
        return not is_cheap or calls_of(element) > LONGEST

    def scalar(self, source: Source | Slot, shape: Shape) -> Any:
        """The element of a source in loops of a shape; a plain number as it is."""
        if isinstance(source, Slot):
            return load(broadcast_to(source, shape))
        if not isinstance(source, Node):
            return source.top
        if source in self.slots:
            return load(broadcast_to(self.slots[source], shape))
        key = source, shape
        if key not in self._made:
            self._made[key] = self._computed(source, shape)
        return self._made[key]

    def _computed(self, source: Node, shape: Shape) -> Scalar:
        """The element of a node that is not stored, unless it is stored now."""
        element = self._elements[source]
        is_wider = not is_number(source) and prod(_shape(source)) < prod(shape)
        if is_wider and not is_simple(element(_shape(source))):
            return load(broadcast_to(self.stored(source), shape))
        return element(shape)

    def stored(self, node: Node) -> Slot:
        """Where a node lies in memory; it is stored now if it is not yet."""
        if node not in self.slots:
            shape = _shape(node)
            made = as_scalar(self._elements[node](shape), node.dtype)
            self.map(node, converted(made, node.dtype))
            self._elements.pop(node)
        return self.slots[node]

    # memory

    def place(self, node: Node, like: Slot | None = None) -> Slot:
        """Where a node is stored: where it will be needed, or in new memory."""
        return self._targets.get(node) or self.new(_shape(node), node.dtype, like)

    def keep(self, node: Node, slot: Slot) -> Slot:
        """Note where a node lies."""
        self.slots[node] = slot
        return slot

    # statements

    def add(self, statement: Statement) -> None:
        """Add a statement, after everything that reads what it overwrites."""
        self._made.clear()
        super().add(statement)

    def before_writing(self, buffer: Buffer, statement: Statement) -> None:
        """Store what is still to be read, and read from memory that is about to change."""
        now = statement.node.index
        for node in [*self._elements]:
            if (
                node in self._elements
                and node not in self.slots
                and self._last_reader.get(node, -1) > now
            ):
                made = self._elements[node](_shape(node))
                if any(self._may_change(each.place.slot, buffer) for each in loads(made)):
                    self.stored(node)
        super().before_writing(buffer, statement)

    def _may_change(self, slot: Slot, written: Buffer) -> bool:
        """True if a slot lies in a buffer that is written to, or is fed: a weight may be fed."""
        return slot.buffer is written or (slot.buffer.made and slot.buffer is not self._numbers)

    def map(self, node: Node, element: Scalar, out: Slot | None = None) -> Slot:
        """Store an element at each place; returns where."""
        shape = _shape(node) if out is None else out.shape
        target = self.place(node, self._like(element, shape)) if out is None else out
        if self._is_disturbed(element, target):
            between = self.new(shape, target.dtype)
            self.add(Map(node, shape, element, Place(between)))
            element = load(between)
        if out is None:
            self.keep(node, target)
        self.add(Map(node, shape, element, Place(target)))
        return target

    def _is_disturbed(self, element: Scalar, target: Slot) -> bool:
        """True if a place may read what another place overwrites."""
        if target.buffer.memory is None:
            return False
        for each in loads(element):
            slot = each.place.slot
            if slot.buffer is not target.buffer:
                if self._may_change(slot, target.buffer):
                    return True
            elif (each.place.terms or not slot.is_at(target)) and slot.overlaps(target):
                return True
        return False

    def _like(self, element: Scalar, shape: Shape) -> Slot | None:
        """What is read in the order in which the result should lie."""
        full = (e.place.slot for e in loads(element) if 0 not in e.place.slot.strides)
        found = [slot for slot in full if slot.shape == shape and not slot.is_contiguous]
        return found[0] if found else None

    # views and the end

    def _view(self, node: Operation) -> None:
        """See memory in another way; copy it if no strides can."""
        if is_foreign(node.op):
            raise NotLowered(node.op.name)
        source = cast("Node", node.sources[0])
        is_one = prod(_shape(node)) == prod(_shape(source)) == 1
        if is_one and source not in self.slots and node.ndim >= source.ndim:
            self._elements[node] = self._elements[source]
            return
        before = self.stored(source)
        others = (_like(e) if isinstance(e, Node) else e.top for e in node.sources[1:])
        given: list[Any] = [before, *others]
        rule = cast("Any", node.op)
        try:
            self.keep(node, rule.forward(*given))
        except NotAView:
            self.keep(node, rule.forward(self.dense(node, before), *given[1:]))

    def _write(self) -> None:
        """Bring new values to the cells, when all that reads the old ones is done."""
        writes = [
            (self._cells[cell], self.stored(value), value)
            for cell, value in self.program.writes.items()
            if value is not cell
        ]
        for node in [*self.program.results]:
            self.stored(node)
        moves = [(cell, given, value) for cell, given, value in writes if not given.is_at(cell)]
        changed = {cell.buffer for cell, _, _ in moves}
        for place, (cell, given, value) in enumerate(moves):
            if given.buffer in changed:  # it may be overwritten before it is read
                between = self.new(given.shape, given.dtype)
                self.copy(value, between, given)
                moves[place] = cell, between, value
        for cell, given, value in moves:
            self.copy(value, cell, given)


def _like(node: Node) -> Slot:
    """A slot of the shape of a node, to be looked at only."""
    return new_slot(_shape(node), node.dtype)


def lowered(program: Program) -> Lowered:
    """A program as loops, in the order of memory that takes less work.

    Raises:
        NotLowered: something has no form as loops.
    """
    found = [Lowering(program, batch_last).run() for batch_last in (False, True)]
    return min(found, key=lambda each: each.work)
