"""The views of a page: the drawing itself, and for each folded box what is inside of it.

Each is laid out by itself beforehand. What an opened box reads from outside, and what is read of
it, stands in its view as small boxes, the ports: the arrows outside end there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from graphnet.console_text import printable
from graphnet.draw.layout.engines import laid_out
from graphnet.draw.scene.fold import folded
from graphnet.draw.scene.scene import Arrow, Box, Scene, common_path
from graphnet.draw.svg.paint import Look, painted

if TYPE_CHECKING:
    from graphnet.draw.layout.geometry import Layout
    from graphnet.graph import Node


MOST_BOXES = 4000
"""The boxes of a page, about: of what is larger, the outer modules can be opened."""


@dataclass
class View:
    """One laid-out picture.

    Attributes:
        scene: its boxes and arrows.
        layout: where they are.
        boxes: those that stand for nodes, with all modules around them.
        svg: the picture, without legend.
        title: what stands above it; empty for the drawing itself.
        children: the number of the view inside each box that can be opened, by the box's key.
        entrances: for each arrow of the view around that ends here, the key of its port.
        exits: for each arrow of the view around that starts here, the key of its port.
    """

    scene: Scene
    layout: Layout
    boxes: list[Box]
    svg: str
    title: str = ""
    children: dict[str, int] = field(default_factory=dict)
    entrances: dict[int, str] = field(default_factory=dict)
    exits: dict[int, str] = field(default_factory=dict)


def views_of(
    scene: Scene, layout: Layout, look: Look, whole: Scene, engine: str | None = None
) -> list[View]:
    """All views, the drawing first, each before those inside it.

    Args:
        scene: the drawing's boxes and arrows.
        layout: where they are.
        look: what is painted on top of them.
        whole: the same list with nothing folded.
        engine: what lays out the others.
    """
    scene = replace(scene, notes=[], shared=[])
    look = replace(look, legend=False, uid="v0")
    views = [View(scene, layout, scene.boxes, painted(scene, layout, look))]
    count = len(scene)
    for view in views:  # which grows meanwhile
        for box in view.boxes:
            if len(box.nodes) > 1 and count < MOST_BOXES:
                inner = _inside(box, whole)
                if len(inner) > 1:
                    view.children[box.key] = len(views)
                    views.append(_view(len(views), box, inner, view.scene, whole, engine))
                    count += len(inner)
    return views


def _inside(box: Box, whole: Scene) -> Scene:
    """What is inside a box, folded as little as shows more than one box."""
    places = set(box.places)
    boxes = [each for each in whole.boxes if places.issuperset(each.places)]
    keys = {each.key for each in boxes}
    arrows = [each for each in whole.arrows if keys.issuperset((each.source, each.target))]
    scene = replace(whole, boxes=boxes, arrows=arrows, notes=[], shared=[])
    deepest = max((len(each.path) for each in boxes), default=0)
    for depth in range(len(box.path), deepest):
        inner = folded(scene, depth)
        if len(inner) > 1:
            return inner
    inner = folded(scene)
    return inner if len(inner) > 1 else scene


def _view(
    number: int, box: Box, inner: Scene, outer: Scene, whole: Scene, engine: str | None
) -> View:
    """The view inside a box, with its ports."""
    path = common_path(each.path for each in inner.boxes)
    titles = {key[len(path) :]: text for key, text in inner.titles.items()}
    boxes = [replace(each, path=each.path[len(path) :]) for each in inner.boxes]
    scene = replace(inner, boxes=boxes, titles=titles, notes=[], shared=[])
    ports = _Ports(box, scene, outer, whole)
    scene = replace(
        scene, boxes=[*ports.before, *boxes, *ports.after], arrows=[*scene.arrows, *ports.arrows]
    )
    layout = laid_out(scene, engine)
    svg = painted(scene, layout, Look(legend=False, uid=f"v{number}"))
    title = printable(" · ".join(dict.fromkeys(filter(None, (box.full_name, box.symbol)))))
    return View(
        scene, layout, inner.boxes, svg, title, entrances=ports.entrances, exits=ports.exits
    )


class _Ports:
    """The small boxes where the arrows of the view around end and start."""

    def __init__(self, box: Box, scene: Scene, outer: Scene, whole: Scene) -> None:
        self.before: list[Box] = []
        self.after: list[Box] = []
        self.arrows: list[Arrow] = []
        self.entrances: dict[int, str] = {}
        self.exits: dict[int, str] = {}
        self._owner = {node: each.key for each in scene.boxes for node in each.nodes}
        self._reads = _reads(whole)
        outside = outer.by_key
        for number, arrow in enumerate(outer.arrows):
            if arrow.target == box.key:
                self._enter(number, arrow, outside[arrow.source])
            elif arrow.source == box.key:
                self._leave(number, arrow, outside[arrow.target])

    def _enter(self, number: int, arrow: Arrow, source: Box) -> None:
        readers = [
            self._owner[reader] for read, reader in self._between(source.nodes) if read is not None
        ]
        if not readers:
            return
        key = f"i{number}"
        self.before.append(Box(key, "input", source.lines[0]))
        self.entrances[number] = key
        new = [replace(arrow, source=key, target=each, count=1) for each in dict.fromkeys(readers)]
        self.arrows += new

    def _leave(self, number: int, arrow: Arrow, target: Box) -> None:
        sources = list(
            dict.fromkeys(
                self._owner[read]
                for reader in target.nodes
                for read in self._reads.get(reader, ())
                if read in self._owner
            )
        )
        known = {tuple(arrow.source for arrow in self.arrows if arrow.target == key): key
                 for key in (box.key for box in self.after)}  # fmt: skip
        if not sources:
            return
        if tuple(sources) in known:
            self.exits[number] = known[tuple(sources)]
            return
        key = f"o{number}"
        self.after.append(Box(key, "input", "output"))
        self.exits[number] = key
        self.arrows += [replace(arrow, source=each, target=key, count=1) for each in sources]

    def _between(self, nodes: Sequence[Node]) -> Iterator[tuple[Node, Node]]:
        """What is read of these nodes from inside, with its readers."""
        outside = set(nodes)
        for reader in self._owner:
            for read in self._reads.get(reader, ()):
                if read in outside:
                    yield read, reader


def _reads(whole: Scene) -> dict[Node, list[Node]]:
    """What each node reads, as the scene of the whole list has it."""
    node_of = {box.key: box.nodes[0] for box in whole.boxes}
    found: dict[Node, list[Node]] = {}
    for arrow in whole.arrows:
        found.setdefault(node_of[arrow.target], []).append(node_of[arrow.source])
    return found
