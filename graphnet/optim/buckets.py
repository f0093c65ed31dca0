"""Buckets: parameters that are adjacent in an arena, and are updated as one flat tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from torch import empty

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Parameter

Memory = dict[str, "Tensor"]
"""The state of one parameter, by name: flat tensors of its length, or single numbers."""


Mark = tuple[int, list["Tensor"]]
"""A bucket before a step: the writes to its arena so far, and its single numbers."""


class Bucket:
    """Adjacent parameters of one group that have made the same number of steps.

    Attributes:
        parameters: the parameters in memory order.
        place: the index of their group.
        group: its settings.
        steps: the number of steps that they have made.
    """

    def __init__(
        self, parameters: list[Parameter], place: int, group: dict[str, Any], steps: int
    ) -> None:
        self.parameters = parameters
        self.place, self.group = place, group
        self.steps = steps
        self.arena = parameters[0].arena
        self.value, self.grad = flat_value(parameters), flat_grad(parameters)
        self.state: dict[str, Tensor] = {}
        self.scalars: dict[str, Tensor] = {}

    def remember(self, name: str, memories: dict[Parameter, Memory], first: float) -> None:
        """Join the state of each parameter under one name; it starts at `first`."""
        flat = self.value.new_full(self.value.shape, first)
        start = 0
        for parameter in self.parameters:
            stop = start + parameter.top.numel()
            memory = memories.setdefault(parameter, {})
            if name in memory:
                flat[start:stop].copy_(memory[name])
            memory[name] = flat[start:stop]
            start = stop
        self.state[name] = flat

    def remember_number(self, name: str, memories: dict[Parameter, Memory], first: float) -> None:
        """The same for one number, which is equal for all parameters of a bucket."""
        known = memories.get(self.parameters[0], {}).get(name)
        self.scalars[name] = plain_number(first) if known is None else known.clone()
        for parameter in self.parameters:
            memories.setdefault(parameter, {})[name] = self.scalars[name]

    def memory(self) -> list[Tensor]:
        """All tensors that a step changes."""
        return [self.value, self.grad, *self.state.values(), *self.scalars.values()]

    def is_fresh(self) -> bool:
        """True if all parameters have a gradient that no step has used."""
        return False not in [parameter.fresh for parameter in self.parameters]

    def mark(self) -> Mark:
        """What must be known before a step, to undo it and to record what it wrote."""
        scalars = [each.clone() for each in self.scalars.values()] if self.scalars else []
        return self.arena.writes, scalars

    def undo(self, mark: Mark) -> None:
        """Restore the single numbers from a mark."""
        for scalar, value in zip(self.scalars.values(), mark[1], strict=True):
            scalar.copy_(value)

    def stepped(self, steps: int, mark: Mark) -> None:
        """Record that a step used the gradients and wrote values: values in graphs are now stale.

        Args:
            steps: the number of steps made.
            mark: the mark from before the values were written.
        """
        self.steps = steps
        writes = self.arena.writes - mark[0]
        alone = writes and len(self.parameters) == self.arena.count
        for parameter in self.parameters:
            parameter.has_grad, parameter.fresh = True, False
        if not alone:  # writes to the arena change all its parameters, except those counted here
            self.arena.counted += writes
            for parameter in self.parameters:
                parameter.updates += 1


def runs(
    parameters: Iterable[Parameter], key: Callable[[Parameter], object]
) -> list[list[Parameter]]:
    """The longest runs of parameters with equal keys in which each begins where the last ends."""
    found: list[list[Parameter]] = []
    for parameter in parameters:
        left = found[-1][-1] if found else None
        if (
            left is not None
            and left.arena is parameter.arena
            and left.offset + left.top.numel() == parameter.offset
            and key(left) == key(parameter)
        ):
            found[-1].append(parameter)
        else:
            found.append([parameter])
    return found


def flat_value(run: list[Parameter]) -> Tensor:
    """The values of adjacent parameters, as one flat view."""
    return run[0].arena.value[_places(run)]


def flat_grad(run: list[Parameter]) -> Tensor:
    """The gradients of adjacent parameters, as one flat view."""
    return run[0].arena.grad[_places(run)]


def plain_number(value: float) -> Tensor:
    """One number as `torch.optim` keeps it: on the CPU, in float64 if that is the default dtype."""
    number = empty((), device="cpu")
    return (number if number.element_size() == 8 else number.float()).fill_(value)


def _places(run: list[Parameter]) -> slice:
    return slice(run[0].offset, run[-1].offset + run[-1].top.numel())
