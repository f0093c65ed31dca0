"""Boxes that are drawn as one: modules down to any depth, and joined neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphnet.draw.scene.scene import Box, Path, Scene

__all__ = ["LEAVES", "Part", "joined", "merged", "modules_of"]

LEAVES = ("input", "parameter", "buffer")


@dataclass
class Part:
    """Boxes that are drawn as one.

    Attributes:
        boxes: the boxes, in the order of the list.
        path: the modules around all of them.
        module: the module that it stands for; None for boxes that merely stand side by side.
        use: which use of the module it is, from 1; 0 if there is only one.
        members: the neighbours that were joined in it, if any.
        times: how often the same part is repeated among them.
        folded: True if a module of several nodes is one box, in each of its uses.
    """

    boxes: list[Box]
    path: Path
    module: Path | None = None
    use: int = 0
    members: Sequence[Part] = ()
    times: int = 1
    folded: bool = False

    @property
    def last(self) -> int:
        """The place of its last operation, or of its last node if it has none."""
        operations = [box for box in self.boxes if box.kind not in LEAVES] or self.boxes
        return max(box.places[-1] for box in operations)


def modules_of(scene: Scene, depth: int, gradients: bool) -> list[Part]:
    """The parts if all modules with `depth` others around them are one box for each use.

    Args:
        scene: what is to be drawn.
        depth: how many modules are around those that are one box.
        gradients: True if the derivatives are one box too.
    """
    reads: dict[str, list[str]] = {box.key: [] for box in scene.boxes}
    for arrow in scene.arrows:
        reads[arrow.target].append(arrow.source)
    leaves = {box.key: box for box in scene.boxes if box.kind in LEAVES}
    weights = {box.key for box in scene.boxes if box.kind == "parameter"}
    parts: list[Part] = []
    home: dict[str, Part] = {}  # for each operation its part, for each leaf its first reader's
    for box in scene.boxes:
        if box.key in leaves:
            continue
        module = _module_of(box, depth, gradients)
        part = parts[-1] if parts else None
        if part and module and module == part.module:
            again = weights.intersection(reads[part.boxes[0].key], reads[box.key])
            computed = any(home.get(key) is part and key not in leaves for key in reads[box.key])
            if again and not computed:  # the same weights on other data: the next use
                part = None
        if part is None or module is None or module != part.module:
            part = Part([], box.path if module is None else module[:-1], module)
            parts.append(part)
        part.boxes.append(box)
        for key in (box.key, *reads[box.key]):
            home.setdefault(key, part)
    inside = [(box, _module_of(box, depth, gradients)) for box in leaves.values()]
    return _with_leaves(parts, home, inside)


def _with_leaves(
    parts: list[Part], home: dict[str, Part], leaves: list[tuple[Box, Path | None]]
) -> list[Part]:
    """The parts in order, each leaf in its module's part if that is the first to read it."""
    uses = Counter(part.module for part in parts if part.module)
    seen: Counter[Path] = Counter()
    for part in parts:
        if part.module and uses[part.module] > 1:
            seen[part.module] += 1
            part.use = seen[part.module]
    for box, module in leaves:
        reader = home.get(box.key)
        if reader and module and reader.module == module:
            reader.boxes.append(box)
        else:
            parts.append(Part([box], box.path if module is None else module[:-1], module))
    large = {part.module for part in parts if len(part.boxes) > 1}
    for part in parts:
        computes = any(box.kind not in LEAVES for box in part.boxes)
        part.folded = computes and part.module is not None and part.module in large
        part.boxes.sort(key=lambda box: box.places[0])
    return sorted(parts, key=lambda part: part.last)


def _module_of(box: Box, depth: int, gradients: bool) -> Path | None:
    """The module that a box is folded into; None if it stays as it is."""
    if box.kind == "gradient":
        return (box.path[:1] or ("gradients",)) if gradients else None
    if box.kind == "input" or len(box.path) <= depth:
        return None
    return box.path[: depth + 1]


def merged(group: Sequence[Part], times: int = 1) -> Part:
    """Several parts as one, with the number of repetitions in it."""
    path = group[0].path
    for part in group:
        while part.path[: len(path)] != path:
            path = path[:-1]
    boxes = [box for part in group for box in part.boxes]
    boxes.sort(key=lambda box: box.places[0])
    return Part(boxes, path, members=group, times=times)


def joined(parts: list[Part], limit: int) -> list[Part]:
    """At most `limit` parts, made by joining neighbours, about equally many everywhere."""
    count = min(limit, len(parts))
    ends = [len(parts) * number // count for number in range(count + 1)] if count else []
    groups = [parts[start:end] for start, end in pairwise(ends)]
    return [merged(group) if len(group) > 1 else group[0] for group in groups]
