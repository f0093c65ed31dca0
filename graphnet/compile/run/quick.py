"""The shortest way through a step of native code: everything that may have changed is compared.

A step of a small network takes a few microseconds in C, less than it takes to work out the settings
of the step in Python. So while nothing has changed since the last step, its numbers are used again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from graphnet.compile.run.cached_step import CachedStep
    from graphnet.compile.run.runner import Again
    from graphnet.compile.run.step import Step


class QuickStep:
    """A step like the last one, with other tensors.

    Args:
        step: the compiled step.
        cached: the program that it has just run.
    """

    __slots__ = ("_again", "_buckets", "_cached", "_modes", "_nodes", "_step")

    def __init__(self, step: Step, cached: CachedStep, again: Again) -> None:
        self._step, self._cached, self._again = step, cached, again
        self._modes, self._nodes = step.graph.modes, len(step.graph)
        self._buckets = [(each, step.optimizer.counts(each.group)) for each in cached.buckets]

    @staticmethod
    def of(step: Step, cached: CachedStep) -> QuickStep | None:
        """The way for a program; None if there is more to do in a step than to call it."""
        again = cached.runner.again
        if again is None:  # asked first: calls of torch ask it at each step
            return None
        roles, mode = step._roles, cached.mode
        plain = mode.updates and not mode.adds and not roles.others and not roles.cleared
        settings = (value for bucket in cached.buckets for value in bucket.group.values())
        may_change = any(isinstance(value, Tensor) for value in settings)  # in place, unseen
        if not plain or may_change:
            return None
        steady = step._settings.are_steady(cached.given, cached.known, cached.buckets)
        return QuickStep(step, cached, again) if steady else None

    def __call__(self, fed: Mapping[Any, Any]) -> Tensor | None:
        """Make a step; None if something has changed, or a check fails: nothing is written then."""
        step, cached = self._step, self._cached
        optimizer, graph = step.optimizer, step.graph
        if (
            optimizer.buckets() is not cached.whole
            or optimizer.edits != cached.edits
            or cached is not step._current
            or step._pending
            or len(graph) != self._nodes
            or graph.modes != self._modes
            or not cached.guard.holds()
        ):
            return None
        with step._uninterrupted:
            loss = self._again(fed)
            if loss is not None:
                for bucket, counts in self._buckets:
                    bucket.arena.unseen += 1
                    bucket.stepped(bucket.steps + counts, 1)
        return loss
