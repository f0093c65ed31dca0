"""The pictures of a graph and of a module: what `graph.draw` and `module.draw` do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphnet.draw.building import scene_of
from graphnet.draw.drawing import Drawing, drawing_of
from graphnet.draw.fold import folded
from graphnet.draw.paint import Look
from graphnet.draw.strips import described, strip
from graphnet.draw.values import Value, roomy
from graphnet.errors import GraphError
from graphnet.graph import Graph, Input, Node, Parameter

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.draw.scene import Box, Scene

__all__ = ["draw_graph", "draw_module"]

SHOWN = ("shape", "top", "grad")
MARKED = "#ffb000"
"""The colour of a box with a finding; dark text can be read on it, also in grey."""


def draw_graph(
    graph: Graph,
    *,
    show: Sequence[str] = ("shape",),
    depth: int | None = None,
    loss: Node | None = None,
    marks: Mapping[int, str] | None = None,
    notes: Mapping[int, str] | None = None,
    remarks: Sequence[str] = (),
    engine: str | None = None,
) -> Drawing:
    """What `Graph.draw` does.

    Args:
        graph: the list.
        show: what stands in the boxes: "shape", "top", "grad".
        depth: how deep modules are opened; None folds what is larger than a page.
        loss: the node that is drawn as the loss; None takes the last single number.
        marks: by place in the list what is wrong with a node; its box is painted.
        notes: by place in the list what else is said in a box.
        remarks: sentences below the picture.
        engine: what computes the layout: "dot", "wasi" or "ranker"; None takes the first there is.

    Raises:
        GraphError: what is to be shown is not one of "shape", "top", "grad".
    """
    values = _values_asked_for(show)
    scene = folded(scene_of(graph, loss), depth)
    if "shape" not in show:
        scene = replace(scene, boxes=[replace(box, shape="") for box in scene.boxes])
    scene = replace(scene, notes=[*scene.notes, *remarks])
    scene, fills = _marked(scene, marks or {}, notes or {})
    known = {box.key: _values(box, values) for box in scene.boxes} if values else {}
    scene = roomy(scene, known)
    return drawing_of(scene, engine, Look(values=known, fills=fills))


def draw_module(module: Any, *shapes: Sequence[int | None], **options: Any) -> Drawing:
    """What `Module.draw` does: the module on inputs of these shapes."""
    with Graph() as graph:
        names = ["x"] if len(shapes) == 1 else [f"x{place}" for place in range(len(shapes))]
        inputs = [Input(tuple(shape), name=name) for shape, name in zip(shapes, names, strict=True)]
        module(*inputs)
    return draw_graph(graph, **options)


def _values_asked_for(show: Sequence[str]) -> list[str]:
    wrong = [each for each in show if each not in SHOWN]
    if isinstance(show, str) or wrong:
        raise GraphError(f'show is a tuple of "shape", "top" and "grad"; {show!r} came.')
    return [each for each in ("top", "grad") if each in show]


def _marked(
    scene: Scene, marks: Mapping[int, str], notes: Mapping[int, str]
) -> tuple[Scene, dict[str, str]]:
    """The scene with marks and notes in its boxes, and the colour of those with a mark."""
    texts = {**notes, **marks}
    boxes = []
    for box in scene.boxes:
        marked = [place for place in box.places if place in marks]
        told = marked or (box.places if len(box.places) == 1 else ())
        found = [texts[place] for place in told if place in texts]
        finding = f"{len(found)} findings" if len(found) > 1 else "".join(found)
        boxes.append(replace(box, finding=finding))
    fills = {box.key: MARKED for box in boxes if not marks.keys().isdisjoint(box.places)}
    return replace(scene, boxes=boxes), fills


def _values(box: Box, asked: Sequence[str]) -> list[Value]:
    """The values of a box that stands for one node, as far as they are known."""
    if len(box.nodes) != 1:
        return []
    tensors = {name: _tensor(box.nodes[0], name) for name in asked}
    return [
        Value(name, described(tensor), strip(tensor))
        for name, tensor in tensors.items()
        if tensor is not None
    ]


def _tensor(node: Node, name: str) -> Tensor | None:
    """The value or the gradient of a node; None before it has one."""
    if name == "grad":
        return node.grad
    return node.top if isinstance(node, Parameter) or node.computed else None
