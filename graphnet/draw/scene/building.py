"""From a list to a scene: one box for each node, one arrow for each input that is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from graphnet.draw.scene.scene import Arrow, Box, Path, Scene
from graphnet.draw.scene.sharing import is_derived, shared_by
from graphnet.errors import counted
from graphnet.graph import Node, Operation, Parameter
from graphnet.graph.entry import dtype_text
from graphnet.graph.roles import kind_of, loss_of

if TYPE_CHECKING:
    from graphnet.graph import Graph


def scene_of(graph: Graph, loss: Node | None = None) -> Scene:
    """The scene of a whole list.

    Args:
        graph: the list.
        loss: the node marked as the loss; None takes that of `loss_of`.
    """
    loss = loss_of(graph) if loss is None else loss
    scene = Scene()
    keys: dict[Node, str] = {}
    sharing, scene.shared = shared_by(graph)
    used: Counter[Node] = Counter()
    for place, node in enumerate(graph):
        keys[node] = f"n{place}"
        shared = (sharing[node],) if node in sharing else ()
        scene.boxes.append(replace(_box(graph, place, node, node is loss), sharing=shared))
        for source in node.inputs:
            arrow = Arrow(keys[source], keys[node])
            if source in sharing and not is_derived(node):
                used[source] += 1
                arrow = replace(arrow, sharing=sharing[source], use=used[source])
            scene.arrows.append(arrow)
    for path in scene.paths:
        scene.titles[path] = _title(path, graph.scopes.kind(".".join(path)))
    return scene


def _title(path: Path, kind: str) -> str:
    """The text on the frame of a module: its path and its class, without repetition."""
    if kind and path[-1] == kind.lower():
        return ".".join((*path[:-1], kind))
    return " ".join(part for part in (".".join(path), kind) if part)


def _box(graph: Graph, place: int, node: Node, is_loss: bool) -> Box:
    path, last = _placed(graph, graph.name_of(node))
    symbol = node.op.symbol if isinstance(node, Operation) else ""
    dtype = "" if node.dtype.is_floating_point else f" {dtype_text(node.dtype)}"
    note = ""
    if isinstance(node, Parameter) and not node.is_buffer:
        note = counted(node.top.numel(), "parameter")
    return Box(
        key=f"n{place}",
        kind="loss" if is_loss else kind_of(node),
        name=last,
        symbol=symbol,
        shape=sizes(node.shape) + dtype,
        note=note,
        path=path,
        nodes=(node,),
        places=(place,),
    )


def sizes(shape: tuple[int | None, ...]) -> str:
    """A shape in short, as formulas write it: "?x25"; "1" for a single number."""
    return "x".join("?" if size is None else str(size) for size in shape) or "1"


def _placed(graph: Graph, name: str) -> tuple[Path, str]:
    """The modules around a node, and its name inside them.

    A module that only holds others, such as a ModuleList, is never called itself. It has no frame,
    and is part of the names of those that it holds: "blocks.0".
    """
    *around, last = name.split(".")
    path: list[str] = []
    held = whole = ""
    for part in filter(None, around):
        whole, held = (f"{text}.{part}" if text else part for text in (whole, held))
        if graph.scopes.uses[whole] or not graph.scopes.kind(whole):
            path.append(held)
            held = ""
    return tuple(path), f"{held}.{last}" if held else last
