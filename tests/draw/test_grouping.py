"""Parts: each use of a module, with the parameters that it is the first to read."""

from __future__ import annotations

import graphnet as gn
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import folded
from graphnet.draw.scene.grouping import joined, modules_of
from graphnet.draw.scene.scene import Arrow, Box, Scene


class Again(gn.Module):
    """One layer on its own output."""

    def __init__(self):
        super().__init__()
        self.layer = gn.Linear(3, 3)

    def build(self, x):
        return self.layer(self.layer(x))


def single(module):
    graph = gn.Graph()
    module(graph.input((None, 3), name="x"))
    return graph


def test_each_call_of_a_module_on_its_own_output_is_a_box():
    result = folded(scene_of(single(Again())), depth=0)
    assert [(box.name, len(box.places)) for box in result.boxes] == [
        ("x", 1),
        ("layer", 3),
        ("layer", 1),
    ]


def test_a_use_of_one_node_is_a_box_like_the_first_use():
    layer = gn.Linear(3, 3)
    graph = gn.Graph()
    x = graph.input((3,), name="x")
    gn.Sequential(layer, gn.Tanh(), layer)(x)
    boxes = [box for box in folded(scene_of(graph), depth=0).boxes if box.sharing]
    assert [(box.kind, box.name, len(box.places)) for box in boxes] == [
        ("layer", "0", 3),
        ("layer", "0", 1),
    ]


def test_a_parameter_that_others_read_first_stays_outside():
    def box(place, kind, *path):
        return Box(f"n{place}", kind, f"name{place}", path=path, places=(place,))

    boxes = [
        box(0, "parameter", "late"),
        box(1, "operation"),
        box(2, "operation", "late"),
        box(3, "operation", "late"),
    ]
    ways = [("n0", "n1"), ("n1", "n2"), ("n0", "n3"), ("n2", "n3")]
    result = folded(Scene(boxes, [Arrow(*way) for way in ways]), depth=0)
    assert [box.name for box in result.boxes] == ["late.name0", "name1", "late"]


def test_any_neighbours_are_joined_evenly():
    boxes = [Box(f"n{place}", "operation", "tanh", places=(place,)) for place in range(10)]
    groups = joined(modules_of(Scene(boxes), 0, gradients=True), 4)
    assert [len(group.boxes) for group in groups] == [2, 3, 2, 3]
    assert [group.last for group in groups] == [1, 4, 6, 9]
    assert joined([], 4) == []
