"""Fold a scene that is too large to read: repetitions, then modules, finally any neighbours.

What is repeated is drawn once. Every folded box stands for consecutive operations, together with
the parameters that they are the first to read. So the folded picture has no cycle, whatever is
shared or returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphnet.draw.scene.grouping import LEAVES, Group, joined, modules_of
from graphnet.draw.scene.repetitions import Rolled, class_of, first_few, joined_alike, rolled_up
from graphnet.draw.scene.scene import Arrow, Box, Path, Scene
from graphnet.errors import counted
from graphnet.graph import Parameter
from graphnet.validation import require_integer

_ARROWS = 4  # for each box; nobody can follow more, and labelling them takes seconds


def folded(scene: Scene, depth: int | None = None, limit: int = 60) -> Scene:
    """The scene with each folded module as one box, and equal modules in a row drawn once, "× 24".

    What fits is left as it is. Otherwise, and at any requested depth, three or more equal modules
    in a row become one: a box if it is folded, a frame around one of them if it is open.

    Args:
        scene: what is to be drawn, as built from a list.
        depth: modules inside this many others are folded, 0 for all; None folds the derivatives and
            the innermost modules first, and only until the limit is met.
        limit: how many boxes may be left if no depth is given.

    Raises:
        RangeError: depth or limit is not a number of modules or of boxes.

    >>> import graphnet as gn
    >>> from graphnet.draw.scene.building import scene_of
    >>> graph, model = gn.Graph(), gn.Sequential(gn.Linear(2, 3), gn.Tanh(), gn.Linear(3, 1))
    >>> y = model(graph.input((None, 2), name="x"))
    >>> [box.name for box in folded(scene_of(graph), depth=0).boxes]
    ['x', '0', '1.tanh', '2']
    """
    require_integer("draw: limit", limit, 1)
    if depth is not None:
        require_integer("draw: depth", depth, 0)
    elif len(scene) <= limit:
        return scene
    scene = rolled_up(scene)
    if depth is not None:
        return _drawn(scene, modules_of(scene, depth, gradients=depth < 1))
    groups: list[Group] = []
    for level in range(max(len(box.path) for box in scene.boxes), -1, -1):
        groups = modules_of(scene, level, gradients=True)
        if len(groups) <= limit:
            return _drawn(scene, groups)
    return _joined(scene, joined_alike(scene, groups), limit)


def _joined(scene: Rolled, groups: list[Group], limit: int) -> Scene:
    """The scene with neighbours joined into one box; fewer if too many arrows would be left."""
    arrows = _ARROWS * limit
    while True:
        drawn = _drawn(scene, joined(groups, limit))
        if len(drawn.arrows) <= arrows:
            return drawn
        limit = limit * 3 // 4


# the new scene


def _drawn(scene: Rolled, groups: list[Group]) -> Scene:
    """The scene with one box for each group."""
    boxes = [_box(scene, group) for group in groups]
    keys = {
        each.key: box.key for group, box in zip(groups, boxes, strict=True) for each in group.boxes
    }
    paths = Scene(boxes).paths
    titles = {path: _title(scene, path) for path in paths if path in scene.titles}
    arrows = [
        replace(arrow, source=keys[arrow.source], target=keys[arrow.target])
        for arrow in scene.arrows
    ]
    boxes, arrows = _lettered(boxes, arrows)
    return Scene(
        boxes, _merged(arrows), titles, scene.shared, [*scene.notes, *_notes(scene, boxes)]
    )


def _title(scene: Rolled, path: Path) -> str:
    """The text on a frame, and how often its content is repeated."""
    times = scene.times.get(path, 1)
    return scene.titles[path] + (f" × {times}" if times > 1 else "")


def _notes(scene: Rolled, boxes: list[Box]) -> list[str]:
    """What was folded, and what is drawn only once."""
    nodes, notes = _nodes(boxes), []
    if len(boxes) < nodes:
        larger = any(len(box.places) > scene.copies(box.path) for box in boxes)
        hint = "; a larger depth shows more of what is inside." if larger else "."
        notes.append(f"{counted(nodes, 'node')} in {len(boxes):,} boxes{hint}")
    open_ = [path for path in Scene(boxes).paths if path in scene.times]
    if open_:
        texts = ", ".join(f"{'.'.join(path)} (× {scene.times[path]})" for path in open_)
        notes.append(f"Parts that are repeated in a row are drawn once: {texts}.")
    return notes


def _lettered(boxes: list[Box], arrows: list[Arrow]) -> tuple[list[Box], list[Arrow]]:
    """Give folded uses of the same parameters their letter, instead of arrows between them."""
    modules = {box.key for box in boxes if box.kind == "module"}
    letters = {box.key: dict.fromkeys(box.sharing) for box in boxes}
    kept = []
    for arrow in arrows:
        if arrow.sharing is None or not modules.issuperset((arrow.source, arrow.target)):
            kept.append(arrow)
        else:
            letters[arrow.target][arrow.sharing] = None
    return [replace(box, sharing=tuple(letters[box.key])) for box in boxes], kept


def _merged(arrows: Sequence[Arrow]) -> list[Arrow]:
    """One arrow for all that connect the same boxes, separate for different shared parameters."""
    merged: dict[tuple[str, str, int | None], Arrow] = {}
    for arrow in arrows:
        ends = source, target, _ = (arrow.source, arrow.target, arrow.sharing)
        if source == target:
            continue
        if ends in merged:
            use = arrow.use if arrow.use == merged[ends].use else 0
            merged[ends] = replace(merged[ends], count=merged[ends].count + arrow.count, use=use)
        else:
            merged[ends] = arrow
    return list(merged.values())


def _box(scene: Rolled, group: Group) -> Box:
    """The box of a group; a single node keeps its box, with a name that says where it is."""
    boxes = group.boxes
    if len(boxes) == 1 and not group.folded:
        return replace(boxes[0], name=_name(group), path=group.path)
    kinds = {box.kind for box in boxes}
    places = tuple(place for box in boxes for place in box.places)
    shapes = [box.shape for box in boxes if box.kind not in LEAVES] or [boxes[-1].shape]
    alike = kinds == {"gradient"} or (len(kinds) == 1 and group.times > 1)
    return Box(
        key=f"m{places[0]}",
        kind=boxes[0].kind if alike else "module",
        name=_name(group),
        symbol=_symbol(scene, group),
        shape="" if kinds == {"gradient"} else shapes[-1],
        note=_note(scene, group),
        path=group.path,
        sharing=tuple(dict.fromkeys(number for box in boxes for number in box.sharing)),
        nodes=tuple(node for box in boxes for node in box.nodes),
        places=places,
    )


def _name(group: Group) -> str:
    """The name of a group: its module, its node, or the first and last of its members."""
    if group.members:
        first, last = _name(group.members[0]), _name(group.members[-1])
        return first if first == last else f"{first} … {last}"
    if group.module and group.folded:
        return ".".join(group.module)
    (box, *_) = group.boxes
    return ".".join((*box.path[len(group.path) :], box.name))


def _symbol(scene: Scene, group: Group) -> str:
    """What a group computes: the kind of its module, or the kinds of its first members."""
    if group.members:
        return first_few(_symbol(scene, member) for member in group.members)
    if group.module and group.folded:
        return class_of(scene, group.module)
    return group.boxes[0].symbol


def _note(scene: Rolled, group: Group) -> str:
    """How often the group is repeated, and how much is folded in each copy of what is around it."""
    copies = scene.copies(group.path)
    times = group.times * (scene.times.get(group.module, 1) if group.module else 1)
    nodes = [node for box in group.boxes for node in box.nodes]
    learned = [each for each in nodes if isinstance(each, Parameter) and not each.is_buffer]
    numbers = sum(each.top.numel() for each in learned) // copies
    texts = [
        f"× {times}" if times > 1 else "",
        f"use {group.use}" if group.use else "",
        counted(_nodes(group.boxes) // copies, "node"),
        counted(numbers, "parameter") if numbers else "",
    ]
    return ", ".join(text for text in texts if text)


def _nodes(boxes: Sequence[Box]) -> int:
    """How many nodes some boxes stand for."""
    return sum(len(box.places) for box in boxes)
