"""The lowered form: statements, each a nest of loops, over memory that is already laid out.

A target prints them one after the other. There are few kinds:

| statement | what it does |
|---|---|
| `Map` | computes an element at each place, and stores it |
| `Reduction` | combines the elements along some axes |
| `Contraction` | sums products of two values: a matrix product, a convolution |
| `Check` | ends the step early if a number is not as it must be |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from graphnet.compile.lower.scalars import Place, Scalar, loads
from graphnet.compile.plan.slots import Buffer, Shape, Slot

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Cell, Number
    from graphnet.graph import Input, Node, Operation


@dataclass(eq=False)
class Map:
    """out[i, j, ...] = element, for all places.

    Attributes:
        node: what is computed, or helped with.
        sizes: how many places each axis has.
        element: what is stored at a place.
        out: where it is stored.
        adds: True to add to what is there. Several places may then share one element.
        in_order: True if an element reads what places before it have stored.
        then: further maps, done at each place before the next place; see `joining`.
    """

    node: Node
    sizes: Shape
    element: Scalar
    out: Place
    adds: bool = False
    in_order: bool = False
    then: tuple[Map, ...] = ()

    def slots(self) -> Iterator[Slot]:
        """The memory that it reads and writes."""
        yield from _slots(self.out)
        yield from (slot for each in loads(self.element) for slot in _slots(each.place))
        yield from (slot for each in self.then for slot in each.slots())

    def work(self) -> float:
        """An estimate of the vector operations."""
        return prod(self.sizes) * (1 + len(self.then)) / 8


@dataclass(eq=False)
class Reduction:
    """out[i, ...] = the elements of all places along the last axes, combined.

    Attributes:
        node: what is computed, or helped with.
        sizes: how many places each axis has, the combined ones last.
        kept: how many axes are not combined.
        function: "add", "mul", "maximum", "minimum", "and", "or"; or "argmax", "argmin", which give
            the first place of the extreme, counted over the combined axes in their order (NaN is
            one), and "argmax_of_window", which gives the last NaN instead.
        element: what is combined.
        out: where the results are stored; its shape has the kept axes only.
        best: where the extremes themselves are kept meanwhile, if places are the results.
    """

    node: Node
    sizes: Shape
    kept: int
    function: str
    element: Scalar
    out: Slot
    best: Slot | None = None

    def slots(self) -> Iterator[Slot]:
        """The memory that it reads and writes."""
        yield self.out
        if self.best is not None:
            yield self.best
        yield from (slot for each in loads(self.element) for slot in _slots(each.place))

    def work(self) -> float:
        """An estimate of the vector operations."""
        return prod(self.sizes) / 8


@dataclass(eq=False)
class Contraction:
    """out[i, ...] = start[i, ...] + the sum over the last axes of x[...] y[...].

    All four have the same axes; where one does not depend on an axis, its stride there is 0.

    Attributes:
        node: what is computed, or helped with.
        sizes: how many places each axis has, the summed ones last.
        kept: how many axes are not summed.
        x: the first factor.
        y: the second factor.
        out: where the sums are stored; its shape has the kept axes only.
        start: what is added to each sum, such as a bias; None for nothing. If it is `out` itself,
            sums are added to what is there, and several may fall on one place.
        vector: the axis that vectors run along; None if they cannot.
        parts: a summed axis, and how many parts it has, of which each is added up by itself: so
            less of the factors is used at a time; None for one sum.
    """

    node: Node
    sizes: Shape
    kept: int
    x: Slot
    y: Slot
    out: Slot
    start: Slot | None = None
    vector: int | None = None
    parts: tuple[int, int] | None = None

    @property
    def adds(self) -> bool:
        """True if the sums are added to what is there."""
        return self.start is self.out

    def slots(self) -> Iterator[Slot]:
        """The memory that it reads and writes."""
        yield from (self.out, self.x, self.y)
        if self.start is not None:
            yield self.start


@dataclass(eq=False)
class Check:
    """The step ends here, with the number of this check, unless a number is as it must be.

    Attributes:
        node: the node whose rule demands it.
        value: one number: it must be finite, or, if a boolean, false.
    """

    node: Node
    value: Slot

    def slots(self) -> Iterator[Slot]:
        """The memory that it reads."""
        yield self.value


Statement = Map | Reduction | Contraction | Check


def _slots(place: Place) -> Iterator[Slot]:
    yield place.slot
    for _, index in place.terms:
        for each in loads(index):
            yield from _slots(each.place)


@dataclass(eq=False)
class Lowered:
    """A program as loops.

    Attributes:
        statements: what is done, in order.
        inputs: where the fed tensors lie.
        drawn: where random masks lie, which torch draws before each step.
        numbers: where the numbers lie that are given at each step.
        cells: where the memory lies that outlasts a step.
        results: where the results lie.
        values: where nodes lie that are in memory.
        work: an estimate of its vector operations.
    """

    statements: list[Statement] = field(default_factory=list)
    inputs: dict[Input, Slot] = field(default_factory=dict)
    drawn: dict[Operation, Slot] = field(default_factory=dict)
    numbers: dict[Number, Slot] = field(default_factory=dict)
    cells: dict[Cell, Slot] = field(default_factory=dict)
    results: list[Slot] = field(default_factory=list)
    values: dict[Node, Slot] = field(default_factory=dict)
    work: float = 0.0

    @property
    def checks(self) -> list[Check]:
        """The statements that may end the step early."""
        return [each for each in self.statements if isinstance(each, Check)]

    def buffers(self) -> list[Buffer]:
        """Every buffer, in the order of first use."""
        found = dict[Buffer, None]()
        for statement in self.statements:
            found |= dict.fromkeys(slot.buffer for slot in statement.slots())
        return list(found)
