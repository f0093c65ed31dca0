"""The curves that schedules are made of."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi

Schedule = Callable[[int], float]


def cosine_part(start: float, end: float, fraction: float) -> float:
    """Half a cosine from start at fraction 0 to end at 1."""
    return end + (start - end) / 2.0 * (1 + cos(pi * fraction))


def line_part(start: float, end: float, fraction: float) -> float:
    """A straight line from start at fraction 0 to end at 1."""
    return (end - start) * fraction + start
