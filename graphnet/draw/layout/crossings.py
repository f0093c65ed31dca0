"""Arrows that run through boxes: Graphviz draws them where it finds no other way."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from graphnet.draw.layout.curves import samples

if TYPE_CHECKING:
    from graphnet.draw.layout.geometry import Layout
    from graphnet.draw.scene.scene import Scene

_CELL = 48.0
_EDGE = 2.0  # an arrow that only touches a box hides none of it


def crossings(scene: Scene, layout: Layout) -> int:
    """How many arrows run through boxes that they do not connect.

    >>> from graphnet.draw.layout.layered import layered
    >>> from graphnet.draw.scene.scene import Arrow, Box, Scene
    >>> scene = Scene([Box(key, "operation", key) for key in "abc"], [Arrow("a", "c")])
    >>> crossings(scene, layered(scene))
    0
    """
    cells: dict[tuple[int, int], list[tuple[float, float, float, float, str]]] = defaultdict(list)
    for box in scene.boxes:
        left, top, width, height = layout.rectangle(box)
        inner = (left + _EDGE, top + _EDGE, left + width - _EDGE, top + height - _EDGE, box.key)
        for column in range(int(left // _CELL), int((left + width) // _CELL) + 1):
            for row in range(int(top // _CELL), int((top + height) // _CELL) + 1):
                cells[column, row].append(inner)
    found = 0
    for arrow, curve in zip(scene.arrows, layout.curves, strict=True):
        ends = (arrow.source, arrow.target)
        found += any(
            left < x < right and top < y < bottom and key not in ends
            for x, y in samples(curve)
            for left, top, right, bottom, key in cells.get((int(x // _CELL), int(y // _CELL)), ())
        )
    return found
