"""Boxes that are drawn as one: modules down to any depth, and joined neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from graphnet.draw.scene.scene import LAYER, OPEN, common_path

if TYPE_CHECKING:
    from graphnet.draw.scene.scene import Box, Path, Scene

LEAVES = ("input", "parameter", "buffer")


@dataclass
class Group:
    """Boxes that are drawn as one.

    Attributes:
        boxes: the boxes, in the order of the list.
        path: the modules around all of them.
        module: the module that it stands for; None for boxes that merely stand side by side.
        use: which use of the module it is, from 1; 0 if there is only one.
        members: the neighbours that were joined in it, if any.
        times: how often the same group is repeated among them.
        folded: True if a layer, or a module of several nodes, is one box, in each of its uses.
        large: True for a module of several nodes.
        layer: True for a layer.
    """

    boxes: list[Box]
    path: Path
    module: Path | None = None
    use: int = 0
    members: Sequence[Group] = ()
    times: int = 1
    folded: bool = False
    large: bool = False
    layer: bool = False

    @property
    def last(self) -> int:
        """The place of its last operation, or of its last node if it has none."""
        operations = [box for box in self.boxes if box.kind not in LEAVES] or self.boxes
        return max(box.places[-1] for box in operations)


def modules_of(scene: Scene, depth: int, gradients: bool) -> list[Group]:
    """The groups if all modules with `depth` others around them are one box for each call.

    Layers are one box at any depth; a module that is opened never is.

    Args:
        scene: what is to be drawn.
        depth: how many modules are around those that are one box.
        gradients: True if the derivatives are one box too.
    """
    reads: dict[str, list[str]] = {box.key: [] for box in scene.boxes}
    for arrow in scene.arrows:
        reads[arrow.target].append(arrow.source)
    leaves = {box.key: box for box in scene.boxes if box.kind in LEAVES}
    groups: list[Group] = []
    calls: tuple[int, ...] = ()
    owner: dict[str, Group] = {}  # for each operation its group, for each leaf its first reader's
    for box in scene.boxes:
        if box.key in leaves:
            continue
        module = _module_of(box, depth, gradients)
        inside = box.calls[: len(module or ())]
        if module is None or not groups or (module, inside) != (groups[-1].module, calls):
            groups.append(_started(box, module))
        calls, group = inside, groups[-1]
        group.boxes.append(box)
        for key in (box.key, *reads[box.key]):
            owner.setdefault(key, group)
    inside_of = [(box, _module_of(box, depth, gradients)) for box in leaves.values()]
    return _with_leaves(groups, owner, inside_of)


def _started(box: Box, module: Path | None) -> Group:
    """The group that begins with a box, still without it."""
    path = box.path if module is None else module[:-1]
    folds = box.folds[len(path) : len(path) + 1] if module else ()
    return Group([], path, module, layer=LAYER in folds)


def _with_leaves(
    groups: list[Group], owner: dict[str, Group], leaves: list[tuple[Box, Path | None]]
) -> list[Group]:
    """The groups in order, each leaf in its module's group if that is the first to read it."""
    uses = Counter(group.module for group in groups if group.module)
    seen: Counter[Path] = Counter()
    for group in groups:
        if group.module and uses[group.module] > 1:
            seen[group.module] += 1
            group.use = seen[group.module]
    for box, module in leaves:
        reader = owner.get(box.key)
        if reader and module and reader.module == module:
            reader.boxes.append(box)
        else:
            groups.append(Group([box], box.path if module is None else module[:-1], module))
    large = {group.module for group in groups if group.module and len(group.boxes) > 1}
    for group in groups:
        computes = any(box.kind not in LEAVES for box in group.boxes)
        group.large = computes and group.module in large
        group.folded = computes and (group.layer or group.large)
        group.boxes.sort(key=lambda box: box.places[0])
    return sorted(groups, key=lambda group: group.last)


def _module_of(box: Box, depth: int, gradients: bool) -> Path | None:
    """The module that a box is folded into; None if it stays as it is."""
    if box.kind == "gradient":
        return (box.path[:1] or ("gradients",)) if gradients else None
    if box.kind == "input":
        return None
    folds = box.folds or ("",) * len(box.path)
    for place, fold in enumerate(folds):
        if fold == LAYER or (fold != OPEN and place >= depth):
            return box.path[: place + 1]
    return None


def merged(members: Sequence[Group], times: int = 1) -> Group:
    """Several groups as one, with the number of repetitions in it."""
    path = common_path(group.path for group in members)
    boxes = [box for group in members for box in group.boxes]
    boxes.sort(key=lambda box: box.places[0])
    return Group(boxes, path, members=members, times=times)


def joined(groups: list[Group], limit: int) -> list[Group]:
    """At most `limit` groups, made by joining neighbours, about equally many everywhere."""
    count = min(limit, len(groups))
    ends = [len(groups) * number // count for number in range(count + 1)] if count else []
    neighbours = [groups[start:end] for start, end in pairwise(ends)]
    return [merged(each) if len(each) > 1 else each[0] for each in neighbours]
