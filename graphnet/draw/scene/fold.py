"""Fold a scene that is too large to read: repetitions, then modules, finally any neighbours.

What is repeated is drawn once. Every folded box stands for consecutive operations, together with
the parameters that they are the first to read. So the folded picture has no cycle, whatever is
shared or returned.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from graphnet.draw.scene.grouping import LEAVES, Group, joined, modules_of
from graphnet.draw.scene.repetitions import (
    Rolled,
    class_of,
    first_few,
    joined_alike,
    rolled_up,
    spanned,
)
from graphnet.draw.scene.scene import LAYER, OPEN, Arrow, Box, Path, Scene, around
from graphnet.errors import counted
from graphnet.graph import Parameter
from graphnet.validation import require_integer

_ARROWS = 4  # for each box; nobody can follow more, and labelling them takes seconds
_LAYERS = 40  # boxes, if layers are among them: about what is legible on one screen
_HIGH, _FEW = 9, 8  # boxes in a frame that fits on a screen; boxes of a picture that says enough
_SMALL, _SIMPLE = 30, 8  # nodes of a small list, and of the largest layer in it


def folded(
    scene: Scene, depth: int | None = None, limit: int = 60, *, every_node: bool = False
) -> Scene:
    """The scene with each layer as one box, and modules as far as it is too large to read.

    What fits is left as it is: a small list, or one without layers. Otherwise each call of a layer
    becomes one box, other modules are folded, and three or more equal modules in a row are drawn
    once, "× 24": as a box if they are folded, else as a frame around one of them.

    Args:
        scene: what is to be drawn, as built from a list.
        depth: modules inside this many others are folded, 0 for all; None folds the derivatives and
            the innermost modules first, and only until the limit is met.
        limit: how many boxes may be left if no depth is given.
        every_node: True to fold nothing.

    Raises:
        RangeError: depth or limit is not a number of modules or of boxes.

    >>> import graphnet as gn
    >>> from graphnet.draw.scene.building import scene_of
    >>> graph, model = gn.Graph(), gn.Sequential(gn.Linear(2, 3), gn.Tanh(), gn.Linear(3, 1))
    >>> y = model(graph.input((None, 2), name="x"))
    >>> [box.name for box in folded(scene_of(graph), depth=0).boxes]
    ['x', '0', '1', '2']
    """
    require_integer("draw: limit", limit, 1)
    if depth is not None:
        require_integer("draw: depth", depth, 0)
    if every_node or (depth is None and _fits(scene, limit)):
        return bare(scene)
    scene = rolled_up(scene)
    if depth is not None:
        return bare(_drawn(scene, modules_of(scene, depth, gradients=depth < 1)))
    return bare(_within(scene, limit))


def _fits(scene: Scene, limit: int) -> bool:
    """Whether a scene is drawn node by node."""
    folds = {fold for box in scene.boxes for fold in box.folds}
    if OPEN in folds:
        return False
    if LAYER not in folds:
        return len(scene) <= limit
    sizes = Counter(
        (box.path[: box.folds.index(LAYER)], box.calls)
        for box in scene.boxes
        if box.kind not in LEAVES and LAYER in box.folds
    )
    return len(scene) <= min(limit, _SMALL) and max(sizes.values()) <= _SIMPLE


def _within(scene: Rolled, limit: int) -> Scene:
    """The scene with modules folded, the innermost first, until it has few enough boxes."""
    groups: list[Group] = []
    fitting: list[list[Group]] = []
    for level in range(max(len(box.path) for box in scene.boxes), -1, -1):
        groups = modules_of(scene, level, gradients=True)
        layers = any(group.layer for group in groups)
        if len(groups) <= (min(limit, _LAYERS) if layers else limit):
            fitting.append(groups)
            if not layers or _highest(groups) <= _HIGH:
                break
    if fitting:
        good = [each for each in fitting if _highest(each) <= _HIGH and len(each) >= _FEW]
        return _drawn(scene, (good or fitting)[0])
    return _joined(scene, joined_alike(scene, groups), limit)


def _highest(groups: list[Group]) -> int:
    """The most boxes in one call of an outermost module: a picture cannot be cut inside it."""
    calls: dict[object, list[Path]] = defaultdict(list)
    for group in groups:
        if group.path:
            calls[group.path[0], group.boxes[0].calls[:1]].append(group.path)
    return max((len(paths) + len(set(paths)) - 1 for paths in calls.values()), default=0)


def bare(scene: Scene) -> Scene:
    """The scene without frames that hold a single box: its name says as much.

    >>> from graphnet.draw.scene.scene import Box, Scene
    >>> bare(Scene([Box("n0", "operation", "tanh", path=("0", "1"))])).boxes[0].full_name
    '0.1.tanh'
    """
    members = Counter(path for box in scene.boxes for path in around(box.path))
    boxes = []
    for box in scene.boxes:
        kept = [each for each in around(box.path) if members[each] > 1]
        path = kept[-1] if kept else ()  # what is around several boxes is around the rest too
        name = ".".join((*box.path[len(path) :], box.name))
        boxes.append(replace(box, path=path, name=name))
    return replace(scene, boxes=boxes)


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
    owners = {each.key: number for number, group in enumerate(groups) for each in group.boxes}
    leaving = {
        arrow.source for arrow in scene.arrows if owners[arrow.source] != owners[arrow.target]
    }
    boxes = [_box(scene, group, leaving) for group in groups]
    keys = {
        each.key: box.key for group, box in zip(groups, boxes, strict=True) for each in group.boxes
    }
    paths = Scene(boxes).paths
    titles = {path: _title(scene, path) for path in paths if path in scene.titles}

    def moved(arrow: Arrow) -> Arrow:
        return replace(arrow, source=keys[arrow.source], target=keys[arrow.target])

    boxes, arrows = _lettered(boxes, [(arrow.source, moved(arrow)) for arrow in scene.arrows])
    notes = [*scene.notes, *_notes(scene, boxes)]
    return Scene(boxes, _merged(arrows), titles, scene.shared, notes, scene.settings)


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


def _lettered(
    boxes: list[Box], arrows: list[tuple[str, Arrow]]
) -> tuple[list[Box], list[tuple[str, Arrow]]]:
    """Give folded uses of the same parameters their letter, instead of arrows between them.

    Args:
        boxes: the new boxes.
        arrows: between them, each with the key of the old box that is read.
    """
    modules = {box.key for box in boxes if len(box.places) > 1 or box.folded}
    letters = {box.key: dict.fromkeys(box.sharing) for box in boxes}
    kept = []
    for source, arrow in arrows:
        if arrow.sharing is None or not modules.issuperset((arrow.source, arrow.target)):
            kept.append((source, arrow))
        else:
            letters[arrow.target][arrow.sharing] = None
    return [replace(box, sharing=tuple(letters[box.key])) for box in boxes], kept


def _merged(arrows: Sequence[tuple[str, Arrow]]) -> list[Arrow]:
    """One arrow for all that connect the same boxes, separate for different shared parameters.

    It counts the values that it stands for: one that is read several times is one value.
    """
    merged: dict[tuple[str, str, int | None], Arrow] = {}
    values: dict[tuple[str, str, int | None], set[str]] = defaultdict(set)
    for read, arrow in arrows:
        ends = (arrow.source, arrow.target, arrow.sharing)
        if arrow.source == arrow.target:
            continue
        values[ends].add(read)
        use = arrow.use if arrow.use == merged.get(ends, arrow).use else 0
        merged[ends] = replace(merged.get(ends, arrow), count=len(values[ends]), use=use)
    return list(merged.values())


def _box(scene: Rolled, group: Group, leaving: Collection[str]) -> Box:
    """The box of a group; a single node keeps its box, with a name that says where it is.

    Its shape is that of its output: of the last value that is read outside, if one is. So the
    weights that an attention returns too, and nobody reads, do not count.

    Args:
        scene: the boxes of all nodes.
        group: some of them.
        leaving: the keys of those that are read outside their groups.
    """
    boxes = group.boxes
    if len(boxes) == 1 and not group.folded:
        return replace(boxes[0], name=_name(group), path=group.path, brief=True)
    kinds = {box.kind for box in boxes}
    places = tuple(place for box in boxes for place in box.places)
    computed = [box for box in boxes if box.kind not in LEAVES] or boxes[-1:]
    outputs = [box for box in computed if box.key in leaving or box.kind == "loss"]
    last = (outputs or computed)[-1]
    return Box(
        key=f"m{places[0]}",
        kind=_kind(group),
        name=_name(group),
        symbol=_symbol(scene, group),
        settings=scene.settings.get(group.module, "") if group.module else "",
        shape="" if kinds == {"gradient"} else last.shape,
        note=_note(scene, group),
        path=group.path,
        sharing=tuple(dict.fromkeys(number for box in boxes for number in box.sharing)),
        nodes=tuple(node for box in boxes for node in box.nodes),
        result=last.result if group.times == 1 and kinds != {"gradient"} else None,
        places=places,
        folded=group.folded,
    )


def _kind(group: Group) -> str:
    """The kind of box for a group."""
    kinds = {box.kind for box in group.boxes}
    if kinds == {"gradient"} or (len(kinds) == 1 and group.times > 1):
        return group.boxes[0].kind
    if group.layer:
        return "loss" if "loss" in kinds else "layer"
    return "module"


def _name(group: Group) -> str:
    """The name of a group: its module, its node, or the first and last of its members."""
    if group.members:
        return spanned(_name(group.members[0]), _name(group.members[-1]))
    if group.module and group.folded:
        return group.module[-1]
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
    size = "" if group.layer else counted(_nodes(group.boxes) // copies, "node")
    texts = [
        f"× {times}" if times > 1 else "",
        f"use {group.use}" if group.use and not group.layer else "",
        counted(numbers, "parameter") if numbers else size,
    ]
    return ", ".join(text for text in texts if text)


def _nodes(boxes: Sequence[Box]) -> int:
    """How many nodes some boxes stand for."""
    return sum(len(box.places) for box in boxes)
