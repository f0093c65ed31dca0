"""The time of each line of a program of torch calls: a clock is read between the lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from graphnet.compile.targets.torch.execution import function_of

if TYPE_CHECKING:
    from graphnet.compile.targets.torch.printer import Line

CLOCK, TOOK = "__clock", "__took"
"""Names that no line of a program uses."""

Times = list[tuple[str, str, float]]
"""For each line its text, the name of its node, and its microseconds."""


def timed_lines(
    lines: Sequence[Line], names: dict[str, Any], arguments: Sequence[str]
) -> Callable[[Sequence[Any], int], Times]:
    """A function that runs lines some times, and returns the mean time of each.

    Args:
        lines: the program.
        names: what the names in it stand for.
        arguments: the names of its arguments.
    """

    def run(given: Sequence[Any], runs: int) -> Times:
        spent = [0.0] * (len(lines) + 1)
        texts = [f"{CLOCK}0 = {CLOCK}(); {TOOK}[-1] += {CLOCK}() - {CLOCK}0; {CLOCK}0 = {CLOCK}()"]
        for place, line in enumerate(lines):
            texts += [line.text, f"{TOOK}[{place}] += {CLOCK}() - {CLOCK}0; {CLOCK}0 = {CLOCK}()"]
        function, _ = function_of(texts, arguments, {**names, CLOCK: perf_counter, TOOK: spent})
        for _ in range(runs):
            function(*given)
        clock = spent.pop()
        return [
            (line.text, line.node.name, max(seconds - clock, 0) / runs * 1e6)
            for line, seconds in zip(lines, spent, strict=True)
        ]

    return run
