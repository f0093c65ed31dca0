"""The columns of a picture side by side, and the arrows between them.

An arrow from one column to another runs below the first, or leaves it at its side; then up between
the two, and above the other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from graphnet.draw.layout.curves import from_below, rounded, split_at, turning
from graphnet.draw.layout.geometry import MARGIN, Layout, Point, Rectangle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphnet.draw.scene.scene import Scene

_LANE, _SIDE, _CLEAR = 9.0, 14.0, 3.0
_HEAD = 10.0  # an arrow ends in a straight line: more than its head is long


@dataclass
class Column:
    """A horizontal strip of the picture, and where it goes.

    Attributes:
        top: of its contents.
        bottom: of its contents.
        start: where the cut above it is.
        end: where the cut below it is.
        left: of its contents.
        right: of its contents.
        dx: how far it is moved to the right.
        dy: how far it is moved down.
    """

    top: float
    bottom: float
    start: float
    end: float
    left: float = 0
    right: float = 0
    dx: float = 0
    dy: float = 0


class SideBySide:
    """The columns of a layout side by side.

    Args:
        scene: what is drawn.
        layout: where it goes, in one column.
        columns: where it is cut.
    """

    def __init__(self, scene: Scene, layout: Layout, columns: list[Column]) -> None:
        self.scene, self.old, self.columns = scene, layout, columns
        self.ends = [
            (
                self.column_of(layout.places[arrow.source][1]),
                self.column_of(layout.places[arrow.target][1]),
            )
            for arrow in scene.arrows
        ]
        self.boxes = [layout.rectangle(box) for box in scene.boxes]
        self.curves = list(layout.curves)
        if layout.engine != "ranker":
            places = {box.key: layout.rectangle(box) for box in scene.boxes}
            for number, arrow in enumerate(scene.arrows):
                ends = places[arrow.source], places[arrow.target]
                self.curves[number] = from_below(layout.curves[number], *ends)
        self.lanes = self._ordered()
        self.gutters = Counter(self.ends[number][0] for number in self.lanes)
        self.used: Counter[int] = Counter()

    def _ordered(self) -> list[int]:
        """The arrows that change the column: first those that leave it at its side, from above.

        Then those that leave it below, from the right. In this order they take the lanes below a
        column and beside it, and do not cross there.
        """
        found = [number for number, (one, other) in enumerate(self.ends) if one != other]

        def place(number: int) -> tuple[float, float]:
            _, height = self._aside(number) or (0, inf)
            return height, -self._pieces(number)[0][-1][0]

        return sorted(found, key=place)

    def column_of(self, y: float) -> int:
        """The column that a height is in."""
        return next(place for place, each in enumerate(self.columns) if y < each.end)

    def layout(self) -> Layout:
        """Boxes, frames and arrows in their columns."""
        self._measure()
        x, y = MARGIN, MARGIN + self._room(len(self.lanes))
        for place, column in enumerate(self.columns):
            column.dx, column.dy = x - column.left, y - column.top
            x += column.right - column.left + 2 * _SIDE + _LANE * self.gutters[place]
        last = self.columns[-1]
        bottom = max(column.bottom + column.dy for column in self.columns)
        return replace(
            self.old,
            width=round(last.right + last.dx + MARGIN, 2),
            height=round(bottom + self._room(max(self.gutters.values(), default=0)) + MARGIN, 2),
            places={key: self._moved([at])[0] for key, at in self.old.places.items()},
            frames={path: self._frame(frame) for path, frame in self.old.frames.items()},
            curves=self._curves(),
        )

    @staticmethod
    def _room(lanes: int) -> float:
        return _LANE * lanes + _SIDE if lanes else 0.0

    def _measure(self) -> None:
        """Find the left and right ends of each column."""
        spans: list[list[float]] = [[] for _ in self.columns]
        things = [self.old.rectangle(box) for box in self.scene.boxes]
        for x, y, width, height in (*things, *self.old.frames.values()):
            spans[self.column_of(y + height / 2)] += [x, x + width]
        for number, (source, target) in enumerate(self.ends):
            for place, piece in zip((source, target), self._pieces(number), strict=True):
                spans[place] += [x for x, _ in piece]
        for column, span in zip(self.columns, spans, strict=True):
            column.left, column.right = min(span), max(span)

    def _pieces(self, number: int) -> tuple[list[Point], list[Point]]:
        """What of an arrow lies in its first column, and what in its last."""
        curve, (source, target) = self.curves[number], self.ends[number]
        if source == target:
            return curve, curve
        one, other = self.columns[source], self.columns[target]
        low = min(one.bottom + _HEAD, one.end)
        high = max(other.top - _HEAD, other.start)
        if aside := self._aside(number):
            return curve[: aside[0] + 1], self._from(high, curve)
        return self._from(low, curve[::-1])[::-1], self._from(high, curve)

    def _aside(self, number: int) -> tuple[int, float] | None:
        """Where an arrow leaves its column at the side, if its curve first runs to the right end.

        It would only run down there to come back up beside it.

        Returns:
            The place in the curve, and the height at which it goes to the right.
        """
        curve, column = self.curves[number], self.columns[self.ends[number][0]]
        right = _CLEAR + max(
            left + width for left, top, width, _ in self.boxes if column.start < top < column.end
        )
        for at in range(0, len(curve) - 3, 3):
            (x, y), (next_x, next_y) = curve[at], curve[at + 3]
            if next_x > right and curve[at + 1][1] > y:
                heights = (y + next_y) / 2, y + _SIDE
                free = (each for each in heights if self._is_free(x, each, right, each))
                return next(((at, each) for each in free if y < each < column.end), None)
            if next_x != x:
                return None
        return None

    def _from(self, height: float, curve: list[Point]) -> list[Point]:
        """A way from above or below a column to an end in it: straight, as far as it is free.

        It begins where the arrow goes on, not where the curve happens to cross the height: there it
        may be on its way aside, and would turn back.
        """
        side = 1 if curve[-1][1] > height else -1
        for at in range(len(curve) - 1, 0, -3):
            (x, y), (before_x, before_y) = curve[at], curve[at - 1]
            if side * (y - height) <= 0:
                break
            is_straight = at == len(curve) - 1 or abs(before_x - x) < abs(before_y - y) / 2
            if is_straight and self._is_free(x, min(height, y), x, max(height, y)):
                return [(x, height), (x, height), (x, height), *curve[at:]]
        return split_at(curve, height, last=True)[1]

    def _is_free(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Whether a line meets no box; a vertical one that starts at a box's height does not."""
        return not any(
            x - _CLEAR < right
            and x + width + _CLEAR > left
            and y + 1 < bottom
            and y + high - 1 > top
            for x, y, width, high in self.boxes
        )

    def _moved(self, points: Sequence[Point], place: int | None = None) -> list[Point]:
        """Points in the column where they are now."""
        column = self.columns[self.column_of(points[0][1]) if place is None else place]
        return rounded([(x + column.dx, y + column.dy) for x, y in points])

    def _frame(self, frame: Rectangle) -> Rectangle:
        x, y, width, height = frame
        column = self.columns[self.column_of(y + height / 2)]
        return round(x + column.dx, 2), round(y + column.dy, 2), width, height

    def _curves(self) -> list[list[Point]]:
        """The arrows, from column to column if need be."""
        curves = [self._moved(curve) for curve in self.old.curves]
        ways = {number: self._ends_of(number) for number in self.lanes}
        far = sorted(self.lanes, key=lambda number: -ways[number][1][0][0])
        heights = {number: MARGIN + _LANE * (place + 0.5) for place, number in enumerate(far)}
        for number in self.lanes:
            first, last = ways[number]
            way = self._way(number, first[-1], heights[number], last[0])
            curves[number] = rounded([*first, *turning(way)[1:], *last[1:]])
        return curves

    def _ends_of(self, number: int) -> tuple[list[Point], list[Point]]:
        """The two ends of an arrow in their new places."""
        first, last = self._pieces(number)
        source, target = self.ends[number]
        return self._moved(first, source), self._moved(last, target)

    def _way(self, number: int, start: Point, high: float, end: Point) -> list[Point]:
        """From below or beside one column to above another one: along its own lanes."""
        source = self.ends[number][0]
        column, lane = self.columns[source], self.used[source]
        self.used[source] += 1
        _, low = self._aside(number) or (0, column.bottom + _SIDE + _LANE * lane)
        gutter = column.right + column.dx + _SIDE + _LANE * lane
        down = low + column.dy
        return [start, (start[0], down), (gutter, down), (gutter, high), (end[0], high), end]
