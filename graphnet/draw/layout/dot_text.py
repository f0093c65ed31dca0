"""Scenes in the DOT language: bare boxes for a layout engine, full ones for Graphviz itself."""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from math import ceil
from operator import or_
from typing import TYPE_CHECKING

from graphnet.draw.layout.geometry import MARGIN, gap_beside, size_of
from graphnet.draw.layout.layered import beside
from graphnet.draw.layout.title_space import title_width
from graphnet.draw.scene.scene import around
from graphnet.draw.svg.style import sharing_colour
from graphnet.errors import GraphError

if TYPE_CHECKING:
    from graphviz import Digraph

    from graphnet.draw.scene.scene import Arrow, Path, Scene

_INCH = 72
_GAP = 18.0  # as wide as nodesep below
_TITLE_SIZE = 10  # Courier at 10 points is 12 high, with its padding more than a title needs
_SPINE, _BRANCH, _SIDE = 64, 8, 1  # how straight latest data, other data, parameters should run

_STYLES = {
    "input": {"shape": "ellipse", "fillcolor": "#cfe3f5"},
    "parameter": {"shape": "note", "fillcolor": "#fbe0bd"},
    "buffer": {"shape": "tab", "fillcolor": "#eeeeee"},
    "operation": {"shape": "box", "fillcolor": "#ffffff"},
    "layer": {"shape": "component", "fillcolor": "#e1ecf7"},
    "loss": {"shape": "octagon", "fillcolor": "#9cc4ea"},
    "gradient": {"shape": "hexagon", "fillcolor": "#f5b971"},
    "module": {"shape": "box3d", "fillcolor": "#e4e9ef"},
}


def layout_dot(scene: Scene, direction: str = "TB") -> str:
    """The DOT text that only asks for positions: it contains no name from the user.

    One parameter stands to the left of its operation, and one to the right by a reversed arrow;
    others stand above. Each module stands below all data that it reads, by rows and by arrows that
    are not drawn. Box number i of the scene is called b<i>, arrow i has the id e<i>, and module i
    of `scene.paths` is the cluster c<i>. An arrow that enters a module between shared parameters
    has a second piece, f<i>, which starts at the point p<i>. Sizes are fixed, so that fonts do not
    matter.

    >>> from graphnet.draw.scene.scene import Box, Scene
    >>> print(layout_dot(Scene([Box("n0", "input", "x")])))
    digraph {
    graph [nodesep=0.22 ranksep=0.36 margin=8 pad=0 newrank=true remincross=false]
    node [shape=box fixedsize=true label=""]
    edge [arrowhead=none]
    b0 [width=0.6111 height=0.3472]
    }
    """
    ids = {box.key: f"b{place}" for place, box in enumerate(scene.boxes)}
    clusters = {path: f"cluster_c{place}" for place, path in enumerate(scene.paths)}
    lines = [
        # newrank: modules in their order; remincross: parameters keep their side
        f"graph [nodesep=0.22 ranksep=0.36 margin={MARGIN:g} pad=0 newrank=true remincross=false]",
        'node [shape=box fixedsize=true label=""]',
        "edge [arrowhead=none]",
    ]
    if (gap := gap_beside(scene)) > _GAP:
        lines.append(f"nodesep={gap / _INCH:.2f}")
    if direction != "TB":
        lines.append(f"rankdir={direction}")
    lines += [_within(path, _title(scene, path), clusters) for path in clusters]
    for box in scene.boxes:
        width, height = size_of(box)
        text = f"{ids[box.key]} [width={width / _INCH:.4f} height={height / _INCH:.4f}]"
        lines.append(_within(box.path, text, clusters))
    lines += _arrow_lines(scene, ids, clusters)
    return "\n".join(["digraph {", *lines, "}"])


def _arrow_lines(scene: Scene, ids: dict[str, str], clusters: dict[Path, str]) -> list[str]:
    """The arrows, then what keeps boxes side by side and below each other."""
    lines, order = [], _Order(scene)
    rows = [(path, [ids[key] for key in row]) for path, row in order.rows()]
    for place, arrow in enumerate(scene.arrows):
        source, target, weight = ids[arrow.source], ids[arrow.target], order.weight(arrow)
        if order.turned(arrow):
            source, target = target, source
        if passed := order.passed(arrow):
            path, point = order.boxes[arrow.target].path, f"p{place}"
            lines.append(_within(path, f"{point} [width=0.01 height=0.01]", clusters))
            lines.append(f"{point} -> {target} [id=f{place} weight={2 * weight}]")
            rows.append((path, [point, *(ids[key] for key in passed)]))
            target = point
        lines.append(f"{source} -> {target} [id=e{place} weight={weight}]")
    lines += [_within(path, f"{{rank=same {' '.join(row)}}}", clusters) for path, row in rows]
    held = ((ids[one], ids[other]) for one, other in order.held())
    return lines + [f"{one} -> {other} [style=invis weight=0]" for one, other in held]


