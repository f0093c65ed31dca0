"""Scenes in the DOT language: bare boxes for a layout engine, and full ones for Graphviz itself."""

from __future__ import annotations

from collections import defaultdict
from math import ceil
from typing import TYPE_CHECKING

from graphnet.draw.geometry import MARGIN, MAX_WIDTH, size_of, text_width
from graphnet.draw.ranker import beside
from graphnet.errors import GraphError

if TYPE_CHECKING:
    from graphviz import Digraph

    from graphnet.draw.scene import Arrow, Path, Scene

__all__ = ["digraph_of", "layout_dot"]

_INCH = 72
_TITLE_SIZE = 10  # Courier of 10 points is 12 high and with its padding more than a title needs
_SPINE, _SIDE = 8, 1  # how much an arrow of data, or of a parameter, wants to be straight

_STYLES = {
    "input": {"shape": "ellipse", "fillcolor": "#cfe3f5"},
    "parameter": {"shape": "note", "fillcolor": "#fbe0bd"},
    "buffer": {"shape": "tab", "fillcolor": "#eeeeee"},
    "operation": {"shape": "box", "fillcolor": "#ffffff"},
    "loss": {"shape": "octagon", "fillcolor": "#9cc4ea"},
    "gradient": {"shape": "hexagon", "fillcolor": "#f5b971"},
    "module": {"shape": "box3d", "fillcolor": "#e4e9ef"},
}
_SHARED = ("#0072b2", "#d55e00", "#56b4e9", "#e69f00", "#009e73", "#cc79a7")


def layout_dot(scene: Scene) -> str:
    """The DOT text that asks only where things go: no name of the user is in it.

    One parameter stands at the left of its operation and one at the right, by an arrow that is
    turned round; others stand above. Box number i of the scene is called b<i>, arrow i has the
    id e<i>, and module i of `scene.paths` is the cluster c<i>; sizes are fixed, so that fonts do
    not matter.

    >>> from graphnet.draw.scene import Box, Scene
    >>> print(layout_dot(Scene([Box("n0", "input", "x")])))
    digraph {
    graph [nodesep=0.22 ranksep=0.36 margin=0 pad=0]
    node [shape=box fixedsize=true label=""]
    edge [arrowhead=none]
    b0 [width=0.6111 height=0.3472]
    }
    """
    ids = {box.key: f"b{place}" for place, box in enumerate(scene.boxes)}
    clusters = {path: f"cluster_c{place}" for place, path in enumerate(scene.paths)}
    lines = [
        "graph [nodesep=0.22 ranksep=0.36 margin=0 pad=0]",
        'node [shape=box fixedsize=true label=""]',
        "edge [arrowhead=none]",
    ]
    lines += [_within(path, _title(scene, path), clusters) for path in clusters]
    for box in scene.boxes:
        width, height = size_of(box)
        text = f"{ids[box.key]} [width={width / _INCH:.4f} height={height / _INCH:.4f}]"
        lines.append(_within(box.path, text, clusters))
    boxes, rows = scene.by_key, defaultdict(list)
    for parameter, reader in beside(scene).items():
        rows[reader].append(parameter)
    on_right = set()
    for reader, parameters in rows.items():
        row = " ".join(ids[key] for key in (*parameters[:2], reader))
        lines.append(_within(boxes[reader].path, f"{{rank=same {row}}}", clusters))
        on_right |= {(key, reader) for key in parameters[1:2]}
    for place, arrow in enumerate(scene.arrows):
        weight = _SIDE if boxes[arrow.source].kind in ("parameter", "buffer") else _SPINE
        ends = [arrow.source, arrow.target]
        if (arrow.source, arrow.target) in on_right:
            ends.reverse()
        lines.append(f"{' -> '.join(ids[key] for key in ends)} [id=e{place} weight={weight}]")
    return "\n".join(["digraph {", *lines, "}"])


def _title(scene: Scene, path: Path) -> str:
    """What makes room for the title of a frame: letters of about its width."""
    width = min(MAX_WIDTH, text_width(scene.titles.get(path, ""), bold=True))
    letters = "n" * max(1, ceil(width / (0.6 * _TITLE_SIZE)))
    return (
        f'graph [label="{letters}" labeljust=l fontname=Courier '
        f"fontsize={_TITLE_SIZE} margin={MARGIN:g}]"
    )


def _within(path: Path, text: str, clusters: dict[Path, str]) -> str:
    """A statement inside the clusters around it; a cluster may be opened many times."""
    for depth in range(len(path), 0, -1):
        text = f"subgraph {clusters[path[:depth]]} {{{text}}}"
    return text


def digraph_of(scene: Scene) -> Digraph:
    """The scene as a `graphviz.Digraph`, for those who want to go on with Graphviz itself.

    Args:
        scene: the boxes and arrows.

    Raises:
        GraphError: the package graphviz is not installed.
    """
    try:
        from graphviz import Digraph
    except ImportError:
        raise GraphError(
            "A picture as a graphviz.Digraph needs the package graphviz: pip install graphviz"
        ) from None
    drawn = {path: Digraph(f"cluster_{place}") for place, path in enumerate(scene.paths)}
    drawn[()] = Digraph("graphnet", node_attr={"style": "filled", "fontname": "DejaVu Sans"})
    ids = {box.key: f"b{place}" for place, box in enumerate(scene.boxes)}
    for box in scene.boxes:
        drawn[box.path].node(ids[box.key], _quoted("\n".join(box.lines)), **_STYLES[box.kind])
    for path in sorted(scene.paths, key=len, reverse=True):  # a copy is taken: inner ones first
        drawn[path].attr("graph", label=_quoted(scene.titles.get(path, ".".join(path))))
        drawn[path[:-1]].subgraph(drawn[path])
    for arrow in scene.arrows:
        drawn[()].edge(ids[arrow.source], ids[arrow.target], **_edge(arrow))
    return drawn[()]


def _edge(arrow: Arrow) -> dict[str, str]:
    """Each use of a shared parameter in the colour of that parameter; bundles with their number."""
    found = {}
    if arrow.sharing is not None:
        found = {"color": _SHARED[arrow.sharing % len(_SHARED)], "penwidth": "2"}
    label = f"use {arrow.use}" if arrow.use else f"× {arrow.count}" if arrow.count > 1 else ""
    return {**found, "label": label} if label else found


def _quoted(text: str) -> str:
    """A text that Graphviz shows as it is: no escapes, no entities, no HTML-like label."""
    from graphviz import escape

    plain = "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)
    quoted: str = escape(plain.replace("&", "&amp;"))
    return quoted
