"""The pictures of a graph and of a module: what `graph.draw` and `module.draw` do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any

from graphnet.draw.drawing import Drawing, Source, drawing_of
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import folded
from graphnet.draw.scene.parameters import without_parameters
from graphnet.draw.svg.paint import Look
from graphnet.draw.svg.style import MARKED
from graphnet.draw.svg.theme import THEMES
from graphnet.draw.svg.values import Value, reserve_space, value_of
from graphnet.errors import GraphError, counted
from graphnet.graph import Graph, Input, Node
from graphnet.graph.roles import checked_loss
from graphnet.validation import must_be, require_choice, require_flags, require_integer

if TYPE_CHECKING:
    from graphnet.draw.scene.scene import Box, Scene

SHOWN = ("shape", "top", "grad", "values")
OPTIONS = (
    "show",
    "depth",
    "open",
    "every_node",
    "parameters",
    "columns",
    "direction",
    "theme",
    "slide",
    "loss",
    "engine",
    "marks",
    "notes",
    "remarks",
)
DIRECTIONS = ("TB", "LR")
SLIDE = (1280.0, 720.0)


def draw_graph(
    graph: Graph,
    *,
    show: Sequence[str] = ("shape",),
    depth: int | None = None,
    open: Sequence[str] = (),
    every_node: bool = False,
    parameters: bool = True,
    columns: int | None = None,
    direction: str = "TB",
    theme: str = "auto",
    slide: bool = False,
    loss: Node | None = None,
    marks: Mapping[int, str] | None = None,
    notes: Mapping[int, str] | None = None,
    remarks: Sequence[str] = (),
    engine: str | None = None,
    **unknown: Any,
) -> Drawing:
    """What `Graph.draw` does.

    Args:
        graph: the list.
        show: what the boxes show: "shape", "top", "grad"; "values" for both with all numbers of
            small tensors.
        depth: how deep modules are opened, with each layer as one box; None draws a small list node
            by node, and folds what does not fit on a screen.
        open: the paths of modules to open whatever the depth, also of layers:
            "blocks.0.attention".
        every_node: True for a box for each node of the list.
        parameters: False to leave parameters out; what reads them says how many numbers they are.
        columns: in how many columns the picture is set, rows if it runs from left to right; None
            for one, or for as many as make a picture of layers fit on a screen.
        direction: "TB" from top to bottom, "LR" from left to right.
        theme: the colours: "light", "dark", or "auto" for those of the page that it is on; as PNG
            or PDF "auto" is light.
        slide: True to fill a slide of 16:9 with large letters.
        loss: the node drawn as the loss; None takes the start of the last backward walk, else the
            last single number.
        marks: what is wrong with a node, by its place in the list; its box is painted.
        notes: what else a box says, by its place in the list.
        remarks: sentences below the picture.
        engine: what computes the layout: "dot", "wasi" or "ranker"; None takes the first available.
        unknown: refused, with the names of the known options.

    Raises:
        GraphError: an option is unknown, or is not of its kind.
    """
    if unknown:
        names = ", ".join(map(repr, unknown))
        raise GraphError(f"graph.draw has the options {', '.join(OPTIONS)}; got {names}.")
    checked_loss(graph, loss)
    _refuse_texts(marks=marks, notes=notes)
    if isinstance(remarks, str) or not _are(str, remarks):
        raise GraphError(must_be("remarks", "sentences in a list, such as ['...']", remarks))
    require_flags(every_node=every_node, parameters=parameters, slide=slide)
    if columns is not None:
        require_integer("draw: columns", columns, 1)
    require_choice("direction", direction, DIRECTIONS)
    dress = partial(_dressed, show=_checked_show(show), marks=marks or {}, notes=notes or {})
    whole = scene_of(graph, loss, _opened(graph, open))
    scene = folded(whole, depth, every_node=every_node)
    if not parameters:
        whole, scene = without_parameters(whole), without_parameters(scene)
    scene, look = dress(replace(scene, notes=[*scene.notes, *remarks]))
    theme = require_choice("theme", theme, THEMES)
    look = replace(look, theme=theme, screen=SLIDE if slide else None)
    if columns is None and not slide and not any(box.folded for box in scene.boxes):
        columns = 1
    source = Source(graph, whole, dress, loss, engine, direction, tuple(remarks))
    return drawing_of(scene, engine, look, columns, direction, source)


def _opened(graph: Graph, names: Sequence[str]) -> Sequence[str]:
    """The modules to open, checked to be in the list.

    Raises:
        GraphError: one of them is not there.
    """
    if isinstance(names, str) or not _are(str, names):
        raise GraphError(must_be("open", "the paths of modules, such as ['encoder.0']", names))
    for name in names:
        if not graph.scopes.kind(name) or not name:
            raise GraphError(
                f"open names modules by their paths in the graph; got {name!r}. "
                "print(graph.summary()) lists them."
            )
    return names


def draw_module(module: Any, *shapes: Sequence[int | None], **options: Any) -> Drawing:
    """What `Module.draw` does: the module on inputs of these shapes.

    Raises:
        GraphError: there is not one shape for each input of the module.
    """
    rule = f"{type(module).__name__}.draw takes a shape for each input, such as draw((None, 3))"
    for shape in shapes:
        if not isinstance(shape, tuple | list):
            given = type(shape).__name__ if hasattr(shape, "shape") else repr(shape)
            raise GraphError(f"{rule}; got {given}.")
    try:
        wanted = signature(module.build)
        wanted.bind(*shapes)
    except TypeError:
        raise GraphError(
            f"{rule}; got {counted(len(shapes), 'shape')} for the inputs "
            f"({', '.join(wanted.parameters)})."
        ) from None
    with Graph() as graph:
        names = ["x"] if len(shapes) == 1 else [f"x{place}" for place in range(len(shapes))]
        inputs = [Input(tuple(shape), name=name) for shape, name in zip(shapes, names, strict=True)]
        module.append_to(graph, *inputs)
    return draw_graph(graph, **options)


def _checked_show(show: Sequence[str]) -> Sequence[str]:
    if isinstance(show, str) or not _are(str, show) or not set(show) <= set(SHOWN):
        raise GraphError(
            'show must be a tuple of "shape", "top", "grad" and "values", such as '
            f'("shape", "top"), or () for none of them; got {show!r}.'
        )
    return show


def _dressed(
    scene: Scene, show: Sequence[str], marks: Mapping[int, str], notes: Mapping[int, str]
) -> tuple[Scene, Look]:
    """A scene with what its boxes show, and with room for it; and how they look."""
    if "shape" not in show:
        scene = replace(scene, boxes=[replace(box, shape="") for box in scene.boxes])
    scene, fills = _marked(scene, marks, notes)
    names = [each for each in ("top", "grad") if each in show or "values" in show]
    numbers = "values" in show
    known = {box.key: _values(box, names, numbers) for box in scene.boxes} if names else {}
    return reserve_space(scene, known), Look(values=known, fills=fills)


def _are(kind: type, given: Any) -> bool:
    """True for a collection of things of this kind."""
    return isinstance(given, Collection) and all(isinstance(each, kind) for each in given)


def _refuse_texts(**given: Any) -> None:
    """Refuse marks and notes that are not texts for places in a list."""
    for name, texts in given.items():
        fits = isinstance(texts, Mapping | None) and all(
            isinstance(place, int) and isinstance(text, str)
            for place, text in (texts or {}).items()
        )
        if not fits:
            raise GraphError(
                f"{name} must map places in the list to texts, such as {{0: 'wrong'}}; "
                f"got {texts!r}. graph.index(node) is the place of a node."
            )


def _marked(
    scene: Scene, marks: Mapping[int, str], notes: Mapping[int, str]
) -> tuple[Scene, dict[str, str]]:
    """The scene with marks and notes in its boxes, and the colour of those with a mark."""
    texts = {**notes, **marks}
    boxes = []
    for box in scene.boxes:
        marked = [place for place in box.places if place in marks]
        places = marked or (box.places if len(box.places) == 1 else ())
        found = [texts[place] for place in places if place in texts]
        finding = f"{len(found)} findings" if len(found) > 1 else "".join(found)
        boxes.append(replace(box, finding=finding))
    fills = {box.key: MARKED for box in boxes if not marks.keys().isdisjoint(box.places)}
    return replace(scene, boxes=boxes), fills


def _values(box: Box, names: Sequence[str], numbers: bool) -> list[Value]:
    """The values of a box, as far as they are known; those of a folded one are of its result."""
    if (node := box.result) is None:
        return []
    tensors: dict[str, Any] = {"top": node.top if node.computed else None, "grad": node.grad}
    return [
        value_of(name, tensor, numbers) for name in names if (tensor := tensors[name]) is not None
    ]
