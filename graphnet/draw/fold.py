"""Fold a scene that is too large to read: modules, repetitions, and at last any neighbours.

Every folded box stands for operations that follow each other in the list, with the parameters that
they are the first to read. So the folded picture has no cycle, whatever shares or returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from graphnet.draw.repetitions import LEAVES, Part, joined, rolled
from graphnet.draw.scene import Arrow, Box, Path, Scene
from graphnet.errors import GraphError, counted
from graphnet.graph import Parameter

__all__ = ["folded"]


def folded(scene: Scene, depth: int | None = None, limit: int = 60) -> Scene:
    """The scene with modules drawn as one box each, and repetitions as one box "× 24".

    Args:
        scene: what is to be drawn, as it came from a list.
        depth: modules inside so many others are folded, 0 for all; where None, the derivatives and
            the innermost modules first, and only until the limit is kept.
        limit: how many boxes may be left where no depth is given.

    Raises:
        GraphError: depth or limit is not a number of modules or of boxes.

    >>> import graphnet as gn
    >>> from graphnet.draw.building import scene_of
    >>> graph, model = gn.Graph(), gn.Sequential(gn.Linear(2, 3), gn.Tanh(), gn.Linear(3, 1))
    >>> y = model(graph.input((None, 2), name="x"))
    >>> [box.name for box in folded(scene_of(graph), depth=0).boxes]
    ['x', '0', '1.tanh', '2']
    """
    _require(limit=limit, fewest=1)
    if depth is not None:
        _require(depth=depth, fewest=0)
        parts = rolled(scene, _modules(scene, depth, depth < 1), plain=False)
        return _drawn(scene, parts)
    if len(scene) <= limit:
        return scene
    parts = []
    for level in range(max(len(box.path) for box in scene.boxes), -1, -1):
        parts = rolled(scene, _modules(scene, level, True), plain=False)
        if len(parts) <= limit:
            return _drawn(scene, parts)
    parts = rolled(scene, parts, plain=True)
    return _drawn(scene, joined(parts, limit))


def _require(fewest: int, **numbers: int) -> None:
    """Refuse what is not a whole number, or too small a one."""
    for name, number in numbers.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < fewest:
            raise GraphError(
                f"draw: {name} is a whole number of {fewest} or more; {number!r} came. "
                "Leave it out for what fits a page."
            )


# modules


def _modules(scene: Scene, depth: int, gradients: bool) -> list[Part]:
    """The parts when all modules with `depth` others around them are one box for each use."""
    reads: dict[str, list[str]] = {box.key: [] for box in scene.boxes}
    for arrow in scene.arrows:
        reads[arrow.target].append(arrow.source)
    leaves = {box.key: box for box in scene.boxes if box.kind in LEAVES}
    weights = {box.key for box in scene.boxes if box.kind == "parameter"}
    parts: list[Part] = []
    home: dict[str, Part] = {}  # for each operation its part, for each leaf the first to read it
    for box in scene.boxes:
        if box.key in leaves:
            continue
        module = _module_of(box, depth, gradients)
        part = parts[-1] if parts else None
        if part and module and module == part.module:
            again = weights.intersection(reads[part.boxes[0].key], reads[box.key])
            computed = any(home.get(key) is part and key not in leaves for key in reads[box.key])
            if again and not computed:  # the same weights on something else: its next use
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
    """The parts in order, each leaf in that of its module if this is the first to read it."""
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


# the new scene


def _drawn(scene: Scene, parts: list[Part]) -> Scene:
    """The scene with one box for each part."""
    boxes = [_box(scene, part) for part in parts]
    keys = {
        each.key: box.key for part, box in zip(parts, boxes, strict=True) for each in part.boxes
    }
    paths = Scene(boxes).paths
    notes = list(scene.notes)
    if len(boxes) < len(scene):
        notes.append(
            f"{counted(_nodes(scene.boxes), 'node')} in {len(boxes):,} boxes; "
            "a larger depth shows more of what is inside."
        )
    titles = {path: scene.titles[path] for path in paths if path in scene.titles}
    arrows = [
        replace(arrow, source=keys[arrow.source], target=keys[arrow.target])
        for arrow in scene.arrows
    ]
    boxes, arrows = _lettered(boxes, arrows)
    return Scene(boxes, _merged(arrows), titles, scene.shared, notes)


def _lettered(boxes: list[Box], arrows: list[Arrow]) -> tuple[list[Box], list[Arrow]]:
    """Folded uses of the same parameters have its letter, instead of arrows between them."""
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
    """One arrow for all that go the same way, those of different shared parameters apart."""
    merged: dict[tuple[str, str, int | None], Arrow] = {}
    for arrow in arrows:
        way = source, target, _ = (arrow.source, arrow.target, arrow.sharing)
        if source == target:
            continue
        if way in merged:
            use = arrow.use if arrow.use == merged[way].use else 0
            merged[way] = replace(merged[way], count=merged[way].count + arrow.count, use=use)
        else:
            merged[way] = arrow
    return list(merged.values())


def _box(scene: Scene, part: Part) -> Box:
    """The box of a part; that of a single node stays itself, with a name that tells where it is."""
    boxes = part.boxes
    if len(boxes) == 1 and not part.folded:
        return replace(boxes[0], name=_name(part), path=part.path)
    kinds = {box.kind for box in boxes}
    places = tuple(place for box in boxes for place in box.places)
    shapes = [box.shape for box in boxes if box.kind not in LEAVES] or [boxes[-1].shape]
    alike = kinds == {"gradient"} or (len(kinds) == 1 and part.times > 1)
    return Box(
        key=f"m{places[0]}",
        kind=boxes[0].kind if alike else "module",
        name=_name(part),
        symbol=_symbol(scene, part),
        shape="" if kinds == {"gradient"} else shapes[-1],
        note=_note(part),
        path=part.path,
        sharing=tuple(dict.fromkeys(number for box in boxes for number in box.sharing)),
        nodes=tuple(node for box in boxes for node in box.nodes),
        places=places,
    )


def _name(part: Part) -> str:
    """What a part is called: its module, its node, or the first and the last of its members."""
    if part.members:
        first, last = _name(part.members[0]), _name(part.members[-1])
        return first if first == last else f"{first} … {last}"
    if part.module and part.folded:
        return ".".join(part.module)
    (box, *_) = part.boxes
    return ".".join((*box.path[len(part.path) :], box.name))


def _symbol(scene: Scene, part: Part) -> str:
    """What a part computes: the kind of its module, or those of its first members."""
    if part.members:
        symbols = dict.fromkeys(_symbol(scene, member) for member in part.members)
        known = [symbol for symbol in symbols if symbol]
        return ", ".join(known[:3]) + (", …" if len(known) > 3 else "")
    if part.module and part.folded:
        name = ".".join(part.module)
        return scene.titles.get(part.module, "").removeprefix(name).strip()
    return part.boxes[0].symbol


def _note(part: Part) -> str:
    """How often the same is repeated, and how much is folded."""
    nodes = [node for box in part.boxes for node in box.nodes]
    learned = [each for each in nodes if isinstance(each, Parameter) and not each.is_buffer]
    numbers = sum(each.top.numel() for each in learned)
    texts = [
        f"× {part.times}" if part.times > 1 else "",
        f"use {part.use}" if part.use else "",
        counted(_nodes(part.boxes), "node"),
        counted(numbers, "parameter") if numbers else "",
    ]
    return ", ".join(text for text in texts if text)


def _nodes(boxes: Sequence[Box]) -> int:
    """How many nodes some boxes stand for."""
    return sum(len(box.places) for box in boxes)
