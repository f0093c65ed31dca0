"""Room for the titles of frames, in one piece beside the arrows that enter from above."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

from graphnet.draw.layout.curves import samples
from graphnet.draw.layout.geometry import (
    MARGIN,
    TITLE_SIZE,
    TITLE_SPACE,
    shortened,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphnet.draw.layout.geometry import Layout, Point, Rectangle
    from graphnet.draw.scene.scene import Path, Scene

Span = tuple[float, float]
"""A left and a right end."""

_EDGE, _CLEAR = 6.0, 4.0  # how far a title stays away from the ends of its frame, and from arrows
_WIDEST = 320.0


def title_of(scene: Scene, path: Path) -> str:
    """The whole title of a frame, as far as it can be read in one line."""
    text = " ".join(filter(None, scene.title(path)))
    return shortened(text, _WIDEST, TITLE_SIZE, bold=True)


def title_width(scene: Scene, path: Path) -> float:
    """How wide it must be at least."""
    return text_width(least_title(scene, path), TITLE_SIZE, bold=True)


def least_title(scene: Scene, path: Path) -> str:
    """What a title must say at least: the class Sequential says no more than the frame."""
    name, kind = scene.title(path)
    return name if name and kind == "Sequential" else title_of(scene, path)


def beside_title(width: float, entering: Sequence[float], title: float) -> tuple[float, float]:
    """How much wider the contents of a frame become at their left and right, for its title.

    The title stands beside the arrows that enter the frame from above, in one piece.

    Args:
        width: of the contents.
        entering: where arrows enter, from the left end of the contents.
        title: how wide it is.

    >>> beside_title(100, [50], 40), beside_title(100, [50], 80), beside_title(100, [80], 90)
    ((0.0, 0.0), (32.0, 0.0), (12.0, 0.0))
    """
    ends = sorted({-inf, *entering, inf})
    left, right = _EDGE - MARGIN, width + MARGIN - _EDGE
    for one, other in pairwise(ends):
        if min(right, other - _CLEAR) - max(left, one + _CLEAR) >= title:
            return 0.0, 0.0
    if not entering:
        return 0.0, left + title - right
    wider = left + title + _CLEAR - ends[1], ends[-2] + _CLEAR + title - right
    return (wider[0], 0.0) if wider[0] <= wider[1] else (0.0, wider[1])


def free_spans(frame: Rectangle, lines: Sequence[Sequence[Point]]) -> list[Span]:
    """From where to where nothing lies in the title strip of a frame."""
    x, y, width, _ = frame
    left, right = x + _EDGE, x + width - _EDGE
    taken = sorted(
        px
        for line in lines
        for px, py in line
        if left - _CLEAR < px < right + _CLEAR and y - _CLEAR / 2 < py < y + TITLE_SPACE
    )
    spans, start = [], left
    for px in taken:
        if px - _CLEAR > start:
            spans.append((start, px - _CLEAR))
        start = max(start, px + _CLEAR)
    return [*spans, (start, right)] if right > start else spans


def first_free(text: str, free: Sequence[Span]) -> Span | None:
    """The first place with room for a title."""
    width = text_width(text, TITLE_SIZE, bold=True) - 0.01  # a layout may leave just the room
    return next((span for span in free if span[1] - span[0] >= width), None)


def crowded(scene: Scene, layout: Layout) -> int:
    """How many titles have no place of their own, because of arrows."""
    lines = [samples(curve) for curve in layout.curves] if layout.frames else []
    return sum(
        first_free(least_title(scene, path), free_spans(frame, lines)) is None
        for path, frame in layout.frames.items()
    )
