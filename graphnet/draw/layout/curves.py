"""Arrows as cubic Bézier curves: a start, and three points for each piece."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphnet.draw.layout.geometry import Point

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
