"""Several steps of a training in one call of native code, between two looks at what observes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch

from graphnet.compile.run.batches import Batches
from graphnet.data.order import LISTED
from graphnet.schedules import Plateau, set_lr

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphnet.compile.run.bursts import Bursts
    from graphnet.data.order import RowOrder
    from graphnet.train.dataset import DataSet
    from graphnet.train.run import Run


class SeveralSteps:
    """The steps of an epoch that have full batches.

    Args:
        run: the training, at some place of an epoch.
        bursts: makes the steps.
    """

    def __init__(self, run: Run, bursts: Bursts) -> None:
        self._run, self._bursts = run, bursts
        self._fed = run.task.feed(cast("DataSet", run.data))
        self._load()

    def _load(self) -> None:
        """Take the next rows of the order: not all at once, if there are very many."""
        run, size = self._run, self._run.settings.batch_size
        order, rows = cast("RowOrder", run.order), cast("int", run.rows)
        most = -(-LISTED // size) * size
        self._first = run.position
        self._end = min(run.position + most, rows)
        self._batches = Batches(self._fed, size, order.rows(self._first, self._end))
        self._losses = torch.empty(len(self._batches), dtype=run.task.loss.dtype)

    def make(self) -> bool:
        """Make several steps; False if the next one must be made by itself."""
        run = self._run
        if run.position >= self._end:
            self._load()
        place, rest = divmod(run.position - self._first, run.settings.batch_size)
        if rest:
            return False
        rates: list[float] = []
        made = self._bursts.make(
            self._batches, place, self._losses, self._before(rates) if self._is_scheduled else None
        )
        losses = self._losses[place : place + made].tolist()
        for loss, rate in zip(losses, rates or [run.optimizer.lr] * made, strict=False):
            run.note(loss, rate)
        return bool(made)

    @property
    def _is_scheduled(self) -> bool:
        schedule = self._run.settings.schedule
        return schedule is not None and not isinstance(schedule, Plateau)

    def _before(self, rates: list[float]) -> Callable[[int], None]:
        """Sets the learning rate of a step ahead, and notes it."""
        run = self._run
        schedule = cast("Callable[[int], float]", run.settings.schedule)

        def before(ahead: int) -> None:
            set_lr(run.optimizer, schedule(run.step + ahead))
            rates.append(run.optimizer.lr)

        return before
