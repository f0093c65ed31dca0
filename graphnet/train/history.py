"""What happened in training: a row for each epoch, and a row for each step."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphnet.console_text import text_table
from graphnet.errors import GraphError, counted
from graphnet.notebook import framed, html_paragraphs, html_table

if TYPE_CHECKING:
    from os import PathLike

    from graphnet.graph import Graph

_SHOWN = 10  # epochs in the table
_NO_METRICS = ("epoch", "step", "lr", "seconds", "waiting")
"""Columns that measure neither loss nor metric."""


class History:
    """Losses, metrics, learning rates and seconds of a training run.

    Attributes:
        epochs: for each epoch a dict: epoch (from 1), step, loss (the mean over all rows), lr,
            seconds, and with validation data, validation_loss and one validation_<name> for each
            metric. For data that are not in memory, waiting is the share of the seconds that was
            spent waiting for them.
        losses: the mean loss of each step.
        rates: the learning rate of each step.
        skipped: how many updates were left out because their loss was not finite.
        graph: the list that was trained; None for a history that was read from a file.

    >>> history = History()
    >>> history.epochs.append({"epoch": 1, "loss": 0.5})
    >>> history["loss"]
    [0.5]
    """

    def __init__(self, graph: Graph | None = None) -> None:
        self.graph = graph
        self.epochs: list[dict[str, float]] = []
        self.losses, self.rates = array("d"), array("d")
        self.skipped = 0

    def __len__(self) -> int:
        return len(self.epochs)

    @property
    def names(self) -> list[str]:
        """The names of all columns, in order of appearance."""
        return list(dict.fromkeys(name for row in self.epochs for name in row))

    def __getitem__(self, name: str) -> list[float]:
        """One column: its number for each epoch.

        Raises:
            GraphError: there is no such column.
        """
        if name not in self.names:
            raise GraphError(
                f"The history has {', '.join(self.names) or 'no epochs'}; not {name!r}."
            )
        return [row.get(name, float("nan")) for row in self.epochs]

    def to_record(self) -> dict[str, list[float]]:
        """All columns by their names."""
        return {name: self[name] for name in self.names}

    def to_csv(self, path: str | PathLike[str], *, steps: bool = False) -> Path:
        """Write a line of comma-separated values for each epoch; returns the path.

        Args:
            path: the file.
            steps: True for a line for each step instead: step, loss, lr.

        Raises:
            OSError: the file cannot be written.
        """
        rows = self._of_steps() if steps else self
        return write_csv(path, rows.names, rows.epochs)

    def plot(
        self,
        *names: str,
        axes: Any = None,
        steps: bool = False,
        yscale: str = "linear",
        theme: str = "auto",
    ) -> Any:
        """Curves over the epochs, by matplotlib.

        Args:
            names: which columns, in one picture; without any, the losses, and if a figure is made,
                each metric beside them.
            axes: where to draw; None makes a new figure.
            steps: True for curves over the steps, which have only "loss" and "lr".
            yscale: "linear" or "log"; of several pictures, that of the losses.
            theme: "light", "dark", or "auto" for the one of the ground: of matplotlib's style.

        Returns:
            The axes, which are those of the losses if there are several: `axes.figure.axes`.

        Raises:
            GraphError: there is no such column, no epoch, or matplotlib is not installed.
        """
        from graphnet.train.plots import curves, new_figure

        rows, xlabel = (self._of_steps(), "step") if steps else (self, "epoch")
        groups = {"": list(names)} if names else rows.groups()
        if not names and axes is not None:
            groups = {"loss": groups["loss"]}
        series = [{_spaced(name): [rows[name]] for name in chosen} for chosen in groups.values()]
        panels = [axes]
        if axes is None:
            figure = new_figure(6.0 if len(groups) == 1 else 4.8 * len(groups), 4.2)
            panels = list(figure.subplots(1, len(groups), squeeze=False).flat)
        scales = [yscale, *["linear"] * (len(groups) - 1)]
        for panel, ylabel, each, scale in zip(panels, groups, series, scales, strict=True):
            labels = {"xlabel": xlabel, "ylabel": _spaced(ylabel)}
            curves(each, **labels, yscale=scale, axes=panel, theme=theme)
        return panels[0]

    def groups(self) -> dict[str, list[str]]:
        """The loss and each metric, with the columns of its training and of its validation.

        >>> history = History()
        >>> history.epochs.append({"epoch": 1, "loss": 0.5, "validation_loss": 0.6, "auc": 0.9})
        >>> history.groups()
        {'loss': ['loss', 'validation_loss'], 'auc': ['auc']}
        """
        groups: dict[str, list[str]] = {"loss": []}
        for name in self.names:
            if name not in _NO_METRICS:
                groups.setdefault(name.removeprefix("validation_"), []).append(name)
        return {name: sorted(columns, key=len) or [name] for name, columns in groups.items()}

    def _of_steps(self) -> History:
        """A history whose rows are the steps of this one."""
        steps = History(self.graph)
        columns = zip(self.losses, self.rates, strict=True)
        steps.epochs += [
            {"step": k, "loss": loss, "lr": lr} for k, (loss, lr) in enumerate(columns, 1)
        ]
        return steps

    def __str__(self) -> str:
        if not self.epochs:
            return repr(self)
        table = text_table(self._rows(), right=range(len(self.names)))
        return "\n".join([table, *self._left_out()])

    def __repr__(self) -> str:
        counts = f"{counted(len(self.epochs), 'epoch')}, {counted(len(self.losses), 'step')}"
        last = ", ".join(f"{name} {value:.4g}" for name, value in self.last.items())
        return f"<History of {'; '.join(filter(None, [counts, last]))}>"

    @property
    def last(self) -> Mapping[str, float]:
        """The row of the last epoch; empty before the first."""
        return self.epochs[-1] if self.epochs else {}

    def _repr_html_(self) -> str:
        """The table, in a notebook."""
        if not self.epochs:
            return framed(html_paragraphs(repr(self)))
        remarks = map(html_paragraphs, self._left_out())
        return framed(html_table(self._rows(), right=range(len(self.names))), *remarks)

    def _left_out(self) -> list[str]:
        """What is said below the table if it does not show all epochs."""
        shown, count = len(evenly(len(self.epochs))), len(self.epochs)
        return [f"{shown} of {count:,} epochs; history.epochs has all."] if shown < count else []

    def _rows(self) -> list[list[str]]:
        """The names, and some epochs evenly between the first and the last."""
        rows = [self.epochs[at] for at in evenly(len(self.epochs))]
        texts = [[_text(row.get(name)) for name in self.names] for row in rows]
        return [[name.replace("_", " ") for name in self.names], *texts]


def evenly(count: int) -> list[int]:
    """The indices of some rows of a table: the first, the last, and others evenly between."""
    shown = min(count, _SHOWN)
    return sorted({round(k * (count - 1) / max(1, shown - 1)) for k in range(shown)})


def write_csv(
    path: str | PathLike[str], names: Sequence[str], rows: Sequence[Mapping[str, float]]
) -> Path:
    """Write rows to a file of comma-separated values; returns its path."""
    path = Path(path)
    path.write_text(csv_text(names, rows), encoding="utf-8")
    return path


def csv_text(names: Sequence[str], rows: Sequence[Mapping[str, float]]) -> str:
    """Rows as comma-separated values under their names, with all digits."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _spaced(name: str) -> str:
    """A name for a picture."""
    return name.replace("_", " ")


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.4g}"
