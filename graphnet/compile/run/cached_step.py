"""A cached step: the program of a training step, and what must stay unchanged to use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from graphnet.graph.derivatives import reached
from graphnet.graph.walks import ancestors

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.run.compiled import ParameterGuard
    from graphnet.compile.run.native import Native
    from graphnet.compile.run.runner import Runner
    from graphnet.compile.run.settings import Known
    from graphnet.graph import Graph, Node, Parameter
    from graphnet.optim.base import Optimizer
    from graphnet.optim.buckets import Bucket


class StepMode(NamedTuple):
    """The kind of step that a program makes.

    Attributes:
        training: the training modes of the modules.
        updates: whether parameters are updated.
        adds: whether gradients are added to the existing ones.
        given: which of the parameters without a path from the loss have a gradient to be used.
    """

    training: tuple[bool, ...]
    updates: bool
    adds: bool
    given: tuple[bool, ...]


class ParameterRoles:
    """What a loss does with the parameters of an optimizer, while none is moved or frozen.

    Attributes:
        whole: the buckets of the optimizer when this was made.
        size: the length of the list then: a parameter may join it later.
        reached: the parameters to which a gradient of the loss flows back.
        others: those without such a gradient; frozen ones are in neither.
        cleared: those of the list that are not reached: a backward pass clears their gradients.
    """

    def __init__(self, graph: Graph, loss: Node, optimizer: Optimizer) -> None:
        self.whole, self.size = optimizer.buckets(), len(graph)
        found = reached(ancestors(list(graph), [loss]), loss)
        parameters = optimizer.parameters
        self.reached = [each for each in parameters if each.requires_grad and each in found]
        self.others = [each for each in parameters if each.requires_grad and each not in found]
        moved = set(self.reached)
        self.cleared = [each for each in parameters if each in graph and each not in moved]
        self._listed = [each in graph for each in self.others]

    def given(self, updates: bool, adds: bool) -> tuple[bool, ...]:
        """For each of the others, whether a step uses its existing gradient."""
        if not updates:
            return ()
        pairs = zip(self.others, self._listed, strict=True)
        return tuple([each.fresh and (adds or not listed) for each, listed in pairs])

    def updated(self, mode: StepMode) -> set[Parameter]:
        """The parameters whose gradients a step computes or uses."""
        used = (each for each, given in zip(self.others, mode.given, strict=False) if given)
        return {*self.reached, *used}


@dataclass
class CachedStep:
    """A program, and everything that must stay unchanged to use it.

    Attributes:
        runner: the program.
        mode: the kind of step it makes.
        whole: where all parameters of the optimizer and their state lie.
        buckets: those whose gradients the program computes or uses.
        known: the settings and numbers of each of these.
        arguments: for each of them, the names of the numbers given at each step.
        fixed: the numbers that are part of the program, as (place, name, value).
        guard: where all parameters and buffers of the list lie.
        edits: how often the settings had been edited by then.
        native: the program in C, if it is to take over later.
    """

    runner: Runner
    mode: StepMode
    whole: list[Bucket]
    buckets: list[Bucket]
    known: list[Known]
    arguments: list[list[str]]
    fixed: list[tuple[int, str, Any]]
    guard: ParameterGuard
    edits: int
    native: Native | None = None

    @property
    def given(self) -> list[tuple[int, str]]:
        """The numbers that the program reads, as (place of the bucket, name)."""
        return self.runner.given

    def use(self, runner: Runner) -> None:
        """Run another program from now on, which computes the same."""
        self.runner, self.native = runner, None

    def is_for(self, mode: tuple[Any, ...], whole: list[Bucket]) -> bool:
        """True if it makes such a step, and neither parameters nor state have moved."""
        return self.whole is whole and self.mode == mode and self.guard.holds()

    def _follows(self, numbers: Sequence[Known], edits: int) -> bool:
        """True if of the settings only some have changed that are given at each step."""
        known = [bucket.group | new for bucket, new in zip(self.buckets, numbers, strict=True)]
        for old, new, given in zip(self.known, known, self.arguments, strict=True):
            if old.keys() != new.keys():
                return False
            for name, value in new.items():
                if value != old[name] and name != "params" and not (value and name in given):
                    return False
        self.known, self.edits = known, edits
        return True

    def values(
        self, fed: Mapping[str, Tensor], numbers: Sequence[Known], edits: int
    ) -> list[Any] | None:
        """The arguments of the program; None if more has changed than the given numbers."""
        if self.edits != edits and not self._follows(numbers, edits):
            return None
        for place, name, value in self.fixed:
            if numbers[place][name] != value:
                return None
        values: list[Any] = [fed[name] for name in self.runner.fed]
        for place, name in self.runner.given:
            given = numbers[place]
            values.append(given[name] if name in given else self.buckets[place].group[name])
        return values
