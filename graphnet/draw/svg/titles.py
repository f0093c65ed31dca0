"""The titles of frames, beside the arrows that enter there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.draw.layout.geometry import TITLE_SIZE, shortened, text_width
from graphnet.draw.layout.title_space import Span, first_free, free_spans, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphnet.draw.layout.geometry import Layout, Point, Rectangle
    from graphnet.draw.scene.scene import Path, Scene

_SHORTEST, _HEIGHT = 24.0, 11.0


def titles(
    scene: Scene, layout: Layout, lines: Sequence[Sequence[Point]]
) -> Iterator[tuple[str, Rectangle]]:
    """The texts on all frames, and where they go: none lies on an arrow, or on both sides of one.

    A title stands where there is room for it, the first such place from the left; if there is none,
    as much of it as there is room for.

    Args:
        scene: the boxes and arrows.
        layout: where they go.
        lines: points along each arrow, close together.
    """
    for path, frame in layout.frames.items():
        text, (left, _) = _fitting(scene, path, free_spans(frame, lines))
        if text:
            yield text, (left, frame[1] + 3, text_width(text, TITLE_SIZE, bold=True), _HEIGHT)


def _fitting(scene: Scene, path: Path, free: list[Span]) -> tuple[str, Span]:
    """A title, or as much of it as fits, and where; empty if nothing does."""
    name, kind = scene.title(path)
    times = kind.rpartition(" × ")[2] if " × " in kind else ""
    for text in filter(None, (title_of(scene, path), f"{name} × {times}" if times else "", name)):
        if span := first_free(text, free):
            return text, span
    widest = max(free, key=lambda span: span[1] - span[0], default=(0.0, 0.0))
    room = widest[1] - widest[0]
    whole = shortened(title_of(scene, path), room, TITLE_SIZE, bold=True)
    return (whole if room >= _SHORTEST else ""), widest
