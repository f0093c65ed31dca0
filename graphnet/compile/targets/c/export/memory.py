"""Memory in C: the structs that the caller owns, and the arrays that never change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import torch

from graphnet.compile.ir.program import Constant
from graphnet.compile.plan.memory import plan
from graphnet.compile.targets.c.export.in_place import in_place
from graphnet.compile.targets.c.expressions import TYPES, number
from graphnet.compile.targets.c.names import RESERVED, identifier, plain

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Cell
    from graphnet.compile.lower.loops import Statement
    from graphnet.compile.plan.slots import Buffer, Slot
    from graphnet.compile.targets.c.export.programs import Exported

PER_LINE = 90
"""The characters of a line of numbers."""

Key = tuple[int, torch.dtype]


@dataclass
class Array:
    """Memory that outlasts a call: an array in the state, or one that never changes.

    Attributes:
        name: of the array.
        memory: a tensor that lies in it.
        first: the first element of its storage that is used.
        stop: the one after the last.
        is_state: True if it is a part of the state.
        cells: the cells that lie in it, each with where it begins.
        is_unread: True if its start is of no interest.
    """

    name: str
    memory: torch.Tensor
    first: int
    stop: int
    is_state: bool
    cells: list[tuple[str, Slot]] = field(default_factory=list)
    is_unread: bool = False

    @property
    def type(self) -> str:
        """The type of its elements."""
        return TYPES[self.memory.dtype]

    @property
    def count(self) -> int:
        """How many elements it has; C knows no array without any."""
        return max(self.stop - self.first, 1)

    @property
    def nbytes(self) -> int:
        """Its size."""
        return self.count * self.memory.dtype.itemsize

    def values(self) -> list[Any]:
        """What it holds now."""
        size = self.stop - self.first
        found = self.memory.as_strided((size,), (1,), self.first).tolist() if size else []
        return found or [0]

    @property
    def starts_with_zeros(self) -> bool:
        """True if training begins with zeros in it."""
        return self.is_unread or all_zeros(self.values())

    def remark(self) -> list[str]:
        """What lies in it, as lines of a comment."""
        parts = [
            f"{plain(name)}: {size_text(slot.shape)}, from {slot.offset - self.first}"
            for name, slot in self.cells
            if slot.span != (self.first, self.stop)
        ]
        (whole, _), *_ = [*self.cells, (self.name, None)]
        lines = wrap("; ".join(parts) or plain(whole), PER_LINE - 10)
        return [f"/* {lines[0]}", *(f" * {line}" for line in lines[1:])]


class Memory:
    """The memory of all functions of a network.

    Attributes:
        state: the arrays of the state, which training changes, or which are an argument.
        fixed: the arrays that never change.
        scratch: by dtype, how many elements the largest function needs.
        starts: where each buffer of a function lies in its part of the scratch memory.
    """

    def __init__(self, functions: Sequence[Exported], as_argument: bool) -> None:
        self._arrays: dict[Key, Array] = {}
        self._taken = set(RESERVED) | {"state"}
        written = {
            _key(each.memory) for f in functions for each in f.written if each.memory is not None
        }
        for function in functions:
            self._add(function, written, as_argument)
        state = (each for each in self._arrays.values() if each.is_state)
        self.state = sorted(state, key=lambda each: -len(each.cells))
        self.fixed = [each for each in self._arrays.values() if not each.is_state]
        self.scratch: dict[torch.dtype, int] = {}
        self.starts: dict[Buffer, int] = {}
        for function in functions:
            self._plan(function.lowered.statements)

    def array(self, buffer: Buffer) -> Array:
        """The array that a buffer is."""
        return self._arrays[_key(buffer.memory)]

    def _add(self, function: Exported, written: set[Key], as_argument: bool) -> None:
        """Note the arrays that a function uses, those with names of their own first."""
        low = function.lowered
        used = {slot.buffer for each in low.statements for slot in each.slots()}
        cells = [(cell, slot) for cell, slot in low.cells.items() if slot.buffer in used]
        for cell, slot in sorted(cells, key=lambda pair: -prod(pair[1].shape)):
            kept = as_argument and not isinstance(cell, Constant)
            self._extend(slot, cell.name, kept or _key(slot.buffer.memory) in written)
        for statement in low.statements:
            for slot in statement.slots():
                if slot.buffer.memory is not None:
                    self._extend(slot, statement.node.name, _key(slot.buffer.memory) in written)
        for cell, slot in cells:
            self._note(cell, slot, cell in function.unread)

    def _extend(self, slot: Slot, name: str, is_state: bool) -> None:
        """Let an array reach over a slot."""
        key, (first, stop) = _key(slot.buffer.memory), slot.span
        array = self._arrays.get(key)
        if array is None:
            name = identifier(name, self._taken)
            self._arrays[key] = Array(name, slot.buffer.memory, first, stop, is_state)
        elif first < stop:
            array.first, array.stop = min(array.first, first), max(array.stop, stop)

    def _note(self, cell: Cell, slot: Slot, is_unread: bool) -> None:
        """Note what lies in an array, unless it is all of it under another name."""
        array = self._arrays[_key(slot.buffer.memory)]
        if (cell.name, slot.offset) not in [(name, each.offset) for name, each in array.cells]:
            array.cells.append((cell.name, slot))
        array.is_unread |= is_unread

    def _plan(self, statements: Sequence[Statement]) -> None:
        """Place the values of a function: each dtype has memory of its own, as C demands.

        Reading bytes of one type as another one is undefined there.
        """
        same = in_place(statements)
        used = (slot for each in statements for slot in each.slots())
        for dtype in dict.fromkeys(s.dtype for s in used if not s.buffer.is_given):
            starts, nbytes = plan([_Part(each, dtype, same) for each in statements], ())
            self.starts |= {buffer: start // dtype.itemsize for buffer, start in starts.items()}
            self.scratch[dtype] = max(self.scratch.get(dtype, 1), nbytes // dtype.itemsize)
        widest = sorted(self.scratch.items(), key=lambda pair: -pair[0].itemsize)
        self.scratch = dict(widest)  # without gaps in the struct
        self.starts |= {each: self.starts[there] for each, there in same.items()}

    @property
    def state_bytes(self) -> int:
        """The bytes of the state."""
        return _struct_bytes([(each.count, each.memory.dtype) for each in self.state])

    @property
    def scratch_bytes(self) -> int:
        """The bytes of the scratch memory."""
        return _struct_bytes([(count, dtype) for dtype, count in self.scratch.items()])


def _struct_bytes(members: Sequence[tuple[int, torch.dtype]]) -> int:
    """The size of a struct of arrays, each of which begins at a multiple of its elements' size."""
    total = 0
    for count, dtype in members:
        total += -total % dtype.itemsize + count * dtype.itemsize
    return total + -total % max((dtype.itemsize for _, dtype in members), default=1)


