"""The titles of frames, beside the arrows that enter there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.draw.layout.geometry import TITLE_SIZE, shortened, text_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphnet.draw.layout.geometry import Layout, Point, Rectangle
    from graphnet.draw.scene.scene import Path, Scene

Span = tuple[float, float]

_EDGE, _CLEAR, _SHORTEST = 6.0, 4.0, 24.0
_HEIGHT = 11.0


def titles(
    scene: Scene, layout: Layout, lines: Sequence[Sequence[Point]]
) -> Iterator[tuple[str, Rectangle]]:
    """The texts on all frames, and where they go: none lies on an arrow.

    A title stands in one piece if it can, else the name to the left of an arrow and the class to
    the right of it, else as much of it as there is room for.

    Args:
        scene: the boxes and arrows.
        layout: where they go.
        lines: points along each arrow, close together.
    """
    for path, frame in layout.frames.items():
        free = _free(frame, lines)
        for text, left in _pieces(scene, path, free):
            yield text, (left, frame[1] + 3, text_width(text, TITLE_SIZE, bold=True), _HEIGHT)


def _free(frame: Rectangle, lines: Sequence[Sequence[Point]]) -> list[Span]:
    """From where to where nothing lies in the title strip of a frame."""
    x, y, width, _ = frame
    left, right = x + _EDGE, x + width - _EDGE
    taken = sorted(
        px
        for line in lines
        for px, py in line
        if left - _CLEAR < px < right + _CLEAR and y - _CLEAR / 2 < py < y + 16
    )
    spans, start = [], left
    for px in taken:
        if px - _CLEAR > start:
            spans.append((start, px - _CLEAR))
        start = max(start, px + _CLEAR)
    return [*spans, (start, right)] if right > start else spans


def _pieces(scene: Scene, path: Path, free: list[Span]) -> list[tuple[str, float]]:
    """The texts of one title, each with its left end."""
    name, kind = scene.title(path)
    whole = f"{name} {kind}".strip()
    if spot := _first(whole, free):
        return [(whole, spot[0])]
    if name and kind and (spot := _first(name, free)):
        rest = [span for span in free if span[0] > spot[0]]
        if (other := _first(kind, rest)) is not None:
            return [(name, spot[0]), (kind, other[0])]
    times = kind.rpartition(" × ")[2] if " × " in kind else ""
    for shorter in filter(None, (f"{name} × {times}" if times else "", name)):
        if spot := _first(shorter, free):
            return [(shorter, spot[0])]
    widest = max(free, key=lambda span: span[1] - span[0], default=(0.0, 0.0))
    room = widest[1] - widest[0]
    if room < _SHORTEST:
        return []
    return [(shortened(whole, room, TITLE_SIZE, bold=True), widest[0])]


def _first(text: str, free: list[Span]) -> Span | None:
    """The first place with room for a text."""
    width = text_width(text, TITLE_SIZE, bold=True)
    return next((span for span in free if span[1] - span[0] >= width), None)
