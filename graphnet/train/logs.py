"""Logs of a training: tables for other programs, and TensorBoard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from graphnet.errors import GraphError
from graphnet.train.callbacks import Callback
from graphnet.train.history import csv_text

if TYPE_CHECKING:
    from os import PathLike

    from graphnet.train.run import Run


class CSVLog(Callback):
    """A line of comma-separated values for each epoch.

    Args:
        path: the file. A training that is resumed begins it anew with the epochs it has behind it.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)

    def start(self, run: Run) -> None:
        """Begin the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(csv_text(run.history.names, run.history.epochs), encoding="utf-8")

    def epoch(self, run: Run) -> None:
        """Add a line, or begin anew where there is a new column."""
        if len(run.history) == 1:
            self.start(run)
            return
        names = run.history.names
        line = csv_text(names, run.history.epochs[-1:]).split("\n", 1)[1]
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line)


class JSONLog(Callback):
    """A line of JSON for each step and for each epoch: {"step": 3, "loss": 0.5, "lr": 0.1}.

    Args:
        path: the file. A training that is resumed begins it anew with what it has behind it.
        steps: False to leave out the steps.
    """

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
        self._step(run, run.step)

    def epoch(self, run: Run) -> None:
        """Add the line of an epoch."""
        self._write(dict(run.history.last))
        if self._file is not None:
            self._file.flush()

    def end(self, run: Run) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _step(self, run: Run, step: int) -> None:
        if self.steps:
            losses, rates = run.history.losses, run.history.rates
            self._write({"step": step, "loss": losses[step - 1], "lr": rates[step - 1]})

    def _write(self, row: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(f"{json.dumps(row)}\n")


class TensorBoard(Callback):
    """The same numbers for TensorBoard, which comes with the extra `tensorboard`.

    Args:
        folder: where TensorBoard finds its files.

    Raises:
        GraphError: TensorBoard is not installed.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise GraphError(
                "TensorBoard is not installed: pip install 'graphnet[tensorboard]'."
            ) from error
        self._writer: Any = SummaryWriter(str(folder))

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
        """Write what is left."""
        self._writer.flush()
