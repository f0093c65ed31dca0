"""Scenes to lay out, and what every layout must keep to."""

from __future__ import annotations

from itertools import combinations, pairwise

import torch

import graphnet as gn
from graphnet.draw.layout.geometry import TITLE_SPACE, on_border, size_of
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import folded
from graphnet.draw.scene.scene import Arrow, Box, Scene


def shared_weight():
    """A list in which one weight is used for two inputs."""
    generator = torch.Generator().manual_seed(0)
    graph = gn.Graph()
    a, b = graph.input((None, 4), name="a"), graph.input((None, 4), name="b")
    w = graph.parameter(torch.randn(4, 3, generator=generator), name="w")
    ((a @ w - b @ w) ** 2).mean()
    return graph


RAILS_OF_SHARED_WEIGHT = ["○", "│ ○", "│ │ □", "●─│─┤", "│ ●─╯", "●─╯", "●", "◎"]
"""How the list of `shared_weight` is drawn beside its lines."""


def network():
    """The network of test.py with its loss: 22 nodes."""
    sizes = [2, 25, 25, 25, 2]
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers += [gn.Linear(inputs, outputs), gn.Tanh()]
    model = gn.Sequential(*layers)
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
        gn.LossMSE()(model(x), t)
    return folded(scene_of(graph))


def siamese():
    """One branch for two inputs."""
    branch = gn.Sequential(gn.Linear(4, 3), gn.Tanh(), gn.Linear(3, 2))
    with gn.Graph() as graph:
        one, other = gn.Input((None, 4), name="one"), gn.Input((None, 4), name="other")
        ((branch(one) - branch(other)) ** 2).sum()
    return folded(scene_of(graph))


def gradients():
    """A small net with its backward half."""
    model = gn.Sequential(gn.Linear(2, 3), gn.Tanh(), gn.Linear(3, 1))
    with gn.Graph() as graph:
        loss = model(gn.Input((None, 2), name="x")).sum()
        graph.gradients(loss, graph.parameters())
    return scene_of(graph)


def nested():
    """Blocks in blocks, each with a way around it, and a long title."""

    class Block(gn.Module):
        def __init__(self):
            super().__init__()
            self.an_inner_layer_with_a_long_name = gn.Linear(2, 2)

        def build(self, x):
            return x + self.an_inner_layer_with_a_long_name(x).tanh()

    with gn.Graph() as graph:
        gn.Sequential(gn.Sequential(Block(), Block()), Block())(gn.Input((None, 2), name="x")).sum()
    return scene_of(graph)


def circle():
    """Two modules that read each other in turn."""
    boxes = [Box(f"n{place}", "operation", "relu", path=("ab"[place % 2],)) for place in range(8)]
    return Scene(boxes, [Arrow(f"n{place}", f"n{place + 1}") for place in range(7)])


def chain(number, skip=0):
    """Operations in a row; with `skip` each of them is also read so many places later."""
    boxes = [Box(f"n{place}", "operation", "relu", places=(place,)) for place in range(number)]
    arrows = [Arrow(f"n{place}", f"n{place + 1}") for place in range(number - 1)]
    if skip:
        arrows += [Arrow(f"n{at}", f"n{at + skip}") for at in range(0, number - skip, skip)]
    return Scene(boxes, arrows)


def hostile():
    """Names that try to break out of texts."""
    names = [
        '"]; x -> y [label="',
        "<b>&amp;</b>",
        "<script>alert(1)</script>",
        "a\nb\\n\\l",
        "\0\ud800",
    ]
    boxes = [Box(name, "operation", name, note=name, path=(name,)) for name in names]
    arrows = [Arrow(one, other) for one, other in pairwise(names)]
    return Scene(boxes, arrows, titles={(name,): name for name in names})


def modules():
    """Modules as boxes, with bundles of arrows."""
    boxes = [
        Box("x", "input", "x"),
        Box("m", "module", "encoder", note="× 24"),
        Box("p", "buffer", "b"),
    ]
    return Scene(boxes, [Arrow("x", "m", count=3), Arrow("p", "m"), Arrow("x", "m", 0, 1)])


SCENES = {
    "empty": Scene,
    "single": lambda: Scene([Box("n0", "input", "x", path=("a", "b"))]),
    "network": network,
    "siamese": siamese,
    "gradients": gradients,
    "nested": nested,
    "circle": circle,
    "chain": lambda: chain(40, 7),
    "hostile": hostile,
    "folded": modules,
}


def rectangles(scene, layout):
    """Left, top, width and height of each box."""
    found = []
    for box in scene.boxes:
        (x, y), (width, height) = layout.places[box.key], size_of(box)
        found.append((x - width / 2, y - height / 2, width, height))
    return found


def overlapping(one, other, room=0.5):
    return all(
        one[axis] + one[axis + 2] > other[axis] + room
        and other[axis] + other[axis + 2] > one[axis] + room
        for axis in (0, 1)
    )


def inside(inner, outer, room=0.5):
    return all(
        inner[axis] >= outer[axis] - room
        and inner[axis] + inner[axis + 2] <= outer[axis] + outer[axis + 2] + room
        for axis in (0, 1)
    )


def sound(scene, layout):
    """Check what holds for every engine."""
    whole = (0, 0, layout.width, layout.height)
    boxes = rectangles(scene, layout)
    assert list(layout.places) == [box.key for box in scene.boxes]
    assert all(inside(rectangle, whole) for rectangle in boxes)
    assert not [pair for pair in combinations(boxes, 2) if overlapping(*pair)]
    assert list(layout.frames) == scene.paths
    for path, (x, y, width, height) in layout.frames.items():
        assert inside((x, y, width, height), whole)
        free = (x, y + TITLE_SPACE, width, height - TITLE_SPACE)
        for box, rectangle in zip(scene.boxes, boxes, strict=True):
            if box.path[: len(path)] == path:
                assert inside(rectangle, free)
    assert len(layout.curves) == len(scene.arrows)
    for arrow, curve in zip(scene.arrows, layout.curves, strict=True):
        assert len(curve) >= 4
        assert len(curve) % 3 == 1
        _touches(scene, layout, arrow.source, curve[0])
        _touches(scene, layout, arrow.target, curve[-1])
        for x, y in _samples(curve):
            assert inside((x, y, 0, 0), whole)


def _touches(scene, layout, key, point):
    nearest = on_border(point, layout.places[key], size_of(scene.by_key[key]))
    assert max(abs(a - b) for a, b in zip(point, nearest, strict=True)) < 0.02


def crossings(scene, layout):
    """Arrows with the boxes that they run through."""
    boxes = dict(zip([box.key for box in scene.boxes], rectangles(scene, layout), strict=True))
    found = []
    for arrow, curve in zip(scene.arrows, layout.curves, strict=True):
        others = {key: at for key, at in boxes.items() if key not in (arrow.source, arrow.target)}
        for x, y in _samples(curve):
            found += [
                (arrow.source, arrow.target, key)
                for key, at in others.items()
                if overlapping((x, y, 0, 0), at, room=1.0)
            ]
    return sorted(set(found))


def _samples(curve):
    """Points along a curve."""
    pieces = [curve[start : start + 4] for start in range(0, len(curve) - 1, 3)]
    return [_bezier(piece, step / 10) for piece in pieces for step in range(11)]


def _bezier(points, t):
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    return tuple(
        sum(weight * point[axis] for weight, point in zip(weights, points, strict=True))
        for axis in (0, 1)
    )
