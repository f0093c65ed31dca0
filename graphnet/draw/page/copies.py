"""Repeated parts: a box that stands for several equal ones opens as one of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphnet.draw.scene.scene import Box, Path, Scene
    from graphnet.graph import Node


@dataclass
class Copy:
    """One of the equal parts that a box stands for.

    Attributes:
        scene: the first part, with nothing folded.
        times: how many there are.
        twins: for each node of the other parts, the same one of the first.
    """

    scene: Scene
    times: int = 1
    twins: dict[Node, Node] = field(default_factory=dict)


def one_copy(box: Box, scene: Scene) -> Copy:
    """The first of the equal parts that a box stands for; all of it if there are none.

    Args:
        box: the box; "× 24" in its note says that it stands for a row of modules.
        scene: the nodes in it, with nothing folded.

    >>> from graphnet.draw.scene.scene import Arrow, Box, Scene
    >>> boxes = [Box(f"n{at}", "operation", "f", path=(f"{at // 2}",)) for at in range(6)]
    >>> scene = Scene(boxes, [Arrow(f"n{at}", f"n{at + 1}") for at in range(5)])
    >>> copy = one_copy(Box("m0", "module", "0 … 2", note="× 3, 6 nodes"), scene)
    >>> len(copy.scene), copy.times
    (2, 3)
    """
    said = re.match(r"× ([\d,]+)", box.note)
    times = int(said[1].replace(",", "")) if said else 1
    parts = _row(scene.boxes, len(box.path), times) if times > 1 else _unconnected(scene)
    looks = {tuple((each.kind, each.symbol, each.shape) for each in part) for part in parts}
    if len(parts) < 2 or (times == 1 and len(looks) > 1):
        return Copy(scene)
    keys = {each.key for each in parts[0]}
    arrows = [arrow for arrow in scene.arrows if keys.issuperset((arrow.source, arrow.target))]
    twins = {
        other: node
        for part in parts[1:]
        for first, twin in zip(parts[0], part, strict=False)  # shared parameters are in one only
        for node, other in zip(first.nodes, twin.nodes, strict=True)
    }
    return Copy(replace(scene, boxes=parts[0], arrows=arrows), len(parts), twins)


def _row(boxes: Sequence[Box], depth: int, times: int) -> list[list[Box]]:
    """The boxes of modules in a row, as equally many modules for each of some copies."""
    modules: dict[Path, list[Box]] = {}
    for box in boxes:
        modules.setdefault(box.path[: depth + 1], []).append(box)
    period, rest = divmod(len(modules), times)
    if rest:
        return []
    row = list(modules.values())
    return [
        [box for module in row[at : at + period] for box in module]
        for at in range(0, len(row), period)
    ]


def _unconnected(scene: Scene) -> list[list[Box]]:
    """The boxes that arrows connect, each group in the order of the list."""
    group = {box.key: {box.key} for box in scene.boxes}
    for arrow in scene.arrows:
        one, other = sorted((group[arrow.source], group[arrow.target]), key=len)
        if one is not other:
            other |= one
            group.update(dict.fromkeys(one, other))
    found: dict[int, list[Box]] = {}
    for box in scene.boxes:
        found.setdefault(id(group[box.key]), []).append(box)
    return list(found.values())
