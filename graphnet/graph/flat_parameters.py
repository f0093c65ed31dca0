"""Where the numbers of parameters live: one flat buffer for values, one for gradients.

A parameter starts in an arena of its own. An optimizer moves parameters together, so that an update
is a handful of tensor operations however many layers there are. The arena belongs to the
parameters: code that keeps views of it learns from `Arena.changes` when one has moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from torch import empty

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph.parameter import Parameter


TAIL = 32
"""Numbers for which there is room behind the gradients: what is summed together with them."""


class Arena:
    """A flat buffer that holds the values of some parameters, and one for their gradients.

    Attributes:
        value: the values, side by side.
        grad: the gradients in the same order, zeros at first.
        packet: the same memory with room for a few numbers behind them.
        count: how many parameters live here.
        changes: counts up whenever one leaves, or is frozen or freed.
        counted: writes to the values that the parameters here have counted as their own.
        counting: False in inference mode, where tensors do not count writes.
        unseen: writes of native code, which tensors do not count either.
        lock: held while a gradient is added to another.
    """

    __slots__ = (
        "changes",
        "count",
        "counted",
        "counting",
        "grad",
        "lock",
        "packet",
        "unseen",
        "value",
    )

    def __init__(self, values: Sequence[Tensor]) -> None:
        total = sum(value.numel() for value in values)
        self.value = empty(total, dtype=values[0].dtype, device=values[0].device)
        self.packet = self.value.new_zeros(total + TAIL)
        self.grad = self.packet[:total]
        self.count = len(values)
        self.changes = 0
        self.counted = self.unseen = 0
        self.lock = Lock()
        self.counting = not self.value.is_inference()

    @property
    def writes(self) -> int:
        """How often the values were written; in inference mode only those of native code."""
        return self.value._version + self.unseen if self.counting else self.unseen

    @property
    def uncounted(self) -> int:
        """Writes that may have changed any resident, such as a user's `parameter.top.zero_()`."""
        return self.writes - self.counted


def flatten_parameters(parameters: Iterable[Parameter]) -> None:
    """Move the parameters that live alone into one arena, one for each dtype and device."""
    groups: dict[object, list[Parameter]] = {}
    for parameter in parameters:
        if parameter.arena.count == 1:
            groups.setdefault((parameter.dtype, parameter.top.device), []).append(parameter)
    for group in groups.values():
        if len(group) > 1:
            move_into_one(group)


def move_into_one(parameters: Sequence[Parameter]) -> None:
    """Copy the values and gradients of the parameters into a new arena, side by side."""
    arena = Arena([parameter.top for parameter in parameters])
    offset = 0
    for parameter in parameters:
        parameter.leave()
        parameter.move(arena, offset)
        offset += parameter.top.numel()
    arena.counted = arena.writes
