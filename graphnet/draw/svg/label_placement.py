"""Where to write: of some places, the one that hides least."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from graphnet.draw.layout.geometry import Point, Rectangle

_CELL = 32.0
_NOTHING = -1

_Obstacle = tuple[float, float, float, float, float, int]  # left, top, right, bottom, weight, owner


class Obstacles:
    """What is on a sheet already; it is cheap to ask what a text would hide.

    Args:
        width: of the sheet.
        height: of the sheet.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._cells: dict[tuple[int, int], list[_Obstacle]] = defaultdict(list)

    def block(self, place: Rectangle, weight: float) -> None:
        """Put down something that should not be hidden; the weight says how much that matters."""
        left, top, width, height = place
        obstacle = (left, top, left + width, top + height, weight, _NOTHING)
        for cell in _cells(*obstacle[:4]):
            self._cells[cell].append(obstacle)

    def line(self, points: Sequence[Point], owner: int) -> None:
        """Put down a line as points; what its owner writes may lie on it."""
        for x, y in points:
            self._cells[int(x // _CELL), int(y // _CELL)].append((x, y, x, y, 1.0, owner))

    def cost(self, place: Rectangle, owner: int = _NOTHING) -> float:
        """The weights of everything that a rectangle would hide: 1 for each `STEP` of a line.

        Args:
            place: the rectangle; a margin of one point around it is kept free.
            owner: whose line may be hidden.
        """
        left, top = place[0] - 1, place[1] - 1
        right, bottom = left + place[2] + 2, top + place[3] + 2
        outside = left < 0 or top < 0 or right > self.width or bottom > self.height
        near = {
            obstacle
            for cell in _cells(left, top, right, bottom)
            for obstacle in self._cells.get(cell, ())
        }
        return 1000.0 * outside + sum(
            obstacle[4]
            for obstacle in near
            if obstacle[0] < right
            and obstacle[2] > left
            and obstacle[1] < bottom
            and obstacle[3] > top
            and (obstacle[5] != owner or owner == _NOTHING)
        )

    def best(self, places: Iterable[tuple[float, Rectangle]], owner: int = _NOTHING) -> Rectangle:
        """The cheapest of some places.

        Args:
            places: the cost of each place by itself, and the place; the cheapest first.
            owner: whose line may be hidden.
        """
        found, lowest = (0.0, 0.0, 0.0, 0.0), float("inf")
        for price, place in places:
            if price >= lowest:
                break
            cost = price + self.cost(place, owner)
            if cost < lowest:
                found, lowest = place, cost
        return found


def _cells(left: float, top: float, right: float, bottom: float) -> Iterator[tuple[int, int]]:
    for column in range(int(left // _CELL), int(right // _CELL) + 1):
        for row in range(int(top // _CELL), int(bottom // _CELL) + 1):
            yield column, row
