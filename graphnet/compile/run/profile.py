"""Where the time goes: the microseconds of each line of a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from graphnet.console_text import shown
from graphnet.validation import require_counts

if TYPE_CHECKING:
    from graphnet.compile.run.runner import Runner


@dataclass(frozen=True)
class Profile:
    """The time of each line, the mean of several runs; `print` shows a table.

    Attributes:
        lines: the text of each line, the name of the node that it computes, and its microseconds.
    """

    lines: list[tuple[str, str, float]]

    @property
    def total(self) -> float:
        """The microseconds of all lines."""
        return sum(microseconds for _, _, microseconds in self.lines)

    def __str__(self) -> str:
        width = max((len(name) for _, name, _ in self.lines), default=0)
        rows = [
            f"{microseconds:9.2f} {microseconds / self.total:6.1%}  {name:{width}s}  {text}"
            for text, name, microseconds in self.lines
        ]
        head = f"{'µs':>9s}  share  node{'':{max(width - 4, 0)}s}  line"
        return shown("\n".join([head, *rows, f"{self.total:9.2f} 100.0%"]))


def profiled(runner: Runner, arguments: list[Any], runs: int) -> Profile:
    """Run a program with a clock between its lines; the time of the clock is taken off.

    Raises:
        RangeError: `runs` is not an integer of 1 or more.
    """
    require_counts(runs=runs)
    with torch.inference_mode():
        return Profile(runner.profiled(arguments, runs))
