"""The results of several rounds: numbers, mean and deviation, and the rounds that failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import floor, fsum, log10, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphnet.console_text import printable, shown, text_table
from graphnet.errors import GraphError, counted
from graphnet.notebook import framed, html_paragraphs, html_table
from graphnet.train.history import write_csv

if TYPE_CHECKING:
    from os import PathLike

_LONGEST = 200  # characters of an error in a table


@dataclass(frozen=True)
class Round:
    """The result of one round.

    Attributes:
        seed: of its data and weights.
        numbers: by their names.
        curves: one number for each epoch, by name.
        seconds: how long it took.
    """

    seed: int
    numbers: Mapping[str, float]
    curves: Mapping[str, Sequence[float]]
    seconds: float


@dataclass(frozen=True)
class Failure:
    """A round that ended in an error.

    Attributes:
        seed: of the round.
        error: the exception in words, such as `ValueError: no such digit`.
        traceback: where it was raised, as Python prints it.
    """

    seed: int
    error: str
    traceback: str

    @property
    def sentence(self) -> str:
        """The failure in one line."""
        line = self.error.partition("\n")[0]
        return f"seed {self.seed} failed: {printable(line[:_LONGEST])}"

    def __str__(self) -> str:
        return shown(self.sentence)


class Rounds:
    """The rounds of one experiment, in the order of their seeds.

    Attributes:
        results: the successful rounds.
        failures: the failed ones.

    >>> rounds = Rounds([Round(0, {"test_accuracy": 0.84}, {}, 1.4),
    ...                  Round(1, {"test_accuracy": 0.86}, {}, 1.5)])
    >>> print(rounds)
    2 rounds       mean ± std
    test accuracy  85.0 ± 1.4 %
    seconds        1.45 ± 0.07
    >>> rounds.mean("test_accuracy")
    0.85
    """

    def __init__(self, results: Iterable[Round], failures: Iterable[Failure] = ()) -> None:
        self.results = list(results)
        self.failures = list(failures)

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[Round]:
        return iter(self.results)

    def __getitem__(self, place: int) -> Round:
        return self.results[place]

    @property
    def names(self) -> list[str]:
        """The names of all numbers, in order of appearance."""
        return list(dict.fromkeys(name for each in self.results for name in each.numbers))

    @property
    def curve_names(self) -> list[str]:
        """The names of all curves, in order of appearance."""
        return list(dict.fromkeys(name for each in self.results for name in each.curves))

    def values(self, name: str) -> list[float]:
        """A number of all rounds that have it; for a curve, its last value.

        Args:
            name: of a number or a curve, or "seconds".

        Raises:
            GraphError: no round has it.
        """
        if name == "seconds":
            return [each.seconds for each in self.results]
        values = [each.numbers[name] for each in self.results if name in each.numbers]
        values = values or [curve[-1] for curve in self._curves(name)]
        if not values:
            known = ", ".join(map(repr, [*self.names, *self.curve_names, "seconds"]))
            raise GraphError(f"The rounds have {known}; not {name!r}.")
        return values

    def mean(self, name: str) -> float:
        """The mean of a number over the rounds; arguments and errors are those of `values`."""
        return mean(self.values(name))

    def std(self, name: str) -> float:
        """The standard deviation (over n - 1); 0 for one round.

        Arguments and errors are those of `values`.
        """
        return std(self.values(name))

    def curve(self, name: str) -> list[list[float]]:
        """A curve of all rounds that have it: one list for each.

        Raises:
            GraphError: no round has it.
        """
        curves = self._curves(name)
        if not curves:
            known = ", ".join(map(repr, self.curve_names)) or "no curves"
            raise GraphError(f"The rounds have {known}; not {name!r}.")
        return curves

    def _curves(self, name: str) -> list[list[float]]:
        return [list(each.curves[name]) for each in self.results if name in each.curves]

    def plot(
        self, *names: str, axes: Any = None, yscale: str = "linear", theme: str = "auto"
    ) -> Any:
        """The mean of each curve, in a band of one standard deviation; returns matplotlib's axes.

        Args:
            names: which curves; without any, the losses, or else all.
            axes: where to draw; None makes a new figure.
            yscale: "linear" or "log".
            theme: "light", "dark", or "auto" for the one of the ground: of matplotlib's style.

        Raises:
            RangeError: the scale or the theme is another word.
            GraphError: there is no such curve, or matplotlib is not installed.
        """
        from graphnet.train.plots import curves

        losses = [name for name in self.curve_names if name.endswith("loss")]
        chosen = names or losses or self.curve_names
        if not chosen:
            raise GraphError("There is no curve to draw: a curve is a name with a list of numbers.")
        series = {_label(name): self.curve(name) for name in chosen}
        ylabel = _label(chosen[0]) if len(chosen) == 1 else "" if names else "loss"
        return curves(series, ylabel=ylabel, yscale=yscale, axes=axes, theme=theme)

    def to_csv(self, path: str | PathLike[str]) -> Path:
        """Write a line for each round: seed, numbers, seconds; returns the path.

        Raises:
            OSError: the file cannot be written.
        """
        rows = [{"seed": r.seed, **r.numbers, "seconds": r.seconds} for r in self.results]
        return write_csv(path, ["seed", *self.names, "seconds"], rows)

    def to_record(self) -> dict[str, Any]:
        """Rounds, failures, and the statistics of all numbers, as JSON writes them."""
        return {
            "rounds": [asdict(each) for each in self.results],
            "failures": [asdict(each) for each in self.failures],
            "statistics": {
                name: {"mean": self.mean(name), "std": self.std(name)} for name in self._shown()
            },
        }

    def _shown(self) -> list[str]:
        """The numbers, or without any the curves; and the seconds."""
        return [*(self.names or [n for n in self.curve_names if n != "seconds"]), "seconds"]

    def _rows(self) -> list[tuple[str, str]]:
        """The table: a header, and a row for each name."""
        rows = [(counted(len(self), "round"), "mean ± std" if len(self) > 1 else "value")]
        for name in self._shown() if self.results else ():
            values = self.values(name)
            fewer = f" ({len(values)} of {len(self)})" if len(values) < len(self) else ""
            rows.append((_label(name), spread_text(name, values) + fewer))
        return rows

    def __str__(self) -> str:
        return "\n".join([text_table(self._rows()), *map(str, self.failures)])

    def __repr__(self) -> str:
        return f"<Rounds: {len(self.results)} ended, {len(self.failures)} failed>"

    def _repr_html_(self) -> str:
        """The table, in a notebook."""
        failures = html_paragraphs("\n".join(each.sentence for each in self.failures))
        return framed(html_table(self._rows()), failures)


def mean(values: Sequence[float]) -> float:
    """The mean, summed without intermediate rounding."""
    return _sum(values) / len(values)


def std(values: Sequence[float]) -> float:
    """The standard deviation over n - 1; 0 for a single value."""
    middle = mean(values)
    # ** 2 raises an OverflowError where * gives infinity
    squares = [(value - middle) * (value - middle) for value in values]
    return sqrt(_sum(squares) / max(len(values) - 1, 1))


def _sum(values: Sequence[float]) -> float:
    """The sum; infinite or NaN where the numbers are too large to be added."""
    try:
        return fsum(values)
    except (OverflowError, ValueError):  # fsum refuses what + allows
        return sum(values)


def spread_text(name: str, values: Sequence[float]) -> str:
    """Mean and deviation as text; a single value stands alone.

    An accuracy or error between 0 and 1 is a fraction and is shown in percent. Seconds have two
    decimals, if they are not too short; other numbers have four significant digits.

    >>> spread_text("test_error", [0.14, 0.16])
    '15.0 ± 1.4 %'
    >>> spread_text("loss", [0.0123, 0.0125])
    '0.01240 ± 0.00014'
    """
    middle, spread, unit = mean(values), std(values), ""
    decimals: int | None = 2
    if name.endswith(("accuracy", "error")) and all(0 <= value <= 1 for value in values):
        middle, spread, unit = 100 * middle, 100 * spread, " %"
        decimals = 1 if spread >= 0.1 else 2
    elif name != "seconds" or middle < 0.1:
        decimals = _decimals(max(abs(middle), spread))
    form = ".4g" if decimals is None else f".{decimals}f"
    texts = [f"{each:{form}}" for each in (middle, spread)]
    return (" ± ".join(texts) if len(values) > 1 else texts[0]) + unit


def _decimals(size: float) -> int | None:
    """How many decimals show four significant digits; None if another format is better."""
    if not 1e-4 <= size < 1e6:  # too small, too large, 0, or not finite
        return None
    return max(0, 3 - floor(log10(size)))


def _label(name: str) -> str:
    return printable(name.replace("_", " "))
