"""Arrows as cubic Bézier curves: a start, and three points for each piece."""

from __future__ import annotations

from itertools import pairwise
from math import dist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphnet.draw.layout.geometry import Point, Rectangle

STEP = 4.0
"""The distance between the points that stand for a line."""

_CORNER = 12.0  # no arrow from below ends so close to a corner
_BEND = 10.0  # how deep a curve bends back: less than the margin of the picture


def sideways(start: Point, end: Point) -> list[Point]:
    """From a parameter to the operation beside it."""
    middle = (start[0] + end[0]) / 2
    return rounded([start, (middle, start[1]), (middle, end[1]), end])


def smooth(points: list[Point]) -> list[Point]:
    """One curve through all points, vertical at each of them; it bends back between equal y."""
    points = sparse(points)
    if len(points) == 1:
        points *= 2
    curve, sign = [points[0]], 1
    for (x, y), (next_x, next_y) in pairwise(points):
        half = (next_y - y) / 2
        if half:
            curve += [(x, y + half), (next_x, next_y - half)]
            sign = 1 if half > 0 else -1
        else:
            curve += [(x, y + sign * _BEND), (next_x, y + sign * _BEND)]
            sign = -sign
        curve.append((next_x, next_y))
    return rounded(curve)


def moved(curve: Sequence[Point], start: Point, end: Point) -> list[Point]:
    """The curve with other ends; it leaves and arrives in the directions it had."""
    first, last = curve[0], curve[-1]
    leaving = (curve[1][0] + start[0] - first[0], curve[1][1] + start[1] - first[1])
    arriving = (curve[-2][0] + end[0] - last[0], curve[-2][1] + end[1] - last[1])
    return rounded([start, leaving, *curve[2:-2], arriving, end])


def from_below(curve: Sequence[Point], source: Rectangle, target: Rectangle) -> list[Point]:
    """A curve that leaves below a box and enters above another one, if it nearly does.

    Graphviz lets arrows to far boxes end at a corner, or at a side close to one.

    >>> from_below([(60, 8), (60, 40), (50, 80), (50, 92)], (0, 0, 60, 10), (30, 92, 40, 10))[0]
    (48.0, 10)
    """
    (left, top, width, height), (end_left, end_top, end_width, _) = source, target
    start, end = curve[0], curve[-1]
    below = (_off_corners(start[0], left, width), top + height)
    above = (_off_corners(end[0], end_left, end_width), end_top)
    start = below if dist(start, below) < 2 * _CORNER else start
    return moved(curve, start, above if dist(end, above) < 2 * _CORNER else end)


def _off_corners(x: float, left: float, width: float) -> float:
    inset = min(_CORNER, width / 2)
    return min(left + width - inset, max(left + inset, x))


def sparse(points: list[Point]) -> list[Point]:
    """The points without those in the middle of a straight vertical line."""
    found = points[:1]
    for point in points[1:]:
        if point == found[-1]:
            continue
        if len(found) > 1 and found[-2][0] == found[-1][0] == point[0]:
            (_, first), (_, middle) = found[-2:]
            if (middle - first) * (point[1] - middle) >= 0:
                found.pop()
        found.append(point)
    return found


def rounded(points: list[Point]) -> list[Point]:
    """The points to 1/100, so that the same picture has the same bytes."""
    return [(round(x, 2), round(y, 2)) for x, y in points]


def split_at(curve: Sequence[Point], y: float, last: bool = False) -> tuple[list[Point], ...]:
    """The part of a curve before it crosses a height, and the part after.

    Args:
        curve: a start and triples of cubic Bézier control points.
        y: the height.
        last: True for the last of several crossings.

    >>> above, below = split_at([(0, 0), (0, 1), (0, 2), (0, 3)], 1.5)
    >>> rounded(above)
    [(0, 0), (0.0, 0.5), (0.0, 1.0), (0.0, 1.5)]
    """
    pieces = range(0, len(curve) - 1, 3)
    for start in reversed(pieces) if last else pieces:
        piece = list(curve[start : start + 4])
        if (piece[0][1] - y) * (piece[3][1] - y) <= 0 and piece[0][1] != piece[3][1]:
            one, other = _halves(piece, y)
            return [*curve[:start], *one], [*other, *curve[start + 4 :]]
    return list(curve), [curve[-1]]


def _halves(piece: list[Point], y: float) -> tuple[list[Point], list[Point]]:
    """A cubic Bézier curve in two, cut where it crosses a height: de Casteljau's construction."""
    low, high = 0.0, 1.0
    falling = piece[0][1] < piece[3][1]
    for _ in range(40):
        part = (low + high) / 2
        one, other = _divided(piece, part)
        low, high = (part, high) if (one[-1][1] < y) == falling else (low, part)
    return one, other


def _divided(piece: list[Point], part: float) -> tuple[list[Point], list[Point]]:
    one, other = [piece[0]], [piece[-1]]
    while len(piece) > 1:
        piece = [
            (x + (next_x - x) * part, y + (next_y - y) * part)
            for (x, y), (next_x, next_y) in pairwise(piece)
        ]
        one.append(piece[0])
        other.insert(0, piece[-1])
    return one, other


def turning(points: list[Point], radius: float = 7.0) -> list[Point]:
    """Straight lines from point to point, as a curve with rounded corners."""
    curve = [points[0]]
    for (x, y), corner, (next_x, next_y) in zip(points, points[1:], points[2:], strict=False):
        for end_x, end_y, leaving in ((x, y, False), (next_x, next_y, True)):
            length = max(abs(end_x - corner[0]), abs(end_y - corner[1]), 1e-9)
            part = min(radius, length / 2) / length
            at = (corner[0] + part * (end_x - corner[0]), corner[1] + part * (end_y - corner[1]))
            curve += [corner, corner, at] if leaving else _line(curve[-1], at)
    return [*curve, *_line(curve[-1], points[-1])]


def _line(start: Point, end: Point) -> list[Point]:
    """A straight line as a cubic Bézier curve, without its start."""
    return [start, end, end]


def samples(curve: Sequence[Point]) -> list[Point]:
    """Points along a curve, about `STEP` apart, from its start to its end.

    Args:
        curve: a start and triples of cubic Bézier control points.

    >>> samples([(0, 0), (2, 0), (4, 0), (6, 0)])
    [(0, 0), (3.0, 0.0), (6.0, 0.0)]
    """
    found = [curve[0]]
    for start in range(0, len(curve) - 1, 3):
        piece = curve[start : start + 4]
        length = sum(dist(piece[at], piece[at + 1]) for at in range(3))
        steps = int(length / STEP) + 1
        found += [point_on(piece, step / steps) for step in range(1, steps + 1)]
    return found


def point_on(curve: Sequence[Point], part: float) -> Point:
    """The point at a fraction of a curve, from 0 at its start to 1 at its end.

    >>> point_on([(0, 0), (10, 0), (20, 0), (30, 0)], 0.5)
    (15.0, 0.0)
    """
    pieces = (len(curve) - 1) // 3
    piece = min(int(part * pieces), pieces - 1)
    t = part * pieces - piece
    a, b, c, d = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
    start, one, other, end = curve[3 * piece : 3 * piece + 4]
    x, y = (a * start[at] + b * one[at] + c * other[at] + d * end[at] for at in (0, 1))
    return x, y
