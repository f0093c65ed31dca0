"""From a list to a scene: one box for each node, one arrow for each reading."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from graphnet.draw.scene import Arrow, Box, Path, Scene
from graphnet.errors import counted
from graphnet.graph import Node, Operation, Parameter

if TYPE_CHECKING:
    from graphnet.graph import Graph

__all__ = ["scene_of"]


def scene_of(graph: Graph, loss: Node | None = None) -> Scene:
    """The scene of a whole list.

    Args:
        graph: the list.
        loss: the node that is marked as the loss; where None the last single floating number.
    """
    loss = loss_of(graph) if loss is None else loss
    scene = Scene()
    keys: dict[Node, str] = {}
    readings = Counter(source for node in graph for source in node.inputs)
    shared = [node for node in graph if isinstance(node, Parameter) and readings[node] > 1]
    sharing = {node: number for number, node in enumerate(shared)}
    used: Counter[Node] = Counter()
    for place, node in enumerate(graph):
        keys[node] = f"n{place}"
        scene.boxes.append(_box(graph, place, node, node is loss))
        for source in node.inputs:
            used[source] += 1
            number = sharing.get(source)
            use = used[source] if number is not None else 0
            scene.arrows.append(Arrow(keys[source], keys[node], number, use))
    for path in scene.paths:
        name = ".".join(path)
        scene.titles[path] = " ".join(part for part in (name, graph.scopes.kinds.get(name)) if part)
    return scene


def loss_of(graph: Graph) -> Node | None:
    """The last operation of one floating number that is not part of a derivative."""
    for node in reversed(list(graph)):
        if isinstance(node, Operation) and not node.derived and node.shape == ():
            return node if node.dtype.is_floating_point else None
    return None


def _box(graph: Graph, place: int, node: Node, is_loss: bool) -> Box:
    name = graph.name_of(node)
    *path, last = name.split(".")
    symbol = node.op.symbol if isinstance(node, Operation) else ""
    note = ""
    if isinstance(node, Parameter) and not node.is_buffer:
        note = counted(node.top.numel(), "parameter")
    return Box(
        key=f"n{place}",
        kind="loss" if is_loss else kind_of(node),
        name=last,
        symbol=symbol,
        shape=sizes(node.shape),
        note=note,
        path=_path(path),
        nodes=(node,),
        places=(place,),
    )


def sizes(shape: tuple[int | None, ...]) -> str:
    """A shape in short, as formulas write it: "?x25"; "1" for a single number."""
    return "x".join("?" if size is None else str(size) for size in shape) or "1"


def _path(parts: list[str]) -> Path:
    return tuple(part for part in parts if part)


def kind_of(node: Node) -> str:
    """The kind of box for a node."""
    if isinstance(node, Parameter):
        return "buffer" if node.is_buffer else "parameter"
    if isinstance(node, Operation):
        return "gradient" if node.derived else "operation"
    return "input"
