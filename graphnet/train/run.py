"""One training run: where it is, and how it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil, isfinite
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch

from graphnet.errors import GraphError
from graphnet.schedules import Plateau, set_lr
from graphnet.train.callbacks import Callback, tell
from graphnet.train.dataset import DataSet
from graphnet.train.evaluation import Evaluation, refuse_columns, single
from graphnet.train.history import History
from graphnet.train.means import Counts, Means
from graphnet.train.several import SeveralSteps
from graphnet.train.signals import Interruption
from graphnet.train.updates import NO_UPDATE, update_of
from graphnet.validation import must_be, require_choice, require_counts, require_flags

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from graphnet.optim import Optimizer
    from graphnet.train.across import Across
    from graphnet.train.dataset import Batch
    from graphnet.train.evaluation import Metrics
    from graphnet.train.training_graph import TrainingGraph

Schedule = Callable[[int], float]
Augment = Callable[[Any, Any, "Generator"], tuple[Any, Any]]


@dataclass(frozen=True)
class FitSettings:
    """How to train; see `fit`.

    Raises:
        RangeError: a number or a policy is out of its range.
        GraphError: the schedule or `augment` is not a function.
    """

    epochs: int
    batch_size: int
    accumulate: int = 1
    compile: bool | str = True
    clip: float | None = None
    clip_value: float | None = None
    non_finite: str = "stop"
    schedule: Schedule | Plateau | None = None
    augment: Augment | None = None
    drop_last: bool = False
    shuffle: bool = True
    seed: int | str | None = None

    def __post_init__(self) -> None:
        require_counts(epochs=self.epochs, batch_size=self.batch_size, accumulate=self.accumulate)
        require_flags(drop_last=self.drop_last, shuffle=self.shuffle)
        require_choice("non_finite", self.non_finite, ("stop", "skip", "ignore"))
        require_choice("compile", self.compile, (True, False, "tune", "torch", "c"))
        if not isinstance(self.schedule, Plateau):
            _require_function("schedule", self.schedule, "gn.schedules.cosine(0.1, steps=100)")
        _require_function("augment", self.augment, "lambda x, t, generator: (x.flip(-1), t)")


def _require_function(name: str, value: Any, example: str) -> None:
    if value is not None and not callable(value):
        raise GraphError(must_be(name, f"a function, such as {example}, or None", value))


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
        rows: how many rows an epoch takes: all, except a last batch that is dropped.
        order: the rows of this epoch, in the order in which they are taken; None between epochs.
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
        data: DataSet,
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
        self.order: Tensor | None = None
        self.rows = len(data) - len(data) % settings.batch_size * settings.drop_last
        self.stopped = self.interrupted = self.failed = False
        self.validation: DataSet | None = None
        self.identity: dict[str, Any] | None = None
        self.across = across
        self.counts = Counts(task.terms, data, changing=settings.augment is not None)
        self.means = Means(self.counts.summed)
        calls = settings.epochs * ceil(self.rows / settings.batch_size)
        self._update = update_of(task, optimizer, settings, self.counts.alike, calls, across)
        self._evaluations: dict[str, Evaluation] = {}  # by the prefix of their columns
        self.measured: list[str] = []

    def measure(self, held: DataSet | None, metrics: Metrics, training: bool) -> None:
        """Measure loss and metrics after each epoch.

        Args:
            held: data that are not learned from; None if there are none.
            metrics: functions, or a dict of them by name.
            training: True to also measure the metrics on the rows to learn from.
        """
        if training and not metrics:
            raise GraphError("train_metrics=True measures the metrics: give `metrics`, too.")
        measured = {}
        if held is not None:
            self.task.require(held, "validation")
            measured["validation_"] = self.validation = held
        if metrics and (training or held is None):
            refuse_columns(metrics, ("epoch", "step", "loss", "lr", "seconds"))
            measured[""] = self.data
        size, compiled = max(1000, self.settings.batch_size), bool(self.settings.compile)
        group = None if self.across is None else self.across.group
        for prefix, data in measured.items():
            self._evaluations[prefix] = Evaluation(self.task, data, metrics, size, compiled, group)
        self.measured = [f"{a}{b}" for a, each in self._evaluations.items() for b in each.metrics]

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
        start = perf_counter()
        if self.order is None:
            self.order = self._next_order()
            self.position, self.means = 0, Means(self.counts.summed)
        watched = [each for each in self.callbacks if type(each).step is not Callback.step]
        several = self._several(watched)
        while self.position < self.rows:
            if several is None or not several.make():
                self._one_step()
            for callback in watched:
                tell(self, callback, "step")
            self._settle(interruption)
            if self.ending:
                return
        self._finish_epoch(perf_counter() - start)

    def _several(self, watched: list[Callback]) -> SeveralSteps | None:
        """Makes several steps in one call; None if each step must be made by itself."""
        bursts, settings = getattr(self._update, "bursts", None), self.settings
        each = any(callback.every_step for callback in watched) or settings.augment is not None
        if bursts is None or each or not self.counts.are_equal or self.task.device.type != "cpu":
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

    def _next_order(self) -> Tensor:
        """The rows of an epoch, in the order in which they are taken."""
        if self.settings.shuffle:
            return torch.randperm(len(self.data), generator=self.generator)
        return torch.arange(len(self.data))

    def _one_step(self) -> None:
        """Take the next rows, and update."""
        if self.settings.schedule is not None and not isinstance(self.settings.schedule, Plateau):
            set_lr(self.optimizer, self.settings.schedule(self.step))
        if self.across is not None:
            self.across.before_step(self)
        batches = self._next_batches()
        try:
            losses = self._update(batches)
        except NO_UPDATE as error:
            if self.settings.non_finite != "skip":
                raise type(error)(f"Step {self.step}: {error}") from None
            loss = float("nan")
            self.history.skipped += 1
        else:
            loss = sum(losses)
            self.means.add(losses, self.counts.of(batches))
        self.step += 1
        self.history.losses.append(loss)
        self.history.rates.append(self.optimizer.lr)

    def _next_batches(self) -> list[Batch]:
        """The batches of the next update; `position` moves past them."""
        batches: list[Batch] = []
        size, order = self.settings.batch_size, self.order
        while order is not None and len(batches) < self.settings.accumulate:
            rows = order[self.position : min(self.position + size, self.rows)]
            if not len(rows):
                break
            batches.append(self._batch(rows))
            self.position += len(rows)
        return batches

    def _batch(self, rows: Tensor) -> Batch:
        if self.across is not None:
            return self.across.batch(self, rows)
        batch = self.augmented(self.data.rows(rows, self.task.device), self.generator)
        return self.counts.counted(batch, rows)

    def augmented(self, batch: Batch, generator: Generator) -> Batch:
        """A batch as it is learned from; its random numbers are drawn from the generator."""
        if self.settings.augment is None:
            return batch
        given = single(batch.inputs), single(batch.targets)
        changed = DataSet(self.settings.augment(*given, generator), "what augment returns")
        return changed.rows(slice(None), self.task.device)

    def _finish_epoch(self, seconds: float) -> None:
        """Measure, and write the row of the epoch."""
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
        self.history.epochs.append(row)
        self.order = None
        if isinstance(self.settings.schedule, Plateau):
            followed = row.get("validation_loss", loss)
            if isfinite(followed):
                set_lr(self.optimizer, self.settings.schedule.step(followed))
        self._tell("epoch")
