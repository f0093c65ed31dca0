"""The JavaScript printer: a list as one function that makes its arrays and its walks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING, Any

from graphnet.compile.ir.program import Constant
from graphnet.compile.lower.loops import Check, Contraction, Map, Reduction
from graphnet.compile.lower.scalars import Number, Place, load
from graphnet.compile.plan.slots import new_slot
from graphnet.compile.targets.c.text import Text
from graphnet.compile.targets.js.expressions import ARRAYS, number
from graphnet.compile.targets.js.loops import LoopPrinter
from graphnet.compile.targets.js.names import string
from graphnet.compile.targets.js.products import contraction

if TYPE_CHECKING:
    from graphnet.compile.lower.loops import Statement
    from graphnet.compile.plan.slots import Buffer, Slot
    from graphnet.compile.targets.js.parts import Memory, Part


@dataclass
class Function:
    """The text of one part: what is made once, and what runs at each step.

    Attributes:
        before: the lines that declare its own arrays and tables.
        lines: the lines of the function itself.
    """

    before: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


class PartPrinter:
    """The text of one part.

    Args:
        part: the part.
        arrays: the name of each array of the program.
        name: of the function; its own arrays are named after it.
        used: the functions of the prelude that are called; grows.
    """

    def __init__(
        self,
        part: Part,
        arrays: Mapping[Memory, str],
        name: str,
        used: set[str],
    ) -> None:
        self.part, self.arrays, self.name, self.used = part, arrays, name, used
        self.function = Function()
        self._names: dict[Buffer, str] = {}
        self._adding: set[Buffer] = set()
        self._count = 0

    def print(self) -> Function:
        """The lines of the part."""
        low = self.part.lowered
        for node, slot in [*low.inputs.items(), *low.cells.items()]:
            if node.name in self.part.memory:
                self._names[slot.buffer] = self.arrays[self.part.memory[node.name]]
        statements = self._directed([*low.statements])
        loops = LoopPrinter(self._pointer, self.used)
        for each in statements:
            self.function.lines += self._statement(each, loops)
        return self.function

    def _directed(self, statements: list[Statement]) -> list[Statement]:
        """The statements, with results stored where they belong."""
        low = self.part.lowered
        for slot, target in zip(low.results, self.part.targets, strict=True):
            buffer, name = slot.buffer, self.arrays[target]
            is_own = buffer.memory is None and not buffer.made and buffer not in self._names
            whole = slot.is_contiguous and prod(slot.shape) * slot.dtype.itemsize == buffer.nbytes
            is_read_once = sum(each.buffer is buffer for each in low.results) == 1
            if is_own and whole and is_read_once and not self.part.adds:
                self._names[buffer] = name
                continue
            added = _adding(statements, buffer) if is_own and whole and is_read_once else None
            if added is not None and self.part.adds:
                self._names[buffer] = name
                self._adding.add(buffer)
                statements = added
                continue
            out = new_slot(slot.shape, slot.dtype)
            self._names[out.buffer] = name
            node = low.statements[-1].node if low.statements else target.node
            if prod(slot.shape):
                copy = Map(node, slot.shape, load(slot), Place(out), adds=self.part.adds)
                statements = [*statements, copy]
        return statements

    def _statement(self, statement: Statement, loops: LoopPrinter) -> list[str]:
        if isinstance(statement, Check):
            return self._check(statement)
        if isinstance(statement, Map):
            return loops.map(statement) if prod(statement.sizes) else []
        if isinstance(statement, Reduction):
            adds = statement.out.buffer in self._adding
            has_results = prod(statement.sizes[: statement.kept])
            return loops.reduction(statement, adds) if has_results else []
        return self._contraction(statement, loops) if prod(statement.out.shape) else []

    def _contraction(self, statement: Contraction, loops: LoopPrinter) -> list[str]:
        """Set the result to what the sums start with, then add them."""
        s, lines = statement, list[str]()
        if not s.adds and s.out.buffer not in self._adding:
            start = load(s.start) if s.start is not None else Number(0, s.out.dtype)
            lines += loops.map(Map(s.node, s.out.shape, start, Place(s.out)))
        if prod(s.sizes):
            lines += contraction(s, self._pointer, self._table, self.used)
        return lines

    def _check(self, statement: Check) -> list[str]:
        name, offset = self._pointer(statement.value)
        value = f"{name}[{offset}]"
        fails = value if ARRAYS[statement.value.dtype] == "Uint8Array" else f"!isFinite({value})"
        node = self.part.targets[0].node if self.part.targets else statement.node
        text = string(f"{node.name}: an index or a count is out of range")
        return [f"if ({fails}) throw new RangeError({text});"]

    # memory

    def _pointer(self, slot: Slot) -> tuple[str, int | None]:
        """The name of a piece of memory, and where in it a slot begins; see `loops.Pointer`."""
        buffer = slot.buffer
        if buffer not in self._names and buffer.memory is not None:
            memory: Any = buffer.memory
            if memory.untyped_storage().nbytes() == memory.element_size():
                return number(memory.flatten()[0].item(), slot.dtype), None
            self._names[buffer] = self._constant(memory, slot)
        elif buffer not in self._names:
            count = buffer.nbytes // slot.dtype.itemsize
            self._names[buffer] = self._own(f"new {ARRAYS[slot.dtype]}({count})")
        return self._names[buffer], slot.offset

    def _constant(self, memory: Any, slot: Slot) -> str:
        """A value that never changes, as an array."""
        whole = memory.untyped_storage().nbytes() // memory.element_size()
        values = memory.as_strided((whole,), (1,), 0).tolist()
        texts = [number(each, slot.dtype) for each in values]
        if len(set(texts)) == 1:
            return self._own(f"new {ARRAYS[slot.dtype]}({len(texts)}).fill({texts[0]})")
        return self._own(f"{ARRAYS[slot.dtype]}.of({', '.join(texts)})")

    def _own(self, text: str, kind: str = "part") -> str:
        """An array of this part alone."""
        self._count += 1
        name = f"{kind}_{self.name}_{self._count}"
        self.function.before.append(f"const {name} = {text};")
        return name

    def _table(self, text: str) -> str:
        """A table of places."""
        return self._own(text, "table")


def _adding(statements: list[Statement], buffer: Buffer) -> list[Statement] | None:
    """Statements that add to a buffer instead of storing there; None if they cannot."""
    for each in statements:
        reads = [slot for slot in each.slots() if slot.buffer is buffer]
        writes = not isinstance(each, Check) and _out(each).buffer is buffer
        starts = isinstance(each, Contraction) and each.adds
        if len(reads) > writes + (writes and starts):
            return None
    writers = [each for each in statements if not isinstance(each, Check)
               and _out(each).buffer is buffer]  # fmt: skip
    if writers and isinstance(writers[0], Map) and _is_zero(writers[0], buffer):
        if all(_adds(each) for each in writers[1:]):
            return [each for each in statements if each is not writers[0]]
    if len(writers) != 1:
        return None
    only = writers[0]
    if isinstance(only, Map):
        if only.in_order or only.then:
            return None
        return [replace(only, adds=True) if each is only else each for each in statements]
    if isinstance(only, Reduction):
        return statements if only.best is None else None
    return statements if only.start is None else None


def _out(statement: Map | Reduction | Contraction) -> Slot:
    return statement.out.slot if isinstance(statement, Map) else statement.out


def _is_zero(statement: Map, buffer: Buffer) -> bool:
    """True for zeros everywhere in a buffer."""
    element, out = statement.element, statement.out.slot
    whole = prod(out.shape) * out.dtype.itemsize == buffer.nbytes
    return whole and isinstance(element, Number) and element.value == 0


def _adds(statement: Statement) -> bool:
    return (isinstance(statement, Map) and statement.adds) or (
        isinstance(statement, Contraction) and statement.adds
    )
