"""What is written on frames and arrows, each where it hides least of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.draw.layout.curves import samples
from graphnet.draw.layout.geometry import TITLE_SIZE, text_width
from graphnet.draw.svg.label_placement import Obstacles
from graphnet.draw.svg.marks import BADGE, BOLD, START, badge, badge_width, head_of, text
from graphnet.draw.svg.style import INK, QUIET, letters, sharing_colour, sharing_marks
from graphnet.draw.svg.titles import titles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graphnet.draw.layout.geometry import Layout, Point, Rectangle
    from graphnet.draw.scene.scene import Arrow, Box, Scene

HALO = START + ' stroke="#ffffff" stroke-width="3" paint-order="stroke"'

HEAD, TEXT, BOX, TITLE, TAIL = 200.0, 200.0, 60.0, 200.0, 3.0
"""The cost of hiding an arrowhead, a text, the border of a box, a title, the start of a line."""

ASIDE, FAR = 10.0, 4.0
"""The cost of standing beside the line it belongs to, and at its end instead of its middle."""

_PLACES = 24  # the most places tried on one line
_LABEL = 8.0


class Labels:
    """The titles of frames, the badges of arrows, and places for labels beside arrows.

    The labels, which differ from frame to frame of a walk, never move what stays.

    Args:
        scene: the boxes and arrows.
        layout: where they go.
        curves: the arrows as they are painted, each with its head at its end.
        both_ways: True to keep both ends of arrows free, since some will be reversed.
    """

    def __init__(
        self, scene: Scene, layout: Layout, curves: Sequence[list[Point]], both_ways: bool = False
    ) -> None:
        self._scene = scene
        self._lines = [samples(curve) for curve in curves]
        self._obstacles = _obstacles_of(scene, layout, curves, self._lines)
        if both_ways:
            for curve in curves:
                self._obstacles.block(_around(head_of(curve[::-1])), HEAD)
        self.letters = {box.key: list(self._letters(box, layout)) for box in scene.boxes}
        """The badges of each box: the letters under which it is shared."""
        self.fixed = [*self._titles(layout), *self._badges()]

    def _letters(self, box: Box, layout: Layout) -> Iterator[str]:
        """The badges of a box, at the corner where they hide least."""
        marks = sharing_marks(box)
        if not marks:
            return
        across = sum(badge_width(mark) + 2 for mark, _ in marks) - 2
        left, top, width, height = layout.rectangle(box)
        spots = [
            (x, y - BADGE / 2, across, BADGE)
            for y in (top, top + height)
            for x in (left - 4, left + width - across + 4)
        ]
        spot = self._obstacles.best(enumerate(spots))
        self._obstacles.block(spot, TEXT)
        x = spot[0]
        for mark, number in marks:
            middle = (x + badge_width(mark) / 2, spot[1] + BADGE / 2)
            yield badge(mark, middle, sharing_colour(number))
            x += badge_width(mark) + 2

    def _titles(self, layout: Layout) -> Iterator[str]:
        """The titles of frames."""
        for content, spot in titles(self._scene, layout, self._lines):
            self._obstacles.block(spot, TITLE)
            place = (spot[0], spot[1] + TITLE_SIZE)
            yield text(place, content, TITLE_SIZE, QUIET, BOLD + START)

    def _badges(self) -> Iterator[str]:
        """The badges of arrows."""
        for place, arrow in enumerate(self._scene.arrows):
            if mark := _mark(arrow):
                spot = self._obstacles.best(
                    _on(self._lines[place], badge_width(mark), BADGE), place
                )
                self._obstacles.block(spot, TEXT)
                middle = spot[0] + spot[2] / 2, spot[1] + spot[3] / 2
                yield badge(mark, middle, _colour(self._scene, place))

    def labels(self, labels: Mapping[int, str]) -> Iterator[str]:
        """Texts beside arrows, by their places in `scene.arrows`."""
        taken: list[Rectangle] = []
        for place, label in labels.items():
            spots = _beside(self._lines[place], text_width(label, _LABEL), _LABEL + 2)
            priced = [
                (price + TEXT * any(_overlap(spot, each) for each in taken), spot)
                for price, spot in spots
            ]
            spot = self._obstacles.best(sorted(priced))
            taken.append(spot)
            colour = _colour(self._scene, place)
            yield text((spot[0], spot[1] + _LABEL), label, _LABEL, colour, HALO)


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    """True if two texts would touch."""
    return all(
        one[at] < other[at] + other[at + 2] + 1 and other[at] < one[at] + one[at + 2] + 1
        for at in (0, 1)
    )


def _obstacles_of(
    scene: Scene, layout: Layout, curves: Sequence[list[Point]], lines: Sequence[list[Point]]
) -> Obstacles:
    """All boxes and arrows."""
    obstacles = Obstacles(layout.width, layout.height)
    for box in scene.boxes:
        left, top, width, height = whole = layout.rectangle(box)
        obstacles.block(whole, BOX)
        obstacles.block((left + 3, top + 3, width - 6, height - 6), TEXT)
    for place, (curve, line) in enumerate(zip(curves, lines, strict=True)):
        obstacles.line(line, place)
        obstacles.block(_around(head_of(curve)), HEAD)
        obstacles.block((curve[0][0] - 3, curve[0][1] - 3, 6, 6), TAIL)
    return obstacles


def _around(points: Sequence[Point]) -> Rectangle:
    """The bounding rectangle of some points."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def _mark(arrow: Arrow) -> str:
    """Which use of what is shared, and how many arrows are drawn as one."""
    use = "" if arrow.sharing is None else f"{letters(arrow.sharing)}{arrow.use or ''}"
    return f"{use} × {arrow.count}".strip() if arrow.count > 1 else use


def _colour(scene: Scene, place: int) -> str:
    """The colour of what is written on an arrow."""
    sharing = scene.arrows[place].sharing
    return INK if sharing is None else sharing_colour(sharing)


def _spots(line: Sequence[Point]) -> Iterator[tuple[float, Point]]:
    """Some points of a line, and the cost of each; the middle costs nothing."""
    step = max(1, len(line) // _PLACES)
    middle = (len(line) - 1) / 2
    for place in range(0, len(line), step):
        yield FAR * abs(place - middle) / max(1.0, middle), line[place]


def _on(line: Sequence[Point], width: float, height: float) -> list[tuple[float, Rectangle]]:
    """Places for a badge on a line, and beside it if the line is too crowded."""
    aside, over = width / 2 + 3, height / 2 + 3
    found = []
    for price, (x, y) in _spots(line):
        left, top = x - width / 2, y - height / 2
        found.append((price, (left, top, width, height)))
        for far in (1, 2, 3):
            for right, down in ((aside, 0), (-aside, 0), (0, -over), (0, over)):
                place = (left + far * right, top + far * down, width, height)
                found.append((price + far * ASIDE, place))
    return sorted(found)


def _beside(line: Sequence[Point], width: float, height: float) -> list[tuple[float, Rectangle]]:
    """Places for a text to the right or left of a line, further away if it is crowded there."""
    found = []
    for price, (x, y) in _spots(line):
        for far in range(8):
            away, cost = 5 + 8 * far, price / 4 + far / 2
            found.append((cost, (x + away, y - height / 2, width, height)))
            found.append((cost + 0.5, (x - away - width, y - height / 2, width, height)))
            found.append((cost + 1, (x - width / 2, y - away - height, width, height)))
            found.append((cost + 1.5, (x - width / 2, y + away, width, height)))
    return sorted(found)
