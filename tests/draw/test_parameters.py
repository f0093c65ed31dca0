"""Pictures without parameters."""

from __future__ import annotations

import graphnet as gn
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import folded
from graphnet.draw.scene.parameters import without_parameters


def test_what_reads_parameters_counts_them():
    model = gn.Sequential(gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 2))
    drawing = model.draw((None, 2), parameters=False, engine="ranker")
    assert [(box.kind, box.full_name, box.note) for box in drawing.scene.boxes] == [
        ("input", "x", ""),
        ("operation", "0.linear", "75 parameters"),
        ("operation", "1.tanh", ""),
        ("operation", "2.linear", "52 parameters"),
    ]
    assert drawing.layout.frames == {}
    assert len(drawing.scene.arrows) == 3


def test_shared_parameters_are_counted_once_and_lettered_everywhere():
    layer = gn.Linear(3, 3)
    with gn.Graph() as graph:
        layer(layer(gn.Input((None, 3), name="x")).tanh())
    boxes = [box for box in without_parameters(scene_of(graph)).boxes if "linear" in box.name]
    assert [box.note for box in boxes] == ["12 parameters", ""]
    assert boxes[0].sharing == boxes[1].sharing != ()


def test_buffers_are_left_out_and_not_counted():
    graph = gn.Graph()
    x = graph.input((None, 4, 2, 2), name="x")
    gn.Sequential(gn.BatchNorm2d(4))(x)
    scene = without_parameters(folded(scene_of(graph), every_node=True))
    assert not {"parameter", "buffer"} & {box.kind for box in scene.boxes}
    assert sum(int(box.note.split()[0]) for box in scene.boxes if box.note) == 8
