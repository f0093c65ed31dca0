"""Where the numbers of parameters live: one flat buffer for values, one for gradients.

A parameter is born in a home of its own. An optimizer moves parameters together, so that an
update is a handful of tensor operations however many layers there are. The home belongs to the
parameters: whoever else holds a `Span` of it sees by `Span.valid` when somebody moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from torch import empty

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph.parameter import Parameter


class Home:
    """A flat buffer that holds the values of some parameters, and one for their gradients."""

    __slots__ = ("_grad", "changes", "residents", "value")

    def __init__(self, values: Sequence[Tensor]) -> None:
        first = values[0]
        total = sum(value.numel() for value in values)
        self.value = empty(total, dtype=first.dtype, device=first.device)
        self._grad: Tensor | None = None
        self.residents = len(values)
        self.changes = 0

    @property
    def grad(self) -> Tensor:
        """The gradients of all residents, zeros at first; made when first asked for."""
        if self._grad is None:
            self._grad = self.value.new_zeros(self.value.shape)
        return self._grad


class Span:
    """A run of parameters that lie side by side in one home, as flat views."""

    __slots__ = ("_changes", "_home", "grad", "start", "stop", "value")

    def __init__(self, home: Home, start: int, stop: int) -> None:
        self.start, self.stop = start, stop
        self.value = home.value[start:stop]
        self.grad = home.grad[start:stop]
        self._home = home
        self._changes = home.changes

    @property
    def valid(self) -> bool:
        """False once a parameter has left the home, or was frozen or freed."""
        return self._home.changes == self._changes


def settle(parameters: Iterable[Parameter]) -> None:
    """Move the parameters that live alone into one home, one for each number type and device."""
    groups: dict[object, list[Parameter]] = {}
    for parameter in parameters:
        if parameter.home.residents == 1:
            groups.setdefault((parameter.dtype, parameter.top.device), []).append(parameter)
    for group in groups.values():
        if len(group) > 1:
            move_together(group)


def move_together(parameters: Sequence[Parameter]) -> None:
    """Copy the values and gradients of the parameters into a new home, side by side."""
    home = Home([parameter.top for parameter in parameters])
    offset = 0
    for parameter in parameters:
        parameter.move(home, offset)
        offset += parameter.top.numel()
