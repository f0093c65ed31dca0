"""Buckets: an optimizer's parameters, moved side by side and updated as a few flat tensors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from operator import is_
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.graph.flat_parameters import flatten_parameters

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Parameter
    from graphnet.graph.flat_parameters import Arena
    from graphnet.optim.base import Optimizer
    from graphnet.optim.groups import Group

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

    def __init__(self, parameters: list[Parameter], place: int, group: Group, steps: int) -> None:
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

    def stepped(self, steps: int, writes: int) -> None:
        """Record that a step used the gradients and wrote values: values in graphs are now stale.

        Args:
            steps: the number of steps made.
            writes: how often it wrote to the arena.
        """
        self.steps = steps
        alone = writes and len(self.parameters) == self.arena.count
        for parameter in self.parameters:
            parameter.has_grad, parameter.fresh = True, False
        if not alone:  # writes to the arena change all its parameters, except those counted here
            self.arena.counted += writes
            for parameter in self.parameters:
                parameter.updates += 1


class Bucketing:
    """The buckets of an optimizer, found again when parameters move or groups change.

    Attributes:
        memories: the state of each parameter.
        counts: the number of steps of each parameter when the buckets were found.
        edits: how often edited settings were detected.
    """

    def __init__(
        self, optimizer: Optimizer, memories: dict[Parameter, Memory], counts: dict[Parameter, int]
    ) -> None:
        self.optimizer = optimizer
        self.memories, self.counts = memories, counts
        self.edits = 0
        self._buckets: list[Bucket] = []
        self._parts: dict[Parameter, int] = {}
        self._groups: list[Group] = []
        self._seen: list[Group] | None = None
        self._plan: list[Any] = []
        self._arenas: list[tuple[Arena, int]] = []

    def current(self) -> list[Bucket]:
        """The buckets for the present groups; the same list as long as nothing moves.

        Raises:
            RangeError: a setting was edited and is out of its range.
        """
        for arena, changes in self._arenas:
            if arena.changes != changes:
                self._rebuild()
                return self._buckets
        if self._edited():
            self._rebuild()
        return self._buckets

    def of(self, updated: Collection[Parameter]) -> list[Bucket]:
        """The buckets of these parameters; a bucket that holds others as well is split."""
        chosen = []
        for bucket in self.current():
            count = sum(each in updated for each in bucket.parameters)
            if 0 < count < len(bucket.parameters):
                self._part(updated)
                return self.of(updated)
            if count:
                chosen.append(bucket)
        return chosen

    def _part(self, updated: Collection[Parameter]) -> None:
        """Split buckets for good: parameters that take turns are not joined again."""
        numbers: dict[tuple[int, bool], int] = {}
        self._parts = {
            each: numbers.setdefault((self._parts.get(each, 0), each in updated), len(numbers))
            for each in self.optimizer.parameters
        }
        self._rebuild()

    def portable(self) -> tuple[dict[Parameter, Memory], dict[Parameter, int]]:
        """The state and the number of steps of each parameter."""
        for bucket in self._buckets:
            self.counts.update(dict.fromkeys(bucket.parameters, bucket.steps))
        return self.memories, self.counts

    def _edited(self) -> bool:
        """True if the groups need other buckets than when these were found."""
        optimizer = self.optimizer
        try:
            if self._seen == optimizer.param_groups and self._same_groups():
                return False
        except RuntimeError:  # a setting was replaced by a tensor: the check will report it
            return True
        optimizer.check_groups(optimizer.param_groups)
        if self._seen is None or self._dependencies() != self._plan:
            return True
        self._see()
        return False

    def _same_groups(self) -> bool:
        """True if no group was replaced, even by an equal one, which may be edited later."""
        return all(map(is_, self._groups, self.optimizer.param_groups))

    def _dependencies(self) -> list[Any]:
        """All that the buckets depend on."""
        optimizer = self.optimizer
        return [(optimizer.slots_of(g), list(g["params"])) for g in optimizer.param_groups]

    def _see(self) -> None:
        """Record the present settings; a group may have been replaced by another dict."""
        groups = self.optimizer.param_groups
        self._groups = list(groups)
        self._seen = [{**group, "params": list(group["params"])} for group in groups]
        self.edits += 1
        for bucket in self._buckets:
            bucket.group = groups[bucket.place]

    def _rebuild(self) -> None:
        """Find the longest buckets of parameters that can be updated together."""
        optimizer = self.optimizer
        optimizer.check_groups(optimizer.param_groups)
        self.portable()
        flatten_parameters(optimizer.parameters)
        self._buckets = [
            Bucket(run, place, group, self.counts.get(run[0], 0))
            for place, group in enumerate(optimizer.param_groups)
            for run in runs((p for p in group["params"] if p.requires_grad), self._age)
        ]
        for bucket in self._buckets:
            for name in optimizer.slots_of(bucket.group):
                is_scalar = name in optimizer.scalars
                remember = bucket.remember_number if is_scalar else bucket.remember
                remember(name, self.memories, optimizer.first_value(bucket.group, name))
        arenas = dict.fromkeys(parameter.arena for parameter in optimizer.parameters)
        self._arenas = [(arena, arena.changes) for arena in arenas]
        self._plan = self._dependencies()
        self._see()

    def _age(self, parameter: Parameter) -> tuple[float, ...]:
        """All that must be equal for the parameters of a bucket."""
        memory = self.memories.get(parameter, {})
        known = (float(memory[name]) for name in self.optimizer.scalars if name in memory)
        return (self._parts.get(parameter, 0), self.counts.get(parameter, 0), *known)


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
