"""Functions in C: those of a network, with all that they call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.targets.c.export.memory import scratch_member, size_text
from graphnet.compile.targets.c.expressions import TYPES
from graphnet.compile.targets.c.names import RESERVED, identifier
from graphnet.compile.targets.c.printer import Printer
from graphnet.compile.targets.c.tiles import Kind

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Buffer, Slot
    from graphnet.compile.targets.c.export.memory import Array, Memory
    from graphnet.compile.targets.c.export.numbers import StepNumbers
    from graphnet.compile.targets.c.export.programs import Exported
    from graphnet.graph import Operation

Tile = tuple[Kind, int, int, bool]
"""A tile that is called; see `ProductPrinter.tiles`."""


@dataclass(frozen=True)
class Argument:
    """An array that a function of a network is given.

    Attributes:
        name: in C.
        slot: its shape and dtype.
        is_output: True if the function writes it.
        source: the name of the input or output.
        mask: the operation whose random mask it is; None for other arrays.
    """

    name: str
    slot: Slot
    is_output: bool
    source: str
    mask: Operation | None = None

    @property
    def type(self) -> str:
        """The type of its elements."""
        return TYPES[self.slot.dtype]

    @property
    def count(self) -> int:
        """How many elements it has; C knows no array without any."""
        return max(prod(self.slot.shape), 1)

    def __str__(self) -> str:
        return f"{'' if self.is_output else 'const '}{self.type} {self.name}[{self.count}]"

    def remark(self) -> str:
        """Its shape, in words, and how a mask is drawn."""
        text = f"{self.name}: {size_text(self.slot.shape)}"
        if self.mask is None:
            return text
        p = cast("Any", self.mask.op).p
        kept = f", else {1 / (1 - p):.9g}" if p < 1 else ""
        return f"{text}, drawn anew for each call: 0 with probability {p:g}{kept}"


class FunctionPrinter(Printer):
    """Prints a function of a network.

    Args:
        network: the name of the network.
        function: what is printed.
        memory: that of the network.
        numbers: what the optimizer is given at each step; None for a prediction.
        used: the functions of the prelude that are called; grows.
        tiles: the tiles that are called; grows.

    Attributes:
        arguments: the arrays that it is given.
        body: its lines.
    """

    inline = "static inline"

    def __init__(
        self,
        network: str,
        function: Exported,
        memory: Memory,
        numbers: StepNumbers | None,
        used: set[str],
        tiles: set[Tile],
    ) -> None:
        super().__init__(function.lowered, lanes=1, used=used, tiles=tiles)
        self.network, self.function, self.memory = network, function, memory
        self.step_numbers = numbers
        self.name = f"{network}_{function.verb}"
        given = [] if numbers is None else numbers.members
        self._members = {each.slot.offset: each.name for each in given}
        self._numbers = {each.slot.buffer for each in given}
        self.names = self._named()
        self.arguments: list[Argument] = list(self._arguments())
        # The text is for any compiler: one that does not know a pragma warns of it.
        lines = (line for statement in self._statements() for line in statement)
        self.body = [line.rstrip() for line in lines if not line.lstrip().startswith("#pragma")]
        code = "\n".join(line for line in self.body if not line.startswith("/*"))
        self._words = set(re.findall(r"\w+", code))

    def _named(self) -> dict[Buffer, str]:
        """A name for each buffer that is not an array of the network."""
        arrays = {each.name for each in (*self.memory.state, *self.memory.fixed)}
        fixed = {f"{self.network}_{each.name}" for each in self.memory.fixed}
        taken = set(RESERVED) | arrays | fixed | {"state", self.name, *self._members.values()}
        names: dict[Buffer, str] = {}
        low = self.lowered
        wanted = [(node.name, slot) for node, slot in (*low.inputs.items(), *low.drawn.items())]
        wanted += self.function.outputs
        wanted += [(s.node.name, slot) for s in low.statements for slot in s.slots()]
        for name, slot in wanted:
            is_number = slot.buffer in self._numbers
            if slot.buffer.memory is None and not is_number and slot.buffer not in names:
                names[slot.buffer] = identifier(name, taken)
        return names

    def pointer(self, slot: Slot) -> tuple[str, int]:
        """The name of a piece of memory, and how many elements after it a slot begins."""
        if slot.buffer.memory is not None:
            array = self.memory.array(slot.buffer)
            return array.name, slot.offset - array.first
        if slot.buffer in self._numbers:
            return self._members[slot.offset], 0
        return self.names[slot.buffer], slot.offset

    def _arguments(self) -> Iterator[Argument]:
        for node, slot in self.lowered.inputs.items():
            yield Argument(self.names[slot.buffer], slot, False, node.name)
        for mask, slot in self.lowered.drawn.items():
            yield Argument(self.names[slot.buffer], slot, False, mask.name, mask)
        for name, slot in self.function.outputs:
            yield Argument(self.names[slot.buffer], slot, True, name)

    def head(self) -> str:
        """The function's declaration, without the semicolon."""
        constant = "" if self.step_numbers is not None else "const "
        before = [f"{constant}struct {self.network}_state *state"] * bool(self.memory.state)
        if self._members:
            before.append(f"const struct {self.network}_numbers *numbers")
        after = [f"struct {self.network}_scratch *scratch"] * bool(self.memory.scratch)
        given = [*before, *map(str, self.arguments), *after]
        return f"int {self.name}(\n    " + ",\n    ".join(given) + ")"

    def text(self) -> Iterator[str]:
        """The whole function."""
        yield f"{self.head()} {{"
        declared = list(self._declarations())
        yield from (
            f"  {line}".rstrip() for line in (*declared, *self._unused(declared), *self.body)
        )
        yield "  return 0;"
        yield "}"

    def _declarations(self) -> Iterator[str]:
        """The names of the memory that is used."""
        for array in self.memory.state:
            yield from self._pointer(array, f"state->{array.name}", self.step_numbers is None)
        for array in self.memory.fixed:
            yield from self._pointer(array, f"{self.network}_{array.name}", True)
        for member in self.step_numbers.members if self.step_numbers is not None else ():
            if member.name in self._words:
                yield f"const {member.type} *const {member.name} = &numbers->{member.name};"
        given = {each.slot.buffer for each in self.arguments}
        dtypes = {s.buffer: s.dtype for each in self.lowered.statements for s in each.slots()}
        for buffer, name in self.names.items():
            if buffer not in given and name in self._words:
                dtype, start = dtypes[buffer], self.memory.starts.get(buffer, 0)
                place = f"scratch->{scratch_member(dtype)}" + (f" + {start}" if start else "")
                yield f"{TYPES[dtype]} *const {name} = {place};"

    def _pointer(self, array: Array, place: str, constant: bool) -> Iterator[str]:
        if array.name in self._words:
            yield f"{'const ' if constant else ''}{array.type} *const {array.name} = {place};"

    def _unused(self, declared: list[str]) -> Iterator[str]:
        """Lines that tell the compiler of arguments that are not used."""
        words = self._words | set(re.findall(r"\w+", "\n".join(declared)))
        names = [each.name for each in self.arguments]
        names += ["state"] * bool(self.memory.state) + ["numbers"] * bool(self._members)
        names += ["scratch"] * bool(self.memory.scratch)
        yield from (f"(void){name};" for name in names if name not in words)

    def prelude(self, text: str) -> list[str]:
        """What all functions call, without what none of them does: some compilers warn of that.

        Args:
            text: that of all functions.
        """
        pieces, kept = list(_pieces("\n".join(self._prelude()).splitlines())), list[str]()
        for piece in reversed(pieces):
            found = re.match(r"static [^(]*?(\w+)\(", piece)
            if found is None or re.search(rf"\b{found[1]}\(", text):
                kept.append(piece)
                text += piece
        return [line for piece in kept[::-1] for line in ("", *piece.splitlines())]


def _pieces(lines: list[str]) -> Iterator[str]:
    """Lines of C, those of a function or a type together."""
    piece, opened, depth = list[str](), False, 0
    for line in lines:
        piece.append(line)
        depth += line.count("{") - line.count("}")
        opened = opened or "{" in line
        if not depth and (opened or line.startswith("#")):
            yield "\n".join(piece)
            piece, opened = [], False