@dataclass(frozen=True)
class _Part:
    """A statement, of which only the values of one dtype are looked at.

    Attributes:
        statement: the statement.
        dtype: the dtype.
        same: for buffers that lie where another one lies, that one.
    """

    statement: Statement
    dtype: torch.dtype
    same: Mapping[Buffer, Buffer]

    def slots(self) -> Iterator[Slot]:
        """The memory that it reads and writes."""
        for slot in self.statement.slots():
            if slot.dtype is self.dtype:
                yield replace(slot, buffer=self.same.get(slot.buffer, slot.buffer))


def _key(tensor: torch.Tensor) -> Key:
    """What tensors in the same memory have in common."""
    return tensor.untyped_storage().data_ptr() or id(tensor), tensor.dtype


def size_text(shape: Sequence[int]) -> str:
    """A shape in words: 25 x 2, or one number."""
    return " x ".join(map(str, shape)) or "one number"


def scratch_member(dtype: torch.dtype) -> str:
    """The name of the part of the scratch memory for a dtype."""
    return f"{TYPES[dtype].removesuffix('_t')}s"


def all_zeros(values: Sequence[Any]) -> bool:
    """True if all bytes of some numbers are 0; those of -0.0 are not."""
    return {*map(str, values)} <= {"0", "0.0", "False"}


def initializer(values: Sequence[Any], dtype: torch.dtype, indent: str = "  ") -> list[str]:
    """Numbers as lines of C, which read back as they are."""
    if all_zeros(values):
        return [f"{indent}0"]
    lines, line = list[str](), indent
    for value in values:
        text = _exact(value, dtype) + ","
        if len(line) + len(text) > PER_LINE:
            lines.append(line.rstrip())
            line = indent
        line += text + " "
    return [*lines, line.rstrip().rstrip(",")]


def _exact(value: Any, dtype: torch.dtype) -> str:
    """A number in as few digits as tell it from all others of its dtype."""
    if dtype is torch.float32 and abs(value) < float("inf"):
        text = f"{value:.9g}"
        return f"{text if set(text) & set('.en') else text + '.0'}f"
    return number(value, dtype)
