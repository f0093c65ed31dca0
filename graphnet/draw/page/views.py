"""The views of a page: the drawing itself, and for each folded box what is inside of it.

Each is laid out by itself beforehand. What an opened box reads from outside, and what is read of
it, stands in its view as small boxes, the ports: the arrows outside end there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from graphnet.console_text import printable
from graphnet.draw.layout.engines import laid_out
from graphnet.draw.page.copies import Copy, one_copy
from graphnet.draw.page.ports import Ports, reads_of
from graphnet.draw.scene.fold import folded
from graphnet.draw.scene.scene import Box, Scene, common_path
from graphnet.draw.svg.paint import painted

if TYPE_CHECKING:
    from graphnet.draw.drawing import Drawing, Source
    from graphnet.draw.layout.geometry import Layout
    from graphnet.draw.scene.scene import Arrow
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
        beyond: the nodes outside that each port stands for.
        copied: the boxes whose view shows one of several copies.
    """

    scene: Scene
    layout: Layout
    boxes: list[Box]
    svg: str
    title: str = ""
    children: dict[str, int] = field(default_factory=dict)
    entrances: dict[int, str] = field(default_factory=dict)
    exits: dict[int, str] = field(default_factory=dict)
    beyond: dict[str, Sequence[Node]] = field(default_factory=dict)
    copied: set[str] = field(default_factory=set)


def views_of(drawing: Drawing, source: Source) -> list[View]:
    """All views, the drawing first, each before those inside it.

    Args:
        drawing: the picture that they begin with.
        source: the list that it is a picture of.
    """
    scene = replace(drawing.scene, notes=[], shared=[])
    look = replace(drawing.look, legend=False, uid="", theme="auto", screen=None)
    views = [View(scene, drawing.layout, scene.boxes, painted(scene, drawing.layout, look))]
    reads = reads_of(source.whole)
    count = len(scene)
    for view in views:  # which grows meanwhile
        for box in view.boxes:
            if len(box.nodes) > 1 and count < MOST_BOXES:
                copy = one_copy(box, _part(box, source.whole))
                inner = _opened(copy.scene, len(box.path))
                if len(inner) > 1:
                    view.children[box.key] = len(views)
                    view.copied |= {box.key} if copy.times > 1 else set()
                    views.append(_view(box, inner, copy, view, reads, source))
                    count += len(inner)
    return views


def _title(box: Box, copies: int) -> str:
    """What stands above the view of a box."""
    one = f"one of {copies}" if copies > 1 else ""
    texts = filter(None, (box.full_name, box.symbol, one))
    return printable(" · ".join(dict.fromkeys(texts)))


def _part(box: Box, whole: Scene) -> Scene:
    """The scene of the nodes in a box."""
    places = set(box.places)
    boxes = [each for each in whole.boxes if places.issuperset(each.places)]
    keys = {each.key for each in boxes}
    arrows = [each for each in whole.arrows if keys.issuperset((each.source, each.target))]
    return replace(whole, boxes=boxes, arrows=arrows, notes=[], shared=[])


def _opened(scene: Scene, depth: int) -> Scene:
    """A scene folded as little as shows more than one box; nothing if all of them are alike."""
    if len({(box.kind, box.symbol) for box in scene.boxes}) == 1:
        return Scene()
    deepest = max((len(each.path) for each in scene.boxes), default=0)
    for level in range(depth, deepest):
        inner = folded(scene, level)
        if len(inner) > 1:
            return inner
    inner = folded(scene)
    return inner if len(inner) > 1 else scene


def _view(
    box: Box,
    inner: Scene,
    copy: Copy,
    outer: View,
    reads: Mapping[Node, Sequence[tuple[Box, Arrow]]],
    source: Source,
) -> View:
    """The view inside a box, with its ports; the modules around all of it have no frame there."""
    path = common_path(each.path for each in inner.boxes)
    titles = {key[len(path) :]: text for key, text in inner.titles.items()}
    boxes = [replace(each, path=each.path[len(path) :]) for each in inner.boxes]
    ports = Ports(box, boxes, copy.twins, outer.scene, outer.beyond, reads)
    scene = replace(
        inner,
        boxes=[*ports.before, *boxes, *ports.after],
        arrows=[*inner.arrows, *ports.arrows],
        titles=titles,
        notes=[],
        shared=[],
    )
    scene, look = source.dress(scene)
    layout = laid_out(scene, source.engine, 1, source.direction)
    return View(
        scene,
        layout,
        boxes=inner.boxes,
        svg=painted(scene, layout, replace(look, legend=False)),
        title=_title(box, copy.times),
        entrances=ports.entrances,
        exits=ports.exits,
        beyond=ports.beyond,
    )
