"""What a box shows of its tensors: the room for it, and the lines and bars in that room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from graphnet.draw.layout.geometry import LINE_HEIGHT, shortened, text_width
from graphnet.draw.svg.marks import bars, number, text
from graphnet.errors import GraphError, counted

if TYPE_CHECKING:
    from graphnet.draw.layout.geometry import Rectangle
    from graphnet.draw.scene.scene import Box, Scene

SMALL = 8.0  # the font size of values


@dataclass(frozen=True)
class Value:
    """What a box shows of one tensor.

    Attributes:
        label: which tensor: "top", "grad".
        text: a line about it, as `histograms.described` gives.
        bars: the heights of some bars from 0 to 1, as `histograms.histogram` gives.
    """

    label: str
    text: str
    bars: Sequence[float] = ()


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
    zeros = "0" * ceil(max(needs, default=0) / text_width("0"))
    return (zeros,) * sum(map(_height, values))


def _line(value: Value) -> str:
    return f"{value.label} {value.text}"


def _height(value: Value) -> int:
    """How many lines a value takes."""
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
    rows, needed = len(box.reserved), sum(map(_height, values))
    if needed > rows:
        raise GraphError(
            f"A box shows the values that it has room for; {box.name!r} has room for "
            f"{counted(rows, 'line')}, got {needed}. Lay out reserve_space(scene, values)."
        )
    left, top, width, height = place
    y = top + (height + LINE_HEIGHT * (len(box.lines) - 2 * rows)) / 2
    for value in values:
        line = shortened(_line(value), width - 10, SMALL)
        yield text((left + width / 2, y + 9), line, SMALL, ink)
        if value.bars:
            yield bars(value.bars, (left + 14, y + 13, width - 28, 10), ink)
        y += LINE_HEIGHT * _height(value)
    for _ in range((rows - needed) // 2):  # not computed yet: a line for the bars to stand on
        yield (
            f'<path d="M{number(left + 14)} {number(y + 23)}h{number(width - 28)}" fill="none"'
            f' stroke="{ink}" stroke-opacity=".3"/>'
        )
        y += 2 * LINE_HEIGHT
