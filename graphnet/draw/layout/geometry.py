"""How large things are and where they lie: shared by layout engines and painters."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphnet.draw.scene.scene import Box, Path, Scene

Point = tuple[float, float]
"""x to the right and y downwards, in points of 1/72 inch."""

Rectangle = tuple[float, float, float, float]
"""Left, top, width and height."""

FONT_SIZE = 10.0
LINE_HEIGHT = 13.0
MARGIN = 8.0
"""The margin around the picture, and around the contents of a frame."""
TITLE_SIZE = 10.0
"""The size of the letters of a title."""
TITLE_SPACE = 16.0
"""The space for the title of a frame, at its top."""
MAX_WIDTH = 240.0
"""The largest width of a box or a title; `shortened` makes a text fit."""

_PADDING_X, _PADDING_Y, _MIN_WIDTH = 8.0, 6.0, 44.0
_BOLD = 1.14  # DejaVu Sans Bold is about this much wider
_WIDE = 1.05  # times the size: more than most letters that are not in the table below

# The advance widths of DejaVu Sans for the characters from space to ~, in 1/1000 of the size.
_ADVANCES = """
318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 636
636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 603 787
695 635 611 732 684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 615 352 635 634 278 278
579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 337 636 838
"""
_EM = {chr(32 + place): int(advance) / 1000 for place, advance in enumerate(_ADVANCES.split())}


@dataclass
class Layout:
    """Where everything in a scene lies.

    Attributes:
        width: of the whole picture.
        height: of the whole picture.
        places: the centre of each box, by its key.
        curves: for each arrow of the scene the start, then three points for every cubic Bézier
            curve; both ends lie on the borders of their boxes.
        frames: left, top, width and height of the frame around each module; the first
            `TITLE_SPACE` points are kept free for its title.
        engine: what computed it: "dot", "wasi" or "ranker".
        turned: True while x runs down and y to the right, to lay out from left to right.
    """

    width: float
    height: float
    places: dict[str, Point] = field(default_factory=dict)
    curves: list[list[Point]] = field(default_factory=list)
    frames: dict[Path, Rectangle] = field(default_factory=dict)
    engine: str = "ranker"
    turned: bool = False

    def rectangle(self, box: Box) -> Rectangle:
        """What a box fills."""
        (x, y), (width, height) = self.places[box.key], size_of(box)
        if self.turned:
            width, height = height, width
        return x - width / 2, y - height / 2, width, height

    def transposed(self) -> Layout:
        """The same with x and y exchanged."""
        return Layout(
            self.height,
            self.width,
            {key: (y, x) for key, (x, y) in self.places.items()},
            [[(y, x) for x, y in curve] for curve in self.curves],
            {path: (y, x, high, wide) for path, (x, y, wide, high) in self.frames.items()},
            self.engine,
            not self.turned,
        )


@lru_cache(maxsize=4096)  # each text is measured when it is laid out, shortened and painted
def text_width(text: str, size: float = FONT_SIZE, bold: bool = False) -> float:
    """About how wide a text is in DejaVu Sans, in points; no font file is read.

    >>> text_width("tanh")
    22.73
    """
    return round(size * (_BOLD if bold else 1) * sum(map(_advance, text)), 2)


def _advance(sign: str) -> float:
    if sign in _EM:
        return _EM[sign]
    if combining(sign):
        return 0
    return 1.4 if east_asian_width(sign) in "WF" else _WIDE


def shortened(text: str, room: float, size: float = FONT_SIZE, bold: bool = False) -> str:
    """The text, or as much of its beginning as fits, with an ellipsis.

    >>> shortened("a_very_long_name", 60)
    'a_very_lo…'
    """
    if text_width(text, size, bold) <= room:
        return text
    left = room - text_width("…", size, bold)
    for place, sign in enumerate(text):
        left -= text_width(sign, size, bold)
        if left < 0:
            return text[:place] + "…"
    return text


def gap_beside(scene: Scene) -> float:
    """The space between boxes side by side: more if norms will be written on short arrows."""
    return 42.0 if any(box.reserved for box in scene.boxes) else 18.0


def size_of(box: Box) -> tuple[float, float]:
    """Width and height of a box that is as large as its lines of text require, in points."""
    widths = [text_width(line, bold=place == 0) for place, line in enumerate(box.lines)]
    width = max(widths, default=0) + 2 * _PADDING_X
    height = LINE_HEIGHT * max(1, len(widths)) + 2 * _PADDING_Y
    return min(MAX_WIDTH, max(_MIN_WIDTH, round(width))), height


def on_border(point: Point, centre: Point, size: tuple[float, float]) -> Point:
    """The point on the border of a box that is nearest to a point.

    >>> on_border((12.0, 3.0), (10.0, 10.0), (20.0, 10.0))
    (12.0, 5.0)
    """
    half_width, half_height = size[0] / 2, size[1] / 2
    right = min(half_width, max(-half_width, point[0] - centre[0]))
    down = min(half_height, max(-half_height, point[1] - centre[1]))
    if half_width - abs(right) < half_height - abs(down):
        right = half_width if right > 0 else -half_width
    else:
        down = half_height if down > 0 else -half_height
    return centre[0] + right, centre[1] + down


def inward(point: Point, place: Rectangle, corners: Sequence[Point]) -> Point:
    """From a point on the border of a rectangle straight inwards, to the outline within it.

    Args:
        point: where a layout engine, which knows only rectangles, ends an arrow.
        place: the rectangle.
        corners: of the outline, which touches all four sides of the rectangle.

    >>> inward((0.0, 5.0), (0.0, 0.0, 30.0, 10.0), [(8, 0), (30, 0), (22, 10), (0, 10)])
    (4.0, 5.0)
    """
    left, top, width, height = place
    to_side = min(abs(point[0] - left), abs(point[0] - left - width))
    along = 0 if to_side < min(abs(point[1] - top), abs(point[1] - top - height)) else 1
    fixed = point[1 - along]
    found = []
    for one, other in pairwise([*corners, corners[0]]):
        start, end = one[1 - along], other[1 - along]
        if start != end and min(start, end) <= fixed <= max(start, end):
            part = (fixed - start) / (end - start)
            found.append(one[along] + part * (other[along] - one[along]))
    nearest = min(found, key=lambda at: abs(at - point[along]), default=point[along])
    return (nearest, fixed) if along == 0 else (fixed, nearest)
