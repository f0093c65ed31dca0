"""The JavaScript printer: a list as one function that makes its arrays and its walks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

from graphnet.compile.lower.loops import Check, Contraction, Map, Reduction
from graphnet.compile.lower.scalars import Number, Place, load
from graphnet.compile.plan.slots import new_slot
from graphnet.compile.targets.js.adding import adding
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
        loops = LoopPrinter(self._pointer, self.used)
        for each in self._directed():
            self.function.lines += self._statement(each, loops)
        return self.function

    def _directed(self) -> list[Statement]:
        """The statements, with results stored in, or added to, the arrays that they belong in."""
        low, statements = self.part.lowered, [*self.part.lowered.statements]
        for slot, target in zip(low.results, self.part.targets, strict=True):
            name, moved = self.arrays[target], None
            if _is_alone(slot, low.results) and slot.buffer not in self._names:
                moved = adding(statements, slot.buffer) if self.part.adds else statements
            if moved is not None:
                self._names[slot.buffer], statements = name, moved
                self._adding |= {slot.buffer} if self.part.adds else set()
            elif prod(slot.shape):
                out = new_slot(slot.shape, slot.dtype)
                self._names[out.buffer] = name
                node = self.part.operation
                statements.append(
                    Map(node, slot.shape, load(slot), Place(out), adds=self.part.adds)
                )
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
            lines += contraction(s, self._array, self._table, self.used)
        return lines

    def _check(self, statement: Check) -> list[str]:
        name, offset = self._pointer(statement.value)
        value = f"{name}[{offset}]"
        fails = value if ARRAYS[statement.value.dtype] == "Uint8Array" else f"!isFinite({value})"
        text = string(f"{self.part.operation.name}: an index or a count is out of range")
        return [f"if ({fails}) throw new RangeError({text});"]

    # memory

    def _pointer(self, slot: Slot) -> tuple[str, int | None]:
        """The name of a piece of memory, and where in it a slot begins; see `loops.Pointer`."""
        memory: Any = slot.buffer.memory
        is_one = memory is not None and memory.untyped_storage().nbytes() == memory.element_size()
        if is_one and slot.buffer not in self._names:
            return number(memory.flatten()[0].item(), slot.dtype), None
        return self._array(slot)

    def _array(self, slot: Slot) -> tuple[str, int]:
        """The name of an array, and where in it a slot begins."""
        buffer = slot.buffer
        if buffer not in self._names:
            count = buffer.nbytes // slot.dtype.itemsize
            text = f"new {ARRAYS[slot.dtype]}({count})"
            made = text if buffer.memory is None else self._constant(buffer.memory, slot)
            self._names[buffer] = self._own(made)
        return self._names[buffer], slot.offset

    def _constant(self, memory: Any, slot: Slot) -> str:
        """A value that never changes, as an array."""
        whole = memory.untyped_storage().nbytes() // memory.element_size()
        values = memory.as_strided((whole,), (1,), 0).tolist()
        texts = [number(each, slot.dtype) for each in values]
        if len(set(texts)) == 1:
            return f"new {ARRAYS[slot.dtype]}({len(texts)}).fill({texts[0]})"
        return f"{ARRAYS[slot.dtype]}.of({', '.join(texts)})"

    def _own(self, text: str, kind: str = "part") -> str:
        """An array of this part alone."""
        self._count += 1
        name = f"{kind}_{self.name}_{self._count}"
        self.function.before.append(f"const {name} = {text};")
        return name

    def _table(self, text: str) -> str:
        """A table of places."""
        return self._own(text, "table")


def _is_alone(slot: Slot, results: Sequence[Slot]) -> bool:
    """True if a result is the whole of memory that no other result lies in."""
    buffer, nbytes = slot.buffer, prod(slot.shape) * slot.dtype.itemsize
    is_new = buffer.memory is None and not buffer.made
    is_whole = slot.is_contiguous and nbytes == buffer.nbytes
    return is_new and is_whole and sum(each.buffer is buffer for each in results) == 1
