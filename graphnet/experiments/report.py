"""What the disk experiment shows while it runs, the record that it saves, and its figures.

The figures are network, curves, boundary, classification and hidden units.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from graphnet.console_text import shown, text_table
from graphnet.experiments.disk import centered
from graphnet.graph import Operation
from graphnet.train import Callback, plots
from graphnet.train.history import evenly
from graphnet.train.rounds_table import mean, std
from graphnet.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from graphnet.experiments.disk import Points, Task
    from graphnet.experiments.options import Settings
    from graphnet.graph import Graph
    from graphnet.train.run import Run


@dataclass(frozen=True)
class Result:
    """The results of one round.

    Attributes:
        seed: of its points and weights.
        losses: the mean loss of each epoch.
        train_error: the fraction of training points on the wrong side.
        test_error: the fraction of test points on the wrong side.
        seconds: how long the training took.
        curve: both errors after each epoch; empty if no curve is to be drawn.
    """

    seed: int
    losses: list[float]
    train_error: float
    test_error: float
    seconds: float
    curve: list[tuple[float, float]] = field(default_factory=list)


class Report(Callback):
    """Prints the nodes, tables and errors; if quiet, only the final errors."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.results: list[Result] = []
        self.curve: list[tuple[float, float]] = []  # of the round that is running

    def graph(self, graph: Graph) -> None:
        """Show the list of nodes, once."""
        if not self.results:
            self._print(f"{graph}\n\n{graph!r}\n")

    def watch(self, errors: Callable[[], tuple[float, float]]) -> list[Callback]:
        """The callbacks of a round: if curves are to be drawn, both errors after each epoch."""
        self.curve, self._errors = [], errors
        return [] if self.settings.plot is None else [self]

    def epoch(self, run: Run) -> None:
        """Measure both errors."""
        self.curve.append(self._errors())

    def round(self, result: Result) -> None:
        """Show the results of a round: its epochs if it is the only one, else one line."""
        if self.settings.rounds == 1:
            if result.losses:
                self._print(epoch_table(result.losses) + "\n")
        else:
            if not self.results:
                self._print("seed  train error  test error  seconds")
            self._print(
                f"{result.seed:4d}  {result.train_error:11.2%}  {result.test_error:10.2%}"
                f"  {result.seconds:7.2f}"
            )
        self.results.append(result)

    def finish(self) -> None:
        """Show the final errors, and write the record if a file is named."""
        for name in ("train", "test"):
            sys.stdout.write(shown(f"{name} error  {self._summary(f'{name}_error')}\n"))
        if self.settings.json is not None:
            text = json.dumps(self.record(), indent=2) + "\n"
            self.settings.json.write_text(text, encoding="utf-8")

    def record(self) -> dict[str, object]:
        """Settings, rounds and their means, as JSON writes them; errors are fractions."""
        return {
            "graphnet": __version__,
            "settings": self.settings.as_record(),
            "rounds": [asdict(result) for result in self.results],
            **{name: self._statistics(name) for name in ("train_error", "test_error", "seconds")},
        }

    def _statistics(self, name: str) -> dict[str, float]:
        values = [getattr(result, name) for result in self.results]
        return {"mean": mean(values), "std": std(values)}

    def _summary(self, name: str) -> str:
        """An error in percent, with its standard deviation over several rounds."""
        statistics = self._statistics(name)
        if len(self.results) == 1:
            return f"{statistics['mean']:.2%}"
        return f"{statistics['mean']:.2%} ± {statistics['std']:.2%} over {len(self.results)} rounds"

    def _print(self, text: str) -> None:
        if not self.settings.quiet:
            sys.stdout.write(shown(f"{text}\n"))
            sys.stdout.flush()


def epoch_table(losses: list[float]) -> str:
    """A few epochs with their losses: the first, the last, and some evenly between.

    >>> print(epoch_table([0.5, 0.25]))
    epoch    loss
        1  0.5000
        2  0.2500
    """
    rows = [(str(at + 1), f"{losses[at]:.4f}") for at in evenly(len(losses))]
    return text_table([("epoch", "loss"), *rows], right=(0, 1))


def write_figures(folder: Path, task: Task, points: Points, results: Sequence[Result]) -> None:
    """Write all figures to a folder.

    Args:
        folder: created if it does not exist.
        task: the network of the last round.
        points: its test points.
        results: of all rounds; their curves are averaged.

    Raises:
        GraphError: matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in ("svg", "png"):
        task.graph.draw().save(folder / f"network.{suffix}")
    if results[0].losses:
        _curves(results).savefig(folder / "curves.png", dpi=150)

    def predict(x: Tensor) -> Tensor:
        scores: Tensor = task.graph.forward(x=centered(x), outputs=task.y)
        return scores

    for name in ("boundary", "classification"):
        axes = plots.canvas(5, 5).subplots()
        getattr(plots, name)(predict, *points, axes=axes)
        axes.figure.savefig(folder / f"{name}.png", dpi=150)
    for place, figure in enumerate(_units(task), start=1):
        figure.savefig(folder / f"units-{place}.png", dpi=150)


def _curves(results: Sequence[Result]) -> Any:
    """Loss and errors over the epochs: the mean of all rounds, in bands of one deviation."""
    figure = plots.canvas(10, 4)
    left, right = figure.subplots(1, 2)
    plots.curves({"training loss": [each.losses for each in results]}, axes=left)
    left.set_yscale("log")
    errors = {
        name: [[100 * both[place] for both in result.curve] for result in results]
        for place, name in enumerate(("train", "test"))
    }
    plots.curves(errors, ylabel="error in %", axes=right)
    right.set_ylim(bottom=0)
    return figure


def _units(task: Task) -> list[Any]:
    """For each hidden layer a map of each of its units over the square."""
    layers = [node for node in task.graph if isinstance(node, Operation) and node.op.bounds()]
    if not layers:
        return []
    maps = task.graph.forward(x=centered(plots.plane(60)), outputs=layers)
    return [plots.units(each, figure=plots.canvas(8.8, 4.6)) for each in maps]
