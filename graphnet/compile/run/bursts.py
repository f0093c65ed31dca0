"""Several steps in one call of native code; what it cannot do is done step by step."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from graphnet.compile.targets.torch.execution import without_autograd

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.run.batches import Batches
    from graphnet.compile.run.cached_step import CachedStep
    from graphnet.compile.run.step import Step

FIRST = 16
"""The steps of the first burst."""
LONG = 0.02
"""Seconds after which a burst is long enough: Ctrl-C works between two bursts."""


def make_steps(step: Step, batches: Batches, losses: Tensor) -> None:
    """Make a step with each batch, and note the losses."""
    place, most = 0, FIRST
    while place < len(batches):
        count = min(most, batches.alike - place)
        begin = perf_counter()
        made = _burst(step, batches, place, losses[place : place + count]) if count > 1 else 0
        if made and made == count and perf_counter() - begin < LONG:
            most *= 2
        if not made:  # also if the first step of the burst fails: here the error is raised
            losses[place] = step._run(batches[place], update=True)
            step._pending = False
            made = 1
        place += made


def _burst(step: Step, batches: Batches, first: int, losses: Tensor) -> int:
    """Make several steps at once; returns how many, 0 if they must be made one by one."""
    cached = step._current
    if cached is None or cached.runner.many is None or step._pending:
        return 0
    mode, buckets = step._prepared(update=True)
    fed = batches[first]
    if mode is not cached.mode or not cached.runner.takes(fed):
        return 0
    marks = [bucket.mark() for bucket in buckets]
    numbers = _numbers(step, cached, fed, len(losses))
    if numbers is None:
        _undo(buckets, marks)
        return 0
    with step._uninterrupted, without_autograd(True):
        made, watched = cached.runner.many(batches, first, numbers, losses)
        if made < len(losses):
            _undo(buckets, marks)
            _numbers(step, cached, fed, made)  # single numbers go on from where it ended
        if made:
            step._done(mode, buckets, marks, made)
            step.watched = tuple([each.clone() for each in watched])
    return made


def _numbers(step: Step, cached: CachedStep, fed: Any, count: int) -> list[float] | None:
    """The numbers of several steps in a row; None if one needs another program."""
    optimizer, buckets = step.optimizer, cached.buckets
    if step._settings.are_steady(cached.given, buckets):
        count, repeats = min(count, 1), count
    else:
        repeats = 1
    found: list[float] = []
    for ahead in range(count):
        values = cached.values(fed, step._settings.of_all(buckets, ahead), optimizer.edits)
        if values is None:
            return None
        found += values[len(cached.runner.fed) :]
    return found * repeats


def _undo(buckets: Sequence[Any], marks: Sequence[Any]) -> None:
    for bucket, mark in zip(buckets, marks, strict=True):
        bucket.undo(mark)
