"""Placing: each call writes over what is no longer read, and each buffer gets its memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from graphnet.compile.plan.memory import plan
from graphnet.compile.plan.overwrite import overwrite
from graphnet.compile.targets.torch.printer import Printer

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from graphnet.compile.plan.calls import Call
    from graphnet.compile.plan.slots import Buffer, Slot
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.graph import Node


@dataclass
class Placed:
    """A program with a place for everything.

    Attributes:
        calls: its calls.
        slots: where the values of inputs and results lie.
        printer: what prints them, with the names that slots would like to have.
        starts: the first byte of each buffer in the arena.
        nbytes: the bytes of the arena.
        device: where it is.
    """

    calls: list[Call]
    slots: dict[Node, Slot]
    printer: Printer
    starts: dict[Buffer, int]
    nbytes: int
    device: torch.device | None


def place(selection: Selection) -> Placed:
    """The calls of a selection, with the memory that they need."""
    results = selection.program.results
    kept = [selection.slots[node] for node in results]
    calls, moves = overwrite(selection.calls, kept)
    slots = {node: moves(selection.slots[node]) for node in [*selection.program.inputs, *results]}
    starts, nbytes = plan(calls, [slots[node] for node in results])
    wanted: dict[Slot, str | tuple[Slot, str]] = {}
    for slot, name in selection.names.items():
        of = name if isinstance(name, str) else (moves(name[0]), name[1])
        wanted.setdefault(moves(slot), of)
    return Placed(calls, slots, Printer(wanted), starts, nbytes, selection.device)


class Memory:
    """The tensors of slots.

    Args:
        placed: the program.
        cell: the memory for that of a cell; it is used as it is, or copied to try things out.
    """

    def __init__(self, placed: Placed, cell: Callable[[Tensor], Tensor] | None = None) -> None:
        self._starts, self._cell = placed.starts, cell
        whole = -(-placed.nbytes // 16) * 16
        self._arena = torch.empty(whole, dtype=torch.uint8, device=placed.device)
        self._cells: dict[Buffer, Tensor] = {}

    def tensor(self, slot: Slot) -> Tensor:
        """The tensor that lies in a slot."""
        buffer, offset = slot.buffer, slot.offset
        if buffer.memory is not None:
            whole = self._cells.get(buffer)
            if whole is None:
                memory: Tensor = buffer.memory
                whole = self._cells[buffer] = self._cell(memory) if self._cell else memory
        elif buffer in self._starts:
            whole = self._arena.view(slot.dtype)
            offset += self._starts[buffer] // slot.dtype.itemsize
        else:
            whole = torch.empty(0, dtype=slot.dtype, device=self._arena.device)
        return whole.as_strided(slot.shape, slot.strides, offset)
