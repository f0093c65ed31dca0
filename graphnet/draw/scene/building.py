"""From a list to a scene: one box for each node, one arrow for each input that is read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from graphnet.draw.scene.layers import is_layer, layer_call
from graphnet.draw.scene.scene import LAYER, OPEN, Arrow, Box, Path, Scene, around
from graphnet.draw.scene.sharing import is_derived, shared_by
from graphnet.errors import counted
from graphnet.graph import Node, Operation, Parameter
from graphnet.graph.entry import dtype_text
from graphnet.graph.roles import kind_of, loss_of
from graphnet.layers.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from graphnet.graph import Graph


def scene_of(graph: Graph, loss: Node | None = None, opened: Collection[str] = ()) -> Scene:
    """The scene of a whole list.

    Args:
        graph: the list.
        loss: the node marked as the loss; None takes that of `loss_of`.
        opened: the paths of modules that no depth folds, nor the modules around them.
    """
    loss = loss_of(graph) if loss is None else loss
    scene = Scene()
    keys: dict[Node, str] = {}
    sharing, scene.shared = shared_by(graph)
    uses: dict[Node, dict[object, int]] = defaultdict(dict)
    modules = _Modules(graph, opened)
    for place, node in enumerate(graph):
        keys[node] = f"n{place}"
        shared = (sharing[node],) if node in sharing else ()
        box = replace(_box(graph, place, node, node is loss), sharing=shared)
        scene.boxes.append(modules.around(node, box))
        for source in node.inputs:
            arrow = Arrow(keys[source], keys[node])
            if source in sharing and not is_derived(node):
                user = layer_call(graph, node) or object()
                use = uses[source].setdefault(user, len(uses[source]) + 1)
                arrow = replace(arrow, sharing=sharing[source], use=use)
            scene.arrows.append(arrow)
    for path in scene.paths:
        name = ".".join(path)
        scene.titles[path] = _title(path, graph.scopes.kind(name))
        scene.settings[path] = settings_of(graph.scopes.module(name))
    return scene


class _Modules:
    """What is known about the modules around nodes: calls, and how they are folded."""

    def __init__(self, graph: Graph, opened: Collection[str]) -> None:
        self._graph = graph
        self._opened = {".".join(path) for name in opened for path in around(_parts(name))}
        self._numbers: dict[object, int] = {}
        self._folds: dict[str, str] = {}

    def around(self, node: Node, box: Box) -> Box:
        """The box of a node, with what is known about the modules around it."""
        names = [".".join(path) for path in around(box.path)]
        calls: dict[str, int] = {}
        call = self._graph.calls.get(node)
        while call is not None and call.path not in calls:
            calls[call.path] = self._numbers.setdefault(call, len(self._numbers) + 1)
            call = call.caller
        return replace(
            box,
            calls=tuple(calls.get(name, 0) for name in names),
            folds=tuple(map(self._fold, names)),
        )

    def _fold(self, name: str) -> str:
        """How the module at a path is folded."""
        if name not in self._folds:
            layer = is_layer(self._graph.scopes.module(name))
            self._folds[name] = OPEN if name in self._opened else LAYER if layer else ""
        return self._folds[name]


def _parts(name: str) -> Path:
    return tuple(name.split("."))


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
        result=node,
        places=(place,),
    )


def sizes(shape: tuple[int | None, ...]) -> str:
    """A shape in short, as formulas write it: "?×25", "1" for (1,); "scalar" for ()."""
    return "×".join("?" if size is None else str(size) for size in shape) or "scalar"


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
