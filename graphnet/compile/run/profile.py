"""Where the time goes: the microseconds of each line of a program."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch

from graphnet.compile.targets.torch.execution import function_of
from graphnet.console_text import shown
from graphnet.validation import require_counts

if TYPE_CHECKING:
    from graphnet.compile.run.runner import Runner


CLOCK, TOOK = "__clock", "__took"
"""Names that no line of a program uses."""


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
    spent = [0.0] * (len(runner.lines) + 1)
    lines = [f"{CLOCK}0 = {CLOCK}(); {TOOK}[-1] += {CLOCK}() - {CLOCK}0; {CLOCK}0 = {CLOCK}()"]
    for place, line in enumerate(runner.lines):
        lines += [line.text, f"{TOOK}[{place}] += {CLOCK}() - {CLOCK}0; {CLOCK}0 = {CLOCK}()"]
    words = {**runner.names, CLOCK: perf_counter, TOOK: spent}
    run, _ = function_of(lines, runner.arguments, words)
    with torch.inference_mode():
        for _ in range(runs):
            run(*arguments)
    clock = spent.pop()
    return Profile(
        [
            (line.text, line.node.name, max(seconds - clock, 0) / runs * 1e6)
            for line, seconds in zip(runner.lines, spent, strict=True)
        ]
    )
