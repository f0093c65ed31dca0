"""The layout of an optimizer's parameters: as few flat buckets as groups and memory allow."""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any

from graphnet.graph.arena import flatten_parameters
from graphnet.optim.buckets import Bucket, Memory, runs

if TYPE_CHECKING:
    from collections.abc import Collection

    from graphnet.graph import Parameter
    from graphnet.graph.arena import Arena
    from graphnet.optim.base import Optimizer


class Bucketing:
    """The buckets of an optimizer, found again when parameters move or groups change.

    Attributes:
        memories: the state of each parameter.
        counts: the number of steps of each parameter when the buckets were found.
        edits: how often edited settings were detected.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        memories: dict[Parameter, Memory],
        counts: dict[Parameter, int],
    ) -> None:
        self.optimizer = optimizer
        self.memories, self.counts = memories, counts
        self.edits = 0
        self._buckets: list[Bucket] = []
        self._parts: dict[Parameter, int] = {}
        self._groups: list[dict[str, Any]] = []
        self._seen: list[dict[str, Any]] | None = None
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
