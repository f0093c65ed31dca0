"""The C printer: a lowered program as one function, with the name of a node at each step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, ClassVar

from graphnet.compile.lower.loops import Check, Contraction, Lowered, Map, Reduction, Statement
from graphnet.compile.plan.memory import plan
from graphnet.compile.targets.c.expressions import TYPES
from graphnet.compile.targets.c.loops import LoopPrinter
from graphnet.compile.targets.c.names import comment, identifier, plain
from graphnet.compile.targets.c.prelude import functions
from graphnet.compile.targets.c.products import ProductPrinter
from graphnet.compile.targets.c.several import gathered_bytes, several
from graphnet.compile.targets.c.tiles import (
    CHOOSE,
    STRIDES,
    Kind,
    dots,
    pair_functions,
    part_function,
    places_type,
    start_function,
    tile,
    vector_type,
)
from graphnet.compile.targets.c.transposing import Transposition, transpose_function

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Buffer, Slot
    from graphnet.graph import Node

HEADERS = "#include <math.h>\n#include <stdbool.h>\n#include <stdint.h>\n#include <string.h>"
ALIGNED = 64
"""What the addresses of buffers are multiples of."""
EXPORTED = """\
#ifdef _WIN32
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif"""
"""What stands before a function that Python finds in the library."""
CLOCK = """\
#include <time.h>
static double clock_now(void) {
  struct timespec t;
  timespec_get(&t, TIME_UTC);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static double clock_since(double then, double *total) {
  *total += clock_now() - then;
  return clock_now();
}"""


@dataclass
class Printed:
    """A program in C.

    Attributes:
        source: the whole text.
        lowered: what it was printed from.
        cells: the memory that outlasts a step, in the order of the argument `cells`.
        scratch: the bytes that a step needs besides.
        starts: where each buffer lies in these.
        nodes: what its parts compute, in order; each part is timed by itself.
        has_loss: True if it has a function for several steps, which needs a loss.
    """

    source: str
    lowered: Lowered
    cells: list[Buffer]
    scratch: int
    starts: dict[Buffer, int]
    nodes: list[tuple[Node, ...]]
    has_loss: bool


@dataclass
class Printer:
    """Prints one program.

    Args:
        lowered: the program.
        lanes: the numbers of float that a vector of the processor holds.
        timed: True to add the seconds of each node to an array, a further argument.
    """

    inline: ClassVar[str] = "static inline __attribute__((always_inline))"
    """How functions begin that loops call: if one is not inlined, its loop is not turned into
    vector instructions."""
    lowered: Lowered
    lanes: int
    timed: bool = False
    used: set[str] = field(default_factory=set)
    tiles: set[tuple[Kind, int, int, bool]] = field(default_factory=set)
    transposed: set[Kind] = field(default_factory=set)

    def print(self) -> Printed:
        """The text, and where its memory lies."""
        low = self.lowered
        self.cells = [each for each in self._buffers() if each.memory is not None]
        self.starts, self.nbytes = plan(low.statements, low.results, multiple=ALIGNED)
        self.names = self._named()
        body = [line for statement in self._statements() for line in statement]
        step = [*self._prelude(), "", *self._function(body)]
        many = [] if self.timed else several(low, self.cells, self.starts, self.nbytes)
        source = "\n".join([*step, *many, ""])
        nbytes = self.nbytes + ALIGNED + gathered_bytes(low)
        return Printed(source, low, self.cells, nbytes, self.starts, self.nodes, bool(many))

    def _buffers(self) -> list[Buffer]:
        slots = [*self.lowered.results, *self.lowered.inputs.values(), *self.lowered.drawn.values()]
        found = dict.fromkeys(self.lowered.buffers())
        return list(found | dict.fromkeys(slot.buffer for slot in slots))

    # names

    def _named(self) -> dict[Buffer, str]:
        """A name for each buffer: that of the first node that lies in it."""
        names: dict[Buffer, str] = {}
        taken = set[str]()

        def give(buffer: Buffer, wanted: str) -> None:
            if buffer not in names:
                names[buffer] = identifier(wanted, taken)

        low = self.lowered
        for node, slot in [*low.inputs.items(), *low.drawn.items()]:
            give(slot.buffer, node.name)
        sizes = {slot.buffer: prod(slot.shape) for slot in low.cells.values()}
        for cell, slot in sorted(low.cells.items(), key=lambda pair: -prod(pair[1].shape)):
            if prod(slot.shape) >= sizes.get(slot.buffer, 0):
                give(slot.buffer, cell.name)
        for number in low.numbers.values():
            names[number.buffer] = "numbers"
        for node, slot in low.values.items():  # what is only on the way gets a number
            give(slot.buffer, node.name)
        for statement in low.statements:
            for slot in statement.slots():
                give(slot.buffer, statement.node.name)
        return names

    def pointer(self, slot: Slot) -> tuple[str, int]:
        """The name of a piece of memory, and how many elements after it a slot begins."""
        return self.names[slot.buffer], slot.offset

    def _address(self, slot: Slot, offset: str) -> str:
        name, first = self.pointer(slot)
        return f"{name} + {first}{offset}" if first else f"{name}{offset}"

    # text

    def _prelude(self) -> Iterator[str]:
        yield HEADERS
        if self.timed:
            yield CLOCK
        if self.used:
            text = functions(self.used).replace("static inline", self.inline)
            if text:
                yield text
        if self.tiles:
            yield STRIDES
        summed = {kind for kind, _, _, is_dots in self.tiles if is_dots}
        started = {kind for kind, _, _, is_dots in self.tiles if not is_dots}
        chosen = {kind for kind in summed if kind.lanes > 1} | self.transposed
        if chosen:
            yield CHOOSE
        for kind in sorted(summed | started | chosen):
            yield vector_type(kind)
            if kind in chosen:
                yield places_type(kind)
            if kind in summed and kind.lanes > 1:
                yield pair_functions(kind)
                yield part_function(kind)
            if kind in started:
                yield start_function(kind)
        for kind, rows, columns, is_dots in sorted(self.tiles, key=str):
            yield (dots if is_dots else tile)(kind, rows, columns)
        yield from map(transpose_function, sorted(self.transposed))

    def _function(self, body: list[str]) -> Iterator[str]:
        yield EXPORTED
        yield "/* One step. Returns 0, or the number of the check that ended it. */"
        yield "EXPORTED int64_t graphnet_step("
        more = ", double *seconds" if self.timed else ""
        yield "    void *const *cells, void *const *fed, const double *numbers,"
        yield f"    char *scratch{more}) {{"
        yield from ("  " + line for line in self._declarations())
        yield from ("  " + line for line in body)
        yield "  return 0;"
        yield "}"

    def _declarations(self) -> Iterator[str]:
        """The names of all memory."""
        low = self.lowered
        of = {slot.buffer: TYPES[slot.dtype] for each in low.statements for slot in each.slots()}
        fed = [slot.buffer for slot in (*low.inputs.values(), *low.drawn.values())]
        for place, buffer in enumerate(self.cells):
            kind = of.get(buffer, "char")
            yield f"{kind} *const {self.names[buffer]} = cells[{place}];"
            parts = [
                f"{cell.name} from {slot.offset}"
                for cell, slot in low.cells.items()
                if slot.buffer is buffer and cell.name != self.names[buffer]
            ]
            if parts:
                yield f"/* {plain(', '.join(parts))} */"
        for place, buffer in enumerate(fed):
            if buffer in of:
                yield f"const {of[buffer]} *const {self.names[buffer]} = fed[{place}];"
        given = {*self.cells, *fed, *(slot.buffer for slot in low.numbers.values())}
        empty = {buffer: 0 for buffer in of if buffer not in given and buffer not in self.starts}
        for buffer, start in sorted((empty | self.starts).items(), key=lambda pair: pair[1]):
            kind = of[buffer]
            yield f"{kind} *const {self.names[buffer]} = ({kind} *)(scratch + {start});"

    def _statements(self) -> Iterator[list[str]]:
        loops, checks = LoopPrinter(self.pointer, self.used, self.lanes), 0
        self.nodes: list[tuple[Node, ...]] = []
        if self.timed:
            yield ["double now = clock_now();"]
        for node, statements in _by_node(self.lowered.statements):
            if self.timed and self.nodes:
                yield [f"now = clock_since(now, seconds + {len(self.nodes) - 1});"]
            joined = (each for s in statements if isinstance(s, Map) for each in s.then)
            self.nodes.append((*dict.fromkeys((node, *(each.node for each in joined))),))
            yield ["", f"/* {comment(node)} */"]
            for statement in statements:
                if isinstance(statement, Check):
                    checks += 1
                    yield [self._check(statement, checks)]
                elif isinstance(statement, Map):
                    if prod(statement.sizes):
                        yield self._map(statement, loops)
                elif isinstance(statement, Reduction):
                    if prod(statement.sizes[: statement.kept]):
                        yield loops.reduction(statement)
                elif prod(statement.out.shape):
                    yield self._contraction(statement)

        if self.timed and self.nodes:
            yield [f"clock_since(now, seconds + {len(self.nodes) - 1});"]

    def _map(self, statement: Map, loops: LoopPrinter) -> list[str]:
        turned = Transposition.of(statement, self.lanes)
        if turned is None:
            return loops.map(statement)
        self.transposed.add(turned.kind)
        return turned.lines(self._address)

    def _check(self, statement: Check, number: int) -> str:
        name, offset = self.pointer(statement.value)
        value = f"{name}[{offset}]"
        fails = value if TYPES[statement.value.dtype] == "bool" else f"!isfinite({value})"
        return f"if ({fails}) return {number};"

    def _contraction(self, statement: Contraction) -> list[str]:
        product = ProductPrinter(statement, self.lanes, self._address)
        lines = product.lines()
        self.tiles |= product.tiles
        return lines


def _by_node(statements: list[Statement]) -> Iterator[tuple[Node, list[Statement]]]:
    """Statements in order, those of one node together."""
    group: list[Statement] = []
    for each in statements:
        if group and group[0].node is not each.node:
            yield group[0].node, group
            group = []
        group.append(each)
    if group:
        yield group[0].node, group


def printed(lowered: Lowered, lanes: int, timed: bool = False) -> Printed:
    """A lowered program in C."""
    return Printer(lowered, lanes, timed).print()
