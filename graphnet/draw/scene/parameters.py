"""A picture without boxes for parameters: what reads them says how many numbers they are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from graphnet.draw.scene.fold import bare
from graphnet.errors import counted
from graphnet.graph import Parameter

if TYPE_CHECKING:
    from graphnet.draw.scene.scene import Box, Scene

_STORED = ("parameter", "buffer")


def without_parameters(scene: Scene) -> Scene:
    """The scene without parameters and buffers.

    The first reader of each counts its numbers; all readers of a shared one have its letter.

    >>> import graphnet as gn
    >>> from graphnet.draw.scene.building import scene_of
    >>> graph = gn.Graph()
    >>> y = gn.Linear(2, 3)(graph.input((None, 2), name="x"))
    >>> [(box.name, box.note) for box in without_parameters(scene_of(graph)).boxes]
    [('x', ''), ('linear', '9 parameters')]
    """
    stored = {box.key: box for box in scene.boxes if box.kind in _STORED}
    held: dict[str, list[Box]] = defaultdict(list)
    letters: dict[str, dict[int, None]] = defaultdict(dict)
    waiting = dict(stored)
    arrows = []
    for arrow in scene.arrows:
        if arrow.source not in stored:
            arrows.append(arrow)
            continue
        if arrow.source in waiting:
            held[arrow.target].append(waiting.pop(arrow.source))
        letters[arrow.target] |= dict.fromkeys(stored[arrow.source].sharing)
    boxes = [
        replace(
            box,
            note=", ".join(filter(None, (box.note, _count(held[box.key])))),
            sharing=tuple(dict.fromkeys((*box.sharing, *letters[box.key]))),
        )
        for box in scene.boxes
        if box.key not in stored
    ]
    return bare(replace(scene, boxes=boxes, arrows=arrows))


def _count(held: list[Box]) -> str:
    """How many numbers are learned in some boxes."""
    nodes = [node for box in held for node in box.nodes]
    learned = [each for each in nodes if isinstance(each, Parameter) and not each.is_buffer]
    numbers = sum(each.top.numel() for each in learned)
    return counted(numbers, "parameter") if numbers else ""
