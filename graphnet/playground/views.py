"""The pictures of the list in a page: each layer as a box, or each node, with room in them.

What moves is put there by the page: a strip for the value, one for the gradient, and, where the
inputs are points of a plane, a map for each unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any

from graphnet.draw.layout.columns import in_columns
from graphnet.draw.layout.engines import laid_out
from graphnet.draw.layout.geometry import LINE_HEIGHT, text_width
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import folded
from graphnet.draw.svg.paint import Look, painted
from graphnet.draw.svg.values import Value
from graphnet.graph import Graph, Operation
from graphnet.graph.walks import ancestors

if TYPE_CHECKING:
    from graphnet.draw.layout.geometry import Layout
    from graphnet.draw.scene.scene import Box, Scene
    from graphnet.graph import Node
    from graphnet.playground.task import Task

MOST_BOXES = 200
"""A list of more nodes is shown as layers alone."""
MOST_UNITS = 64
"""Units of a layer whose maps are shown."""

_STRIP = 156.0  # points: about the width of what moves in a box
_TILE = 12.0  # points: a map of a unit
_PANES = {"wide": (860.0, 440.0), "narrow": (390.0, 760.0)}  # its room on a laptop, and a phone
_MOST_COLUMNS = 4
_STYLE = ' style="max-width:100%;height:auto"'  # the policy of the page allows no such attribute


@dataclass(frozen=True)
class View:
    """One picture of the list.

    Attributes:
        id: of the picture in the page.
        svg: the picture.
        data: where its boxes are, what they stand for, and where something moves in them.
    """

    id: str
    svg: str
    data: dict[str, Any]


def views_of(task: Task) -> list[View]:
    """The pictures of layers and of nodes, each for wide screens and for narrow ones.

    One of them alone if both are alike, or if there are too many nodes.
    """
    whole = scene_of(task.graph, task.loss)
    layers, nodes = folded(whole, 0), folded(whole, every_node=True)
    scenes = {"layers": layers, "nodes": nodes}
    if len(layers) == len(nodes):
        del scenes["layers"]
    elif len(nodes) > MOST_BOXES:
        del scenes["nodes"]
    maps = mapped(task)
    return [
        view for name, scene in scenes.items() for view in _views(name, scene, task.graph, maps)
    ]


def mapped(task: Task) -> list[Node]:
    """The operations whose units have maps: between the points of a plane and the output."""
    if task.plane is None or task.output is None:
        return []
    nodes = ancestors(list(task.graph), [task.output])
    return [node for node in nodes if isinstance(node, Operation) and _units(node) > 0]


def _units(node: Node) -> int:
    """How many units a node has, each a column; 0 if there are none, or too many."""
    size = node.shape[1] if len(node.shape) == 2 and node.shape[0] is None else None
    return size if size is not None and size <= MOST_UNITS else 0


def _views(name: str, scene: Scene, graph: Graph, maps: list[Node]) -> Iterator[View]:
    """One scene in as many columns as make it largest on a wide screen, and on a narrow one."""
    rooms = {box.key: _room(box, maps) for box in scene.boxes}
    boxes = [_reserved(box, rooms[box.key]) for box in scene.boxes]
    scene = replace(scene, boxes=boxes, notes=[])
    tall = laid_out(scene)
    more = (in_columns(scene, tall, count) for count in range(2, _MOST_COLUMNS + 1))
    layouts = [tall, *more]
    for screen, pane in _PANES.items():
        layout = max(layouts, key=lambda each: _scale(each, pane))
        uid = f"{name}-{screen}"
        places = {box.key: _place(box, rooms[box.key], layout, graph) for box in scene.boxes}
        arrows = [[arrow.source, arrow.target] for arrow in scene.arrows]
        data = {"id": uid, "name": name, "screen": screen, "boxes": places, "arrows": arrows}
        yield View(uid, _picture(scene, layout, uid), data)


def _place(box: Box, room: dict[str, int], layout: Layout, graph: Graph) -> dict[str, Any]:
    """What a box stands for, and where something moves in it."""
    return {
        "nodes": [graph.index(node) for node in box.nodes],
        "shows": None if box.result is None else graph.index(box.result),
        "parts": dict(_rectangles(box, room, layout)),
    }


def _scale(layout: Layout, pane: tuple[float, float]) -> float:
    """How large a picture is when it just fits."""
    return min(pane[0] / layout.width, pane[1] / layout.height)


def _picture(scene: Scene, layout: Layout, uid: str) -> str:
    """The picture, with nothing yet where something will move."""
    empty = {box.key: [Value("", "")] * len(box.reserved) for box in scene.boxes}
    look = Look(title="The network", values=empty, legend=False, uid=uid)
    return painted(scene, layout, look).replace(_STYLE, "", 1)


def _room(box: Box, maps: list[Node]) -> dict[str, int]:
    """The lines of each thing that moves in a box."""
    if box.result is None:
        return {}
    room = {"map": _rows_of_tiles(box.result)} if box.result in maps else {}
    room["value"] = 1
    if box.result.requires_grad:
        room["gradient"] = 1
    return room


def _rows_of_tiles(node: Node) -> int:
    """How many lines the maps of a node take."""
    across = int(_STRIP // _TILE)
    return ceil(ceil(_units(node) / across) * _TILE / LINE_HEIGHT)


def _reserved(box: Box, room: dict[str, int]) -> Box:
    """A box with room for what moves in it."""
    zeros = "0" * ceil(_STRIP / text_width("0"))
    return replace(box, reserved=(zeros,) * sum(room.values()))


def _rectangles(
    box: Box, room: dict[str, int], layout: Layout
) -> Iterator[tuple[str, list[float]]]:
    """Left, top, width and height of each thing that moves in a box."""
    left, top, width, height = layout.rectangle(box)
    lines = len(box.lines)
    y = top + (height - LINE_HEIGHT * lines) / 2 + LINE_HEIGHT * (lines - sum(room.values()))
    x = left + (width - _STRIP) / 2
    for name, rows in room.items():
        yield name, [round(number, 1) for number in (x, y, _STRIP, LINE_HEIGHT * rows)]
        y += LINE_HEIGHT * rows
