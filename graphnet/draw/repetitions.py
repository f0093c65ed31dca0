"""Neighbours that become one box: equal ones, however often they are repeated, and any others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphnet.draw.scene import Box, Path, Scene

LEAVES = ("input", "parameter", "buffer")
FEWEST = 3  # repetitions that are worth being drawn as one
LONGEST = 32  # boxes in what is repeated


@dataclass
class Part:
    """Boxes that are drawn as one.

    Attributes:
        boxes: the boxes, in the order of the list.
        path: the modules around all of them.
        module: the module that it stands for; None for boxes that only stand side by side.
        use: which use of the module it is, from 1; 0 where there is only one.
        members: the neighbours that were put together in it, if there are some.
        times: how often the same is repeated among them.
        folded: True where a module of several nodes is one box, in each of its uses.
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
        """The place of its last operation, or of its last node where it has none."""
        operations = [box for box in self.boxes if box.kind not in LEAVES] or self.boxes
        return max(box.places[-1] for box in operations)


def rolled(scene: Scene, parts: list[Part], plain: bool) -> list[Part]:
    """The parts with equal neighbours as one: modules, and with `plain` any other boxes too."""
    if not plain and all(len(part.boxes) == 1 for part in parts):
        return parts
    looks = _looks(scene, parts)
    lengths = _periods(looks)
    rolled: list[Part] = []
    place = 0
    while place < len(parts):
        span, period = _best(lengths, place)
        group = parts[place : place + span]
        if span and (plain or any(len(part.boxes) > 1 for part in group)):
            rolled.append(_one(group, span // period))
            place += span
        else:
            rolled.append(parts[place])
            place += 1
    return rolled


def _looks(scene: Scene, parts: list[Part]) -> list[int]:
    """A number for each part, the same for parts that look and are wired alike inside."""
    where = {
        box.key: (place, number)
        for place, part in enumerate(parts)
        for number, box in enumerate(part.boxes)
    }
    wires: list[list[tuple[int, int]]] = [[] for _ in parts]
    for arrow in scene.arrows:
        source, target = where[arrow.source], where[arrow.target]
        inside = source[0] == target[0]
        wires[target[0]].append((source[1] if inside else -1, target[1]))
    numbers: dict[object, int] = {}
    looks = []
    for part, wire in zip(parts, wires, strict=True):
        boxes = tuple((box.kind, box.symbol, box.shape, box.note) for box in part.boxes)
        look = (part.path, part.module is None, boxes, tuple(wire))
        looks.append(numbers.setdefault(look, len(numbers)))
    return looks


def _periods(looks: Sequence[int]) -> list[list[int]]:
    """For each period and place, how many from there on are like the one a period later."""
    table = []
    for period in range(1, min(LONGEST, len(looks) // FEWEST) + 1):
        lengths = [0] * (len(looks) + 1)
        for place in range(len(looks) - period - 1, -1, -1):
            same = looks[place] == looks[place + period]
            lengths[place] = lengths[place + 1] + 1 if same else 0
        table.append(lengths)
    return table


def _best(lengths: list[list[int]], place: int) -> tuple[int, int]:
    """The longest repetition that starts at a place, and its period; the shortest period wins."""
    best = (0, 1)
    for period, table in enumerate(lengths, 1):
        times = table[place] // period + 1
        if times >= FEWEST and times * period > best[0]:
            best = (times * period, period)
    return best


def _one(group: Sequence[Part], times: int = 1) -> Part:
    """Several parts as one."""
    path = group[0].path
    for part in group:
        while part.path[: len(path)] != path:
            path = path[:-1]
    boxes = [box for part in group for box in part.boxes]
    boxes.sort(key=lambda box: box.places[0])
    return Part(boxes, path, members=group, times=times)


def joined(parts: list[Part], limit: int) -> list[Part]:
    """At most so many parts, by joining neighbours, about equally many everywhere."""
    count = min(limit, len(parts))
    ends = [len(parts) * number // count for number in range(count + 1)] if count else []
    groups = [parts[start:end] for start, end in pairwise(ends)]
    return [_one(group) if len(group) > 1 else group[0] for group in groups]
