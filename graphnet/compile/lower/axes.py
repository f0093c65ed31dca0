"""Axes: loops in the order in which memory lies, and as few of them as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Loop:
    """A loop of a nest.

    Attributes:
        size: how often it runs.
        axes: the axes that it goes through, the outermost first, each with its size.
    """

    size: int
    axes: tuple[tuple[int, int], ...]


def loops_over(
    sizes: Sequence[int],
    axes: Sequence[int],
    strides: Sequence[Sequence[int]],
    fixed: set[int],
    sort: bool = True,
) -> list[Loop]:
    """The loops over some axes, the outermost first.

    Axes of one place are left out, the others ordered by the first strides (by the next ones where
    those are 0), and two are one loop if everything lies so that one stride leads through both.

    Args:
        sizes: of all axes.
        axes: those to go through.
        strides: for each piece of memory, the strides of all axes.
        fixed: axes whose position is read, which stay loops of their own.
        sort: False to keep the order.
    """
    order = [axis for axis in axes if sizes[axis] != 1]
    if sort:
        order.sort(key=lambda axis: [-abs(each[axis]) for each in strides])
    loops: list[Loop] = []
    for axis in order:
        if loops and axis not in fixed and loops[-1].axes[-1][0] not in fixed:
            last = loops[-1].axes[-1][0]
            if all(each[last] == each[axis] * sizes[axis] for each in strides):
                before = loops.pop()
                loops.append(Loop(before.size * sizes[axis], (*before.axes, (axis, sizes[axis]))))
                continue
        loops.append(Loop(sizes[axis], ((axis, sizes[axis]),)))
    return loops
