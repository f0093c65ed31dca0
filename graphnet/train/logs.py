"""Logs of training: tables for other programs, TensorBoard, and a progress bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import cache, partial
from math import isfinite
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TextIO

from graphnet.console_text import shown
from graphnet.errors import GraphError
from graphnet.train.callbacks import Callback, writing
from graphnet.train.history import csv_text

if TYPE_CHECKING:
    from os import PathLike

    from graphnet.train.run import Run


class CSVLog(Callback):
    """A line of comma-separated values for each epoch.

    Args:
        path: the file. A resumed training run rewrites it, with the epochs that it already has.
    """

    rank_zero_only = True

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self._names: list[str] | None = None  # the columns of the file; None if it is incomplete

    def start(self, run: Run) -> None:
        """Begin the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._begin(run)

    def epoch(self, run: Run) -> None:
        """Add a line, or start the file anew if there is a new column."""
        with writing(self.path):
            if self._names != run.history.names:
                self._begin(run)
                return
            names, self._names = self._names, None
            line = csv_text(names, run.history.epochs[-1:]).split("\n", 1)[1]
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line)
            self._names = names

    def _begin(self, run: Run) -> None:
        names, self._names = run.history.names, None
        run.history.to_csv(self.path)
        self._names = names


class JSONLog(Callback):
    """A line of JSON for each step and for each epoch: {"step": 3, "loss": 0.5, "lr": 0.1}.

    A number that is NaN or infinite, which JSON does not have, is null.

    Args:
        path: the file. A resumed training run rewrites it, with what it already has.
        steps: False to omit the steps.
    """

    rank_zero_only = True

    def __init__(self, path: str | PathLike[str], steps: bool = True) -> None:
        self.path, self.steps = Path(path), steps
        self._file: TextIO | None = None

    def start(self, run: Run) -> None:
        """Begin the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("w", encoding="utf-8")
        ends = {int(row["step"]): row for row in run.history.epochs}
        for step in range(1, len(run.history.losses) + 1):
            self._step(run, step)
            if step in ends:
                self._write(ends[step])
        self._file.flush()

    def step(self, run: Run) -> None:
        """Add the line of a step."""
        with writing(self.path):
            self._step(run, run.step)

    def epoch(self, run: Run) -> None:
        """Add the line of an epoch."""
        with writing(self.path):
            self._write(run.history.last)
            if self._file is not None:
                self._file.flush()

    def end(self, run: Run) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            with writing(self.path):
                file.close()

    def _step(self, run: Run, step: int) -> None:
        if self.steps:
            losses, rates = run.history.losses, run.history.rates
            self._write({"step": step, "loss": losses[step - 1], "lr": rates[step - 1]})

    def _write(self, row: Mapping[str, float]) -> None:
        if self._file is not None:
            known = {name: each if isfinite(each) else None for name, each in row.items()}
            self._file.write(f"{json.dumps(known)}\n")


class TensorBoard(Callback):
    """The same numbers for TensorBoard, which comes with the extra `tensorboard`.

    Args:
        folder: where TensorBoard finds its files.

    Raises:
        GraphError: TensorBoard is not installed.
    """

    rank_zero_only = True

    def __init__(self, folder: str | PathLike[str]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise GraphError(
                "TensorBoard is not installed: pip install 'graphnet[tensorboard]'."
            ) from error
        self._opened = partial(SummaryWriter, str(folder))
        self._writer: Any = None

    def start(self, run: Run) -> None:
        """Begin a file."""
        self._writer = self._writer or self._opened()

    def step(self, run: Run) -> None:
        """Add loss and learning rate of a step."""
        self._writer.add_scalar("step/loss", run.history.losses[-1], run.step)
        self._writer.add_scalar("step/lr", run.history.rates[-1], run.step)

    def epoch(self, run: Run) -> None:
        """Add the numbers of an epoch."""
        for name, value in run.history.last.items():
            if name not in ("epoch", "step"):
                self._writer.add_scalar(f"epoch/{name}", value, int(run.history.last["epoch"]))

    def end(self, run: Run) -> None:
        """Write the rest."""
        if self._writer is not None:
            self._writer.flush()


class Progress(Callback):
    """A bar with the loss and the learning rate.

    Args:
        shown: True to show it, False to hide it, None to show it on terminals only.
    """

    every_step = False
    rank_zero_only = True

    def __init__(self, shown: bool | None = None) -> None:
        self._shown = shown
        self._bar: Any = None

    def start(self, run: Run) -> None:
        """Begin with the steps that are already done."""
        each = run.epoch_steps
        self._bar = progress_bar(
            self._shown,
            total=None if each is None else run.settings.epochs * each,
            initial=run.step,
            unit="step",
        )
        self._shown = not self._bar.disable

    def step(self, run: Run) -> None:
        """Advance to the present step."""
        if self._shown:
            loss = run.history.losses[-1]
            numbers = {"loss": f"{loss:.4g}", "lr": f"{run.optimizer.lr:.3g}"}
            if not run.feeding.is_direct:
                numbers["waiting"] = f"{run.waiting:.0%}"
            self._bar.set_postfix(numbers, refresh=False)
            self._bar.update(run.step - self._bar.n)

    def end(self, run: Run) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.refresh()  # a short training run has not shown anything yet
            self._bar.close()


def progress_bar(shown: bool | None, *, total: int | None, initial: int, unit: str) -> Any:
    """A tqdm bar that is removed at its end.

    A program without a console, such as under pythonw, has no place for one.

    Args:
        shown: True to show it, False to hide it, None to show it on terminals only.
        total: how many units there are; None if it is not known.
        initial: how many of them are done.
        unit: what is counted.
    """
    stream = sys.stderr
    nowhere = stream is None or stream.closed
    return _bar()(
        total=total,
        initial=initial,
        unit=unit,
        disable=True if nowhere else None if shown is None else not shown,
        leave=False,
        mininterval=0.1,
        smoothing=0,  # the mean rate: a file shows the end, which may come soon after a slow start
    )


def write_line(text: str) -> None:
    """Write a line to the console, above a bar if there is one."""
    if sys.stdout is not None and not sys.stdout.closed:
        _bar().write(shown(text))


@cache
def _bar() -> Any:
    """tqdm with a lock for this process alone.

    Its own lock is shared with processes forked from this one, and one that is killed while it
    holds the lock would keep all others waiting forever.
    """
    from tqdm import tqdm

    bar: Any = type("ProgressBar", (tqdm,), {})
    bar.set_lock(RLock())
    return bar