class _Order:
    """Which boxes of a scene stand beside, below and straight below which others."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.boxes = scene.by_key
        self.bits = {box.key: 1 << place for place, box in enumerate(scene.boxes)}
        self.sources: dict[str, dict[str, None]] = {key: {} for key in self.boxes}
        for arrow in scene.arrows:
            self.sources[arrow.target][arrow.source] = None
        self.beside: dict[str, list[str]] = defaultdict(list)  # an operation: two parameters
        for parameter, reader in beside(scene).items():
            if len(self.beside[reader]) < 2:
                self.beside[reader].append(parameter)
        self.at_side = {key for row in self.beside.values() for key in row}
        self.above: dict[str, int] = {}  # for each box, itself and all above it, as bits
        self.inside: dict[Path, list[str]] = defaultdict(list)  # without parameters at the sides
        self.members: dict[Path, int] = defaultdict(int)  # the same, as bits
        for key, box in self.boxes.items():
            above = (self.above.get(source, 0) for source in self.sources[key])
            self.above[key] = reduce(or_, above, self.bits[key])
            if key not in self.at_side:
                for path in reversed(around(box.path)):
                    self.members[path] |= self.bits[key]
                    self.inside[path].append(key)
        self.entering = self._entering()

    def _is_leaf(self, key: str) -> bool:
        return self.boxes[key].kind in ("parameter", "buffer")

    def turned(self, arrow: Arrow) -> bool:
        """Whether it runs from a parameter to the left."""
        return arrow.source in self.beside.get(arrow.target, ())[1:]

    def weight(self, arrow: Arrow) -> int:
        """How straight an arrow should be: above all that of the latest data, in either half."""
        if self._is_leaf(arrow.source):
            return _SIDE
        data = [key for key in self.sources[arrow.target] if not self._is_leaf(key)]
        latest = arrow.source == max(data, key=self.bits.__getitem__)
        halves = {self.boxes[key].kind == "gradient" for key in (arrow.source, arrow.target)}
        return _SPINE if latest and len(halves) == 1 else _BRANCH

    # modules below what they read

    def _entering(self) -> dict[Path, dict[str, None]]:
        """For each module the data that enters it, without data that comes out of it."""
        found: dict[Path, dict[str, None]] = defaultdict(dict)
        for arrow in self.scene.arrows:
            for path in reversed(around(self.boxes[arrow.target].path)):
                returns = self.above[arrow.source] & self.members[path]
                if not returns and not self._is_leaf(arrow.source):
                    found[path][arrow.source] = None
        return found

    def passed(self, arrow: Arrow) -> list[str]:
        """The shared parameters above an arrow's reader that data entering the module passes."""
        path = self.boxes[arrow.target].path
        if arrow.source not in self.entering.get(path, ()):
            return []
        shared = [key for key in self.sources[arrow.target] if self._is_leaf(key)]
        return [key for key in shared if key not in self.at_side and self.boxes[key].path == path]

    def rows(self) -> list[tuple[Path, list[str]]]:
        """Boxes that stand side by side, and the module that they stand in."""
        rows = [(self.boxes[key].path, [*row, key]) for key, row in self.beside.items()]
        for path in self.entering:
            first = self._tops(path)[0]
            rows += [(path, first)] if len(first) > 1 else []
        return rows

    def held(self) -> list[tuple[str, str]]:
        """Pairs of boxes, the second below the first, that no arrows or rows keep in order."""
        known = {(arrow.source, key) for arrow in self.scene.arrows for key in self.passed(arrow)}
        found: dict[tuple[str, str], None] = {}
        for path in self.entering:
            first, others = self._tops(path)
            read = {source for key in first for source in self.sources[key]}
            for data in self._lowest(path):
                below = others if data in read else [*first[:1], *others]
                found |= {(data, key): None for key in below}
        return [pair for pair in found if pair not in known]

    def _tops(self, path: Path) -> tuple[list[str], list[str]]:
        """What is topmost in a module: readers of the lowest data, and the others."""
        lowest, members = set(self._lowest(path)), self.members[path]
        tops = [key for key in self.inside[path] if self.above[key] & members == self.bits[key]]
        first = [key for key in tops if not lowest.isdisjoint(self.sources[key])]
        return first, [key for key in tops if key not in first]

    def _lowest(self, path: Path) -> list[str]:
        """The data that enters a module, except data above other such data."""
        above = (self.above[key] & ~self.bits[key] for key in self.entering[path])
        passed = reduce(or_, above, 0)
        return [key for key in self.entering[path] if not passed & self.bits[key]]


def _title(scene: Scene, path: Path) -> str:
    """A label that makes room for the title of a frame, also beside an arrow in the middle."""
    letters = "n" * max(1, ceil((2 * title_width(scene, path) + 8) / (0.6 * _TITLE_SIZE)))
    return (
        f'graph [label="{letters}" labeljust=l fontname=Courier '
        f"fontsize={_TITLE_SIZE} margin={MARGIN:g}]"
    )


def _within(path: Path, text: str, clusters: dict[Path, str]) -> str:
    """A statement inside the clusters around it; a cluster may be opened many times."""
    for each in reversed(around(path)):
        text = f"subgraph {clusters[each]} {{{text}}}"
    return text


def digraph_of(scene: Scene) -> Digraph:
    """The scene as a `graphviz.Digraph`, for further work with Graphviz itself.

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
    """Each use of a shared parameter in that parameter's colour; bundles with their number."""
    found = {}
    if arrow.sharing is not None:
        found = {"color": sharing_colour(arrow.sharing), "penwidth": "2"}
    label = f"use {arrow.use}" if arrow.use else f"× {arrow.count}" if arrow.count > 1 else ""
    return {**found, "label": label} if label else found


def _quoted(text: str) -> str:
    """A text that Graphviz shows as it is: no escapes, no entities, no HTML-like label."""
    from graphviz import escape, nohtml

    plain = "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)
    quoted: str = nohtml(escape(plain.replace("&", "&amp;")).replace("\n", r"\n"))
    return quoted
