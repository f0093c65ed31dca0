"""One training run: where it is, and how it goes on."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from math import ceil, isfinite
from time import perf_counter
from typing import TYPE_CHECKING, Any

from graphnet.data.order import ALL
from graphnet.errors import FeedError, RangeError
from graphnet.schedules import Plateau, set_lr
from graphnet.train.batches import begin_epoch, next_batches
from graphnet.train.callbacks import Callback, tell
from graphnet.train.examples import no_batch
from graphnet.train.feeding import Feeding
from graphnet.train.history import History
from graphnet.train.in_words_of_data import at_row
from graphnet.train.means import Counts, Means
from graphnet.train.measuring import evaluations_of
from graphnet.train.settings import Augment, FitSettings, Schedule
from graphnet.train.several import SeveralSteps
from graphnet.train.signals import Interruption
from graphnet.train.updates import NO_UPDATE, update_of

if TYPE_CHECKING:
    from torch import Generator

    from graphnet.data.order import RowOrder
    from graphnet.optim import Optimizer
    from graphnet.train.across import Across
    from graphnet.train.evaluation import Evaluation, Metrics
    from graphnet.train.sources import Source
    from graphnet.train.training_graph import TrainingGraph

__all__ = ["Augment", "FitSettings", "Run", "Schedule"]

_MANY = 10_000
"""The updates of an epoch whose number is not known: enough to be worth compiling well."""


class Run:
    """A training run in progress: callbacks observe it, and may stop it.

    Attributes:
        task: the model, its losses and its list of nodes.
        optimizer: what updates the parameters.
        data: the rows to learn from.
        settings: how to train.
        history: what has happened.
        epoch: how many epochs are done.
        step: how many updates are done, including those that were skipped.
        position: how many rows of this epoch are done.
        rows: how many rows an epoch takes: all, except a last batch that is dropped; None if the
            data do not tell.
        order: the order in which this epoch takes the rows; None between epochs.
        feeding: what gives the batches of this epoch.
        example: a batch as it is learned from, with fewer rows or more.
        generator: the source of that order.
        validation: the rows that are only measured; None if there are none.
        means: the loss of this epoch so far.
        identity: what a state must have in common with this run; None before it is needed.
        stopped: True once a callback has requested the end.
        interrupted: True once a signal has.
        failed: True once an error has ended the training.
        across: the processes that make each update together; None for this one alone.
        counts: how much the rows count in the loss.
        measured: the names of what is measured after each epoch.
    """

    def __init__(
        self,
        task: TrainingGraph,
        optimizer: Optimizer,
        data: Source,
        settings: FitSettings,
        generator: Generator,
        callbacks: Iterable[Callback],
        across: Across | None = None,
    ) -> None:
        self.task, self.optimizer, self.data = task, optimizer, data
        self.settings, self.generator = settings, generator
        self.callbacks = list(callbacks)
        self.history = History(task.graph)
        self.epoch = self.step = self.position = 0
        self.order: RowOrder | None = None
        self.rows = settings.rows_of_epoch(data.count)
        share = ALL if across is None else across.share
        self.feeding = Feeding(data, settings.batch_size, settings.prefetch, task.device, share)
        self.example = task.example
        self.stopped = self.interrupted = self.failed = False
        self.validation: Source | None = None
        self.identity: dict[str, Any] | None = None
        self.across = across
        self.counts = Counts(task.terms, data, changing=settings.augment is not None)
        self.means = Means(self.counts.summed)
        calls = settings.epochs * (self.epoch_steps or _MANY) * settings.accumulate
        self._update = update_of(task, optimizer, settings, self.counts.alike, calls, across)
        self._evaluations: dict[str, Evaluation] = {}  # by the prefix of their columns
        self._epoch_start = perf_counter()

    @property
    def epoch_steps(self) -> int | None:
        """How many updates an epoch makes; None if the data do not tell."""
        if self.settings.steps_per_epoch is not None:
            return self.settings.steps_per_epoch
        if self.rows is not None:
            batches: int | None = ceil(self.rows / self.settings.batch_size)
        else:
            batches = getattr(self.data, "length", None)
        return None if batches is None else ceil(batches / self.settings.accumulate)

    def measure(self, held: Source | None, metrics: Metrics, training: bool) -> None:
        """Measure loss and metrics after each epoch.

        Args:
            held: data that are not learned from; None if there are none.
            metrics: functions, or a dict of them by name.
            training: True to also measure the metrics on the rows to learn from.
        """
        self.validation = held
        self._evaluations = evaluations_of(self, metrics, training)

    @property
    def measured(self) -> list[str]:
        """The names of what is measured after each epoch."""
        return [f"{a}{b}" for a, each in self._evaluations.items() for b in each.metrics]

    @property
    def waiting(self) -> float:
        """The share of this epoch that was spent waiting for data."""
        return self.feeding.waited / max(perf_counter() - self._epoch_start, 1e-9)

    def reset(self) -> None:
        """Reset everything that remembers something."""
        if isinstance(self.settings.schedule, Plateau):
            self.settings.schedule.reset()
        for callback in self.callbacks:
            callback.reset()

    def stop(self) -> None:
        """End the training after this step; the epoch is not finished."""
        self.stopped = True

    def train(self) -> History:
        """Make all remaining epochs.

        Raises:
            NonFiniteError: the loss is NaN or infinite, and the policy is to stop.
            SystemExit: on Ctrl-C or SIGTERM, after the step is finished and the callbacks are
                called. At a prompt or in a notebook, Ctrl-C is a KeyboardInterrupt.
        """
        if not self.task.model.training:  # parts of a model in training mode keep their own mode
            self.task.model.train()
        if isinstance(self.settings.schedule, Plateau):
            set_lr(self.optimizer, self.settings.schedule.lr)
        try:
            with Interruption() as interruption:
                self._tell("start")
                while self.epoch < self.settings.epochs and not self.ending:
                    self._one_epoch(interruption)
                    self._settle(interruption, now=True)
        except BaseException:
            self.failed = True
            raise
        finally:
            with ExitStack() as ending:
                ending.callback(self.feeding.finish)  # last: a state says where the data are
                self._tell_the_end()
        if self.interrupted:
            raise interruption.ending()
        return self.history

    @property
    def ending(self) -> bool:
        """True if no further step is to be made."""
        return self.stopped or self.interrupted

    def _settle(self, interruption: Interruption, now: bool = False) -> None:
        """Take note of a signal; several processes end after the same step."""
        if self.across is None:
            self.interrupted = interruption.signal is not None
        else:
            self.across.settle(self, interruption, now=now)

    def _tell(self, moment: str) -> None:
        for callback in self.callbacks:
            tell(self, callback, moment)

    def _tell_the_end(self) -> None:
        """Call `end` of all callbacks in order, even if one of them fails."""
        with ExitStack() as ends:
            for callback in reversed(self.callbacks):
                ends.callback(tell, self, callback, "end")

    def _one_epoch(self, interruption: Interruption) -> None:
        self._epoch_start, self.feeding.waited = perf_counter(), 0.0
        begin_epoch(self)
        watched = [each for each in self.callbacks if type(each).step is not Callback.step]
        several = self._several(watched)
        while not self._is_complete:
            try:
                made = (several is not None and several.make()) or self._one_step()
            except RuntimeError:  # Ctrl-C in a terminal ends the workers of a loader, too
                if interruption.signal is None or self.feeding.is_direct or self.across is not None:
                    raise
                made = False
            self._settle(interruption)
            if not made and not self.interrupted:
                break
            for callback in watched if made else ():
                tell(self, callback, "step")
            self._settle(interruption)
            if self.ending:
                return
        self._finish_epoch(perf_counter() - self._epoch_start)

    @property
    def _is_complete(self) -> bool:
        """True if all rows or steps of the epoch are done."""
        if self.rows is not None:
            return self.position >= self.rows
        done = self.step - (int(self.history.epochs[-1]["step"]) if self.history.epochs else 0)
        return done == self.settings.steps_per_epoch

    def _several(self, watched: list[Callback]) -> SeveralSteps | None:
        """Makes several steps in one call; None if each step must be made by itself."""
        bursts, settings = getattr(self._update, "bursts", None), self.settings
        each = any(callback.every_step for callback in watched) or settings.augment is not None
        if bursts is None or each or not self.counts.are_equal or not self.feeding.is_direct:
            return None
        if self.task.device.type != "cpu":
            return None
        return SeveralSteps(self, bursts)

    def note(self, loss: float, rate: float) -> None:
        """Note an update that was made from a full batch."""
        size = self.settings.batch_size
        self.means.add([loss], [float(size)])
        self.step += 1
        self.position += size
        self.history.losses.append(loss)
        self.history.rates.append(rate)

    def _one_step(self) -> bool:
        """Take the next rows, and update; False if there are none."""
        if self.across is not None:
            self.across.before_step(self)
        start = self.position
        batches = next_batches(self)
        if not batches:
            return False
        if self.settings.schedule is not None and not isinstance(self.settings.schedule, Plateau):
            set_lr(self.optimizer, self.settings.schedule(self.step))
        try:
            losses = self._update(batches)
        except RangeError as error:
            raise at_row(error, self, start) from None
        except NO_UPDATE as error:
            if self.settings.non_finite != "skip":
                raise error.reworded(f"Step {self.step}: {error}") from None
            loss = float("nan")
            self.history.skipped += 1
        else:
            loss = sum(losses)
            self.means.add(losses, self.counts.of(batches))
        self.step += 1
        self.history.losses.append(loss)
        self.history.rates.append(self.optimizer.lr)
        return True

    def _finish_epoch(self, seconds: float) -> None:
        """Measure, and write the row of the epoch."""
        if not self.position:
            raise FeedError(no_batch(self.data, self.epoch + 1))
        self.epoch += 1
        if self.across is not None:
            self.across.share_buffers(self)
        loss = self.means.loss()
        row = {"epoch": self.epoch, "step": self.step, "loss": loss, "lr": self.optimizer.lr}
        for prefix, evaluation in self._evaluations.items():
            measured = evaluation()
            if not prefix:
                del measured["loss"]  # that of the training is already there
            row |= {f"{prefix}{name}": each for name, each in measured.items()}
        row["seconds"] = seconds
        if not self.feeding.is_direct:
            row["waiting"] = self.feeding.share(seconds)
        self.history.epochs.append(row)
        self.order = None
        if isinstance(self.settings.schedule, Plateau):
            followed = row.get("validation_loss", loss)
            if isfinite(followed):
                set_lr(self.optimizer, self.settings.schedule.step(followed))
        self._tell("epoch")
