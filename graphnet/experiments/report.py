"""What the disk experiment shows while it runs, and the record that it saves."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from graphnet.console_text import shown, text_table
from graphnet.train import Callback
from graphnet.train.history import evenly
from graphnet.train.rounds_table import mean, std
from graphnet.version import __version__

if TYPE_CHECKING:
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
