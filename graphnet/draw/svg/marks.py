"""The small pieces of an SVG picture: numbers, escaped text, outlines, curves, badges."""

from __future__ import annotations

from html import escape
from math import dist
from typing import TYPE_CHECKING

from graphnet.console_text import printable
from graphnet.draw.layout.geometry import text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphnet.draw.layout.geometry import Point, Rectangle

BOLD = ' font-weight="bold"'
START = ' text-anchor="start"'

BADGE = 14.0
"""The height of a badge."""
_LETTERS = 10.0
"""The size of the letters in it."""
HEAD = 6.0
"""The length of an arrowhead."""


def number(value: float) -> str:
    """A coordinate with at most one decimal.

    >>> number(3.14159), number(2.0), number(-0.01)
    ('3.1', '2', '0')
    """
    digits = f"{value:.1f}".removesuffix(".0")
    return "0" if digits == "-0" else digits


def shown(content: str) -> str:
    r"""A text that is safe in SVG and HTML; characters that cannot be printed are escaped.

    >>> shown('<b>\n')
    '&lt;b&gt;\\n'
    """
    return escape(printable(content))


def text(place: Point, content: str, size: float = 10, fill: str = "", rest: str = "") -> str:
    """A line of text, its baseline at a point.

    Args:
        place: the middle of the line, or its start if `rest` says so.
        content: the text; it is escaped here.
        size: the size of the letters.
        fill: their colour, if it is not that of the picture.
        rest: further attributes, as they are written.
    """
    colour = f' fill="{escape(fill)}"' if fill else ""
    sized = "" if size == 10 else f' font-size="{number(size)}"'
    x, y = map(number, place)
    return f'<text x="{x}" y="{y}"{sized}{colour}{rest}>{shown(content)}</text>'


def polygon(points: list[Point]) -> str:
    """A closed line through points, as path data."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) + "Z"


def rounded(place: Rectangle, radius: float) -> str:
    """A rectangle with round corners, as path data."""
    left, top, width, height = place
    across, down, r = number(width - 2 * radius), number(height - 2 * radius), number(radius)
    arc = f"a{r} {r} 0 0 1"
    return (
        f"M{number(left + radius)} {number(top)}h{across}{arc} {r} {r}v{down}{arc} -{r} {r}"
        f"h-{across}{arc} -{r} -{r}v-{down}{arc} {r} -{r}Z"
    )


def head_of(curve: Sequence[Point]) -> list[Point]:
    """The arrowhead at the end of a curve: its tip, and its two wings."""
    tip, (dx, dy) = curve[-1], _direction(curve)
    x, y = tip[0] - HEAD * dx, tip[1] - HEAD * dy
    return [tip, (x - 3.2 * dy, y + 3.2 * dx), (x + 3.2 * dy, y - 3.2 * dx)]


def _direction(curve: Sequence[Point]) -> Point:
    """The direction in which a curve arrives, of length 1; down if the curve has no length."""
    tip = curve[-1]
    before = next((point for point in reversed(curve) if point != tip), (tip[0], tip[1] - 1))
    along = dist(before, tip)
    return (tip[0] - before[0]) / along, (tip[1] - before[1]) / along


def curve_and_head(curve: list[Point]) -> tuple[str, str]:
    """A curve up to the neck of its arrowhead, and the head, whose tip is the end, as path data.

    Args:
        curve: a start and triples of cubic Bézier control points.
    """
    (x, y), (dx, dy) = curve[-1], _direction(curve)
    neck = (x - HEAD * dx, y - HEAD * dy)

    def is_past(point: Point) -> bool:
        return dx * (point[0] - neck[0]) + dy * (point[1] - neck[1]) > 0

    line = [*curve[:-1], neck]
    while len(line) > 4 and is_past(line[-4]):  # no line runs into its head and back
        del line[-4:-1]
    line[-3:-1] = [neck if is_past(point) else point for point in line[-3:-1]]
    bends = " ".join(f"{number(x)} {number(y)}" for x, y in line[1:])
    return f"M{number(line[0][0])} {number(line[0][1])}C{bends}", polygon(head_of(curve))


def badge_width(mark: str) -> float:
    """How wide a badge is; it is `BADGE` high."""
    return max(BADGE, text_width(mark, _LETTERS, bold=True) + 6)


def badge(mark: str, centre: Point, colour: str) -> str:
    """A few white letters on a background that is dark enough for them."""
    width = badge_width(mark)
    place = (centre[0] - width / 2, centre[1] - BADGE / 2, width, BADGE)
    ground = f'<path d="{rounded(place, BADGE / 2)}" fill="{colour}" stroke="#ffffff"/>'
    return ground + text((centre[0], centre[1] + 3.6), mark, _LETTERS, "#ffffff", BOLD)


def bars(
    heights: Sequence[float],
    place: Rectangle,
    colour: str,
    zero: float | None = None,
    hollow: bool = False,
) -> str:
    """Small bars on a baseline; each one that is not empty is visible.

    Args:
        heights: of the bars, from 0 to 1.
        place: the rectangle that the highest of them fill.
        colour: of the bars.
        zero: where a line across them marks zero, from 0 to 1; None for no line.
        hollow: True for outlines.
    """
    left, top, width, height = place
    step, inset = width / len(heights), 0.4 * hollow
    data = "".join(
        f"M{number(left + step * at + inset)} {number(top + height)}"
        f"v-{number(max(high * height, 1))}h{number(step - 0.8 - 2 * inset)}"
        f"v{number(max(high * height, 1))}Z"
        for at, high in enumerate(heights)
        if high > 0
    )
    line = f"M{number(left)} {number(top + height)}h{number(width)}"
    if zero is not None:
        line += f"M{number(left + width * zero)} {number(top)}v{number(height + 3)}"
    look = f'fill="{colour}" fill-opacity=".55"'
    if hollow:
        look = f'fill="none" stroke="{colour}" stroke-width="0.8"'
    return f'<path d="{line}" stroke="{colour}"/><path d="{data}" {look}/>'
