"""What a box shows of its tensors: the room for it, and the lines and bars in that room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from graphnet.draw.layout.geometry import LINE_HEIGHT, MAX_WIDTH, shortened, text_width
from graphnet.draw.svg.grid import CELL, Rows, grid, rows_of, width_of
from graphnet.draw.svg.histograms import described, histogram, zero_in
from graphnet.draw.svg.marks import START, bars, number, text
from graphnet.errors import GraphError, counted

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.draw.layout.geometry import Rectangle
    from graphnet.draw.scene.scene import Box, Scene

SMALL = 8.0  # the font size of values
_GAP = 10.0  # between two grids
_WIDEST = MAX_WIDTH - 20.0  # of the grids beside each other


@dataclass(frozen=True)
class Value:
    """What a box shows of one tensor.

    Attributes:
        label: which tensor: "top", "grad"; the bars of "grad" are outlines.
        text: a line about it, as `histograms.described` gives.
        bars: the heights of some bars from 0 to 1, as `histograms.histogram` gives.
        zero: where zero lies below the bars, as `histograms.zero_in` gives.
        rows: all its numbers, as `grid.rows_of` gives; they are shown instead of text and bars.
    """

    label: str
    text: str
    bars: Sequence[float] = ()
    zero: float | None = None
    rows: Rows = ()


def value_of(label: str, tensor: Tensor, numbers: bool = False) -> Value:
    """What a box shows of a tensor.

    Args:
        label: which tensor of the box it is.
        tensor: its numbers.
        numbers: True to show all of them if they are few.

    >>> import torch
    >>> value_of("top", torch.tensor([3.0, -4.0])).text
    '‖5‖ -4 … 3'
    """
    rows = rows_of(tensor) if numbers else ()
    return Value(label, described(tensor), histogram(tensor), zero_in(tensor), rows)


def reserve_space(scene: Scene, values: Mapping[str, Sequence[Value]]) -> Scene:
    """The same scene with room for values in its boxes; call it before the layout is made.

    Args:
        scene: what is to be drawn.
        values: everything that each box will show, by the box's key.
    """
    reserved = {box.key: _reserved_for(values.get(box.key, ())) for box in scene.boxes}
    boxes = [replace(box, reserved=reserved[box.key]) for box in scene.boxes]
    return replace(scene, boxes=boxes)


def _reserved_for(values: Sequence[Value]) -> tuple[str, ...]:
    """Lines of zeros that are as wide as values in their smaller font; bars take one more."""
    needs = [max(text_width(_line(value), SMALL), 80.0 * bool(value.bars)) for value in values]
    needs = [0.0 if value.rows else need for value, need in zip(values, needs, strict=True)]
    needs += [sum(map(_grid_width, line)) + _GAP * (len(line) - 1) for line in _grid_lines(values)]
    zeros = "0" * ceil(max(needs, default=0) / text_width("0"))
    return (zeros,) * _rows_needed(values)


def _rows_needed(values: Sequence[Value]) -> int:
    """How many lines values take."""
    plain = sum(_height(value) for value in values if not value.rows)
    return plain + sum(map(_grid_height, _grid_lines(values)))


def _grid_lines(values: Sequence[Value]) -> list[list[Value]]:
    """The values that are grids: the gradient beside the value, or below it if they are wide."""
    grids = [value for value in values if value.rows]
    if sum(map(_grid_width, grids)) + _GAP * (len(grids) - 1) <= _WIDEST:
        return [grids] if grids else []
    return [[each] for each in grids]


def _grid_width(value: Value) -> float:
    return max(width_of(value.rows), text_width(value.label, SMALL))


def _grid_height(line: Sequence[Value]) -> int:
    """How many lines grids take that stand beside each other, with their labels."""
    return 1 + ceil(max(len(value.rows) for value in line) * CELL / LINE_HEIGHT)


def _line(value: Value) -> str:
    return f"{value.label} {value.text}"


def _height(value: Value) -> int:
    """How many lines a value takes that is no grid."""
    return 2 if value.bars else 1


def values_in(box: Box, place: Rectangle, values: Sequence[Value], ink: str) -> Iterator[str]:
    """The lines and bars in the room at the bottom of a box.

    Args:
        box: one from `reserve_space`.
        place: the rectangle that it fills.
        values: what it shows.
        ink: the colour of all of it.

    Raises:
        GraphError: there is no room for that many values.
    """
    rows, needed = len(box.reserved), _rows_needed(values)
    if needed > rows:
        raise GraphError(
            f"A box shows the values that it has room for; {box.name!r} has room for "
            f"{counted(rows, 'line')}, got {needed}. Lay out reserve_space(scene, values)."
        )
    left, top, width, height = place
    y = top + (height + LINE_HEIGHT * (len(box.lines) - 2 * rows)) / 2
    for value in (each for each in values if not each.rows):
        line = shortened(_line(value), width - 10, SMALL)
        yield text((left + width / 2, y + 9), line, SMALL, ink)
        if value.bars:
            ground = (left + 14, y + 13, width - 28, 10)
            yield bars(value.bars, ground, ink, value.zero, hollow=value.label == "grad")
        y += LINE_HEIGHT * _height(value)
    for side in _grid_lines(values):
        x = left + (width - sum(map(_grid_width, side)) - _GAP * (len(side) - 1)) / 2
        for value in side:
            yield text((x, y + 9), value.label, SMALL, ink, START)
            yield from grid(value.rows, (x, y + LINE_HEIGHT))
            x += _grid_width(value) + _GAP
        y += LINE_HEIGHT * _grid_height(side)
    for _ in range((rows - needed) // 2):  # not computed yet: a line for the bars to stand on
        yield (
            f'<path d="M{number(left + 14)} {number(y + 23)}h{number(width - 28)}" fill="none"'
            f' stroke="{ink}" stroke-opacity=".3"/>'
        )
        y += 2 * LINE_HEIGHT
