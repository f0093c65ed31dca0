"""Several steps in one call of native code; what it cannot do is done step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from graphnet.compile.targets.torch.execution import without_autograd

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.run.batches import Batches
    from graphnet.compile.run.cached_step import CachedStep
    from graphnet.compile.run.step import Step

LONG = 0.02
"""Seconds after which a burst is long enough: Ctrl-C works between two bursts."""
Before = Callable[[int], None]
"""Called with the number of steps that come before, such as to set the learning rate."""


class Bursts:
    """Makes as many steps in one call as take little time, and can be made without Python.

    Args:
        step: the compiled step.
    """

    def __init__(self, step: Step) -> None:
        self._step, self._most = step, 0

    def make(
        self, batches: Batches, first: int, losses: Tensor, before: Before | None = None
    ) -> int:
        """Make steps; returns how many, 0 if the first of them must be made by itself.

        Args:
            batches: those of all steps.
            first: the batch of the first step.
            losses: where the losses are written to, one for each batch.
            before: what is done before each step.
        """
        cached = self._step._current
        if cached is None or cached.runner.many is None:
            return 0
        self._most = self._most or max(2, int(LONG / max(cached.runner.seconds, 1e-6)))
        count = min(self._most, batches.alike - first)
        if count < 2:
            return 0
        begin = perf_counter()
        made = _burst(self._step, cached, batches, first, losses[first : first + count], before)
        if made == count and perf_counter() - begin < LONG:
            self._most *= 2
        return made


def make_steps(step: Step, batches: Batches, losses: Tensor) -> None:
    """Make a step with each batch, and note the losses."""
    place, bursts = 0, Bursts(step)
    while place < len(batches):
        made = bursts.make(batches, place, losses)
        if not made:  # also if the first step of a burst fails: here the error is raised
            losses[place] = step._run(batches[place], update=True)
            step._pending = False
            made = 1
        place += made


def _burst(
    step: Step,
    cached: CachedStep,
    batches: Batches,
    first: int,
    losses: Tensor,
    before: Before | None,
) -> int:
    """Make several steps at once; returns how many, 0 if they must be made one by one."""
    if cached.runner.many is None or step._pending:
        return 0
    mode, buckets = step._prepared(update=True)
    fed = batches[first]
    fits = mode is cached.mode and cached.runner.takes(fed)
    if not fits or cached.edits != step.optimizer.edits:
        return 0
    marks = [bucket.mark() for bucket in buckets]
    numbers, count = _numbers(step, cached, fed, len(losses), before)
    if count < 2:
        _undo(buckets, marks)
        return 0
    with step._uninterrupted, without_autograd(True):
        made, watched = cached.runner.many(batches, first, numbers, losses[:count])
        if made < count:
            _undo(buckets, marks)
            _numbers(step, cached, fed, made, None)  # single numbers go on from where it ended
        if made:
            step._done(mode, cached, buckets, marks, made)
            step.watched = tuple([each.clone() for each in watched])
    return made


def _numbers(
    step: Step, cached: CachedStep, fed: Any, count: int, before: Before | None
) -> tuple[list[float], int]:
    """The numbers of several steps in a row, as far as they suit the program; and how many."""
    optimizer, buckets, settings = step.optimizer, cached.buckets, step._settings
    if before is None and settings.are_steady(cached.given, cached.known, buckets):
        values = cached.values(fed, settings.of_all(buckets), optimizer.edits)
        return ([], 0) if values is None else (values[len(cached.runner.fed) :] * count, count)
    found: list[float] = []
    for ahead in range(count):
        if before is not None:
            try:
                before(ahead)
            except Exception:  # it is raised when this step is made
                return found, ahead
            cached.edits = optimizer.edits  # only the learning rate has changed
        values = cached.values(fed, settings.of_all(buckets, ahead), optimizer.edits)
        if values is None:
            return found, ahead
        found += values[len(cached.runner.fed) :]
    return found, count


def _undo(buckets: Sequence[Any], marks: Sequence[Any]) -> None:
    for bucket, mark in zip(buckets, marks, strict=True):
        bucket.undo(mark)
