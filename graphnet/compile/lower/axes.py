"""Axes: loops in the order in which memory lies, and as few of them as possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphnet.compile.lower.scalars import loads, positions

if TYPE_CHECKING:
    from graphnet.compile.lower.loops import Map, Reduction
    from graphnet.compile.lower.scalars import Place, Scalar
    from graphnet.compile.plan.slots import Slot


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


def loops_of_map(statement: Map) -> list[Loop]:
    """The loops over all places of a map, and of those that share its loops."""
    maps = (statement, *statement.then)
    computed = [part for each in maps for part in (each.element, *_indices(each.out))]
    strides = [*(each.out.slot.strides for each in maps), *_strides_read(computed)]
    fixed = {axis for each in computed for axis in positions(each)}
    return loops_over(statement.sizes, range(len(statement.sizes)), strides, fixed)


def loops_of_reduction(statement: Reduction) -> tuple[list[Loop], list[Loop]]:
    """The loops over results, and over what is combined; places are counted in their order."""
    sizes, count = statement.sizes, statement.kept
    read = [*_strides_read([statement.element])]
    out = (*statement.out.strides, *[0] * (len(sizes) - count))
    fixed = positions(statement.element)
    kept = loops_over(sizes, range(count), [out, *read], fixed)
    rest, sort = range(count, len(sizes)), statement.best is None
    return kept, loops_over(sizes, rest, read or [out], fixed, sort=sort)


def loops_of_elements(
    sizes: Sequence[int], elements: Iterable[Scalar], outs: Iterable[Slot]
) -> list[Loop]:
    """The loops over all places at which some elements are computed and stored."""
    strides = [*(each.strides for each in outs), *_strides_read(elements)]
    return loops_over(sizes, range(len(sizes)), strides, set())


def _strides_read(computed: Iterable[Scalar]) -> Iterator[Sequence[int]]:
    """The strides of all memory that is read."""
    return (each.place.slot.strides for part in computed for each in loads(part))


def _indices(place: Place) -> Iterator[Scalar]:
    """The indices of a place that are computed."""
    return (index for _, index in place.terms)
