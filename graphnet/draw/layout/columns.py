"""A tall picture in several columns, as a long text: so that it fits on a screen.

The picture is cut between its rows.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from graphnet.draw.layout.columns_side_by_side import Column, SideBySide

if TYPE_CHECKING:
    from graphnet.draw.layout.geometry import Layout, Rectangle
    from graphnet.draw.scene.scene import Scene

SCREEN = (1280.0, 660.0)
"""What a picture should fit into, with room for its legend below."""

_LARGE = 1.1  # a picture that is enlarged that much on a screen stays in one column
_MOST = 6  # columns
_CROSSING = 5  # the most arrows that may run from one column to the next
_WORTH = 1.12  # how much larger the letters must become for one more column


def in_columns(
    scene: Scene, layout: Layout, count: int | None = None, direction: str = "TB"
) -> Layout:
    """The same layout in columns; in rows, if it runs from left to right.

    Args:
        scene: what is drawn.
        layout: where it goes, in one column.
        count: the number of columns, as far as there are places to cut; None takes the number that
            makes the picture largest on a screen.
        direction: "TB" from top to bottom, "LR" from left to right.
    """
    if direction == "LR":
        return in_columns(scene, layout.transposed(), count).transposed()
    best, size = layout, _scale(layout)
    if count is None and size >= _LARGE:
        return layout
    for number in range(2, _MOST + 1) if count is None else [count]:
        columns = _cut(scene, layout, number)
        if len(columns) < 2:
            break
        found = SideBySide(scene, layout, columns).layout()
        if count is not None or _scale(found) > _WORTH * size:
            best, size = found, _scale(found)
    return best


def _scale(layout: Layout) -> float:
    """How much a layout can be enlarged on a screen."""
    width, height = SCREEN[::-1] if layout.turned else SCREEN
    return min(width / layout.width, height / layout.height)


# where to cut


def _rows(scene: Scene, layout: Layout) -> list[tuple[float, float]]:
    """From where to where there are boxes and frames, from top to bottom."""
    items: list[Rectangle] = [layout.rectangle(box) for box in scene.boxes]
    items += layout.frames.values()
    rows: list[tuple[float, float]] = []
    for top, bottom in sorted((y, y + height) for _, y, _, height in items):
        if rows and top < rows[-1][1] + 2:
            rows[-1] = rows[-1][0], max(bottom, rows[-1][1])
        else:
            rows.append((top, bottom))
    return rows


def _cut(scene: Scene, layout: Layout, count: int) -> list[Column]:
    """The rows in columns, the highest of them as low as possible."""
    rows = _rows(scene, layout)
    ends = [
        place
        for place in range(1, len(rows))
        if _crossing(layout, (rows[place - 1][1] + rows[place][0]) / 2) <= _CROSSING
    ]
    ends.append(len(rows))
    lowest: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}  # by the number of rows
    for _ in range(min(count, len(ends))):
        longer: dict[int, tuple[float, list[int]]] = {}
        for start, (height, cuts) in lowest.items():
            for end in ends:
                if end > start:
                    most = max(height, rows[end - 1][1] - rows[start][0])
                    if end not in longer or most < longer[end][0]:
                        longer[end] = most, [*cuts, end]
        lowest = longer
    _, cuts = lowest.get(len(rows), (0.0, []))
    middle = [(one[1] + other[0]) / 2 for one, other in pairwise(rows)]
    middle = [0.0, *middle, layout.height]
    starts = [0, *cuts[:-1]]
    return [
        Column(rows[start][0], rows[end - 1][1], middle[start], middle[end])
        for start, end in zip(starts, cuts, strict=True)
    ]


def _crossing(layout: Layout, y: float) -> int:
    """How many arrows cross a horizontal line."""
    return sum(
        min(curve[0][1], curve[-1][1]) < y < max(curve[0][1], curve[-1][1])
        for curve in layout.curves
    )
