"""The cost of an action, in a unit that is measured in the same process at the same time.

Seconds depend on the machine, and wall-clock time on everything else that runs there. So tests
measure how many times as long as a fixed piece of Python an action keeps the processor busy, and
one of several tries has to be short enough. Their limits leave at least three times the measured
cost: they find what grows too fast, not what is slightly slower.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

try:
    import resource
except ImportError:  # Windows, where child processes are not counted
    resource = None  # type: ignore[assignment]  # a module otherwise


UNIT = 5
"""How many times the `work` is one unit: a part of it is enough to measure it."""


def assert_takes_less(action: Callable[[], object], units: float, tries: int = 3) -> None:
    """Measure the processor time of an action, its child processes included, in units.

    Raises:
        AssertionError: no try takes less.
    """
    unit = UNIT * min(seconds(work) for _ in range(UNIT))
    found: list[float] = []
    for _ in range(tries):
        found.append(seconds(action) / unit)
        if found[-1] < units:
            return
    raise AssertionError(f"it takes {min(found):.3g} units; the limit is {units:g}")


def seconds(action: Callable[[], object]) -> float:
    """The processor time of an action and of the child processes that have ended in it."""
    start = _spent()
    action()
    return _spent() - start


def work() -> None:
    """A hundredth of a second, or some, of numbers, names and tables."""
    table: dict[int, int] = {}
    for number in range(100_000):
        table[number % 1000] = table.get(number % 7, number) + 1


def _spent() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN) if resource else None
    others = children.ru_utime + children.ru_stime if children else 0.0
    return process_time() + others
