"""Layers: one box for each call of one."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from draw.example_modules import Block

import graphnet as gn
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import folded
from graphnet.draw.scene.layers import is_layer
from graphnet.experiments.models import MODELS


class Inheriting(gn.Linear):
    """A user's class with the library's `build`."""


class Own(gn.Module):
    """A module of a user that is no layer of the library."""

    def build(self, x):
        return x * 2


class Nowhere(gn.Module):
    """A class whose `build` is from no module, as after `exec`, or is no function."""

    build = partial(lambda self, x: x)


LAYERS = [
    (Nowhere(), False),
    (gn.Linear(2, 3), True),
    (gn.Conv2d(1, 2, 3), True),
    (gn.MultiheadAttention(4, 2), True),
    (gn.LSTM(2, 3), True),
    (gn.LossMSE(), True),
    (gn.ReLU(), True),
    (Inheriting(2, 3), True),
    (Own(), False),
    (Block(3), False),
    (gn.Sequential(gn.Linear(2, 3)), False),
    (gn.Residual(gn.ReLU()), False),
    (gn.ModuleList([gn.ReLU()]), False),
    (None, False),
]


@pytest.mark.parametrize(("module", "expected"), LAYERS)
def test_a_layer_is_a_module_of_the_library_that_holds_no_others(module, expected):
    assert is_layer(module) == expected


def boxes_of(graph, **options):
    return folded(scene_of(graph), **options).boxes


def lines_of(graph, **options):
    return [box.lines for box in boxes_of(graph, **options)]


def classifier(*layers, shape=(None, 3, 8, 8)):
    with gn.Graph() as graph:
        gn.Sequential(*layers)(gn.Input(shape, name="x")).sum()
    return graph


def test_a_layer_is_one_box_with_all_that_is_known_about_it():
    graph = classifier(gn.Conv2d(3, 4, 3, padding=1), gn.BatchNorm2d(4), gn.ReLU(), gn.Dropout(0.5))
    assert lines_of(graph)[1:5] == [
        ["0 Conv2d", "3×3, padding 1", "?×4×8×8 · 112 parameters"],
        ["1 BatchNorm2d", "?×4×8×8 · 8 parameters"],
        ["2 ReLU", "?×4×8×8"],
        ["3 Dropout", "p = 0.5", "?×4×8×8"],
    ]


def test_adaptive_pooling_says_its_name():
    graph = classifier(gn.BatchNorm2d(3), gn.AdaptiveAvgPool2d(1))
    assert ["1 AdaptiveAvgPool2d", "to 1×1", "?×3×1×1"] in lines_of(graph)
    symbols = [box.symbol for box in scene_of(graph).boxes]
    assert "adaptive avg pool" in symbols


def test_a_call_of_attention_is_one_box_and_shares_nothing():
    with gn.Graph() as graph:
        x = gn.Input((None, 5, 8), name="x")
        attention = gn.MultiheadAttention(8, 2, batch_first=True)
        gn.Sequential(gn.LayerNorm(8))(attention(x, x, x)[0])
    scene = folded(scene_of(graph), depth=0)
    assert scene.shared == []


def test_attention_inside_a_module_is_one_box():
    scene = folded(scene_of(MODELS["transformer"]()))
    found = [box for box in scene.boxes if box.symbol == "MultiheadAttention"]
    assert [box.lines for box in found] == [
        ["attention MultiheadAttention", "4 heads", "?×32×64 · 16,640 parameters"]
    ]
    assert scene.shared == []
    (into,) = [arrow for arrow in scene.arrows if arrow.target == found[0].key]
    assert into.count == 1  # query, key and value are one value


def test_two_calls_of_a_layer_are_two_boxes_that_share():
    layer = gn.LayerNorm(3)
    graph = classifier(layer, gn.Tanh(), layer, shape=(None, 3))
    boxes = [box for box in boxes_of(graph, depth=0) if box.symbol == "LayerNorm"]
    assert [box.sharing for box in boxes] == [(0,), (0,)]
    assert folded(scene_of(graph), depth=0).shared == [
        "0 is shared: its 2 parameter tensors are used 2 times"
    ]


def test_three_layers_of_a_list_are_three_boxes():
    class Listed(gn.Module):
        def __init__(self):
            super().__init__()
            self.layers = gn.ModuleList([gn.Linear(3, 3) for _ in range(3)])

        def build(self, x):
            for layer in self.layers:
                x = layer(x).tanh()
            return x

    with gn.Graph() as graph:
        Listed()(gn.Input((None, 3), name="x"))
    for scene in (folded(scene_of(graph)), folded(scene_of(graph), every_node=True)):
        assert scene.shared == []
    frames = folded(scene_of(graph), depth=9).titles
    assert frames["layers.0 … 2",] == "layers.0 … 2 Linear, tanh × 3"


def test_opened_modules_show_what_is_inside():
    graph = MODELS["ResNet-18"]()
    names = {box.full_name for box in graph.draw(open=["layer1.0"], engine="ranker").scene.boxes}
    assert {"layer1.0.conv1", "layer1.0.bn1", "layer1.1"} <= names
    graph = MODELS["LSTM classifier"]()
    inside = graph.draw(open=["embedding"], engine="ranker").scene.boxes
    assert {"embedding.weight", "embedding.embedding"} <= {box.full_name for box in inside}
    assert "lstm" in {box.full_name for box in inside}


@pytest.mark.parametrize("names", [["layer9"], [""], "layer1", [1], ["layer1.0.conv1.weight"]])
def test_only_modules_of_the_list_are_opened(names):
    graph = classifier(gn.Linear(3, 3), shape=(None, 3))
    with pytest.raises(gn.GraphError, match="open "):
        graph.draw(open=names)


def test_every_node_is_one_argument_away():
    graph = MODELS["LeNet"]()
    assert len(graph.draw(engine="ranker").scene) < 16
    assert len(graph.draw(every_node=True, engine="ranker").scene) == len(graph)


def test_a_small_network_is_drawn_node_by_node():
    model = gn.Sequential(gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 2))
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
        gn.LossMSE()(model(x), t)
    assert len(graph.draw(engine="ranker").scene) == len(graph)


def test_a_list_without_modules_is_drawn_node_by_node():
    graph = gn.Graph()
    x = graph.input((3,), name="x")
    for _ in range(50):
        x = x.tanh()
    assert len(graph.draw(engine="ranker").scene) == len(graph)


def test_a_frame_holds_more_than_one_box():
    for name in ("LeNet", "U-Net", "VAE"):
        scene = folded(scene_of(MODELS[name]()))
        for path in scene.paths:
            assert sum(box.path[: len(path)] == path for box in scene.boxes) > 1


def test_shapes_tell_a_scalar_from_one_number_in_a_row():
    graph = gn.Graph()
    graph.input((), name="a"), graph.input((1,), name="b")
    graph.input((), name="c", dtype=torch.int64), graph.input((None, 2), name="d")
    shapes = [box.shape for box in scene_of(graph).boxes]
    assert shapes == ["scalar", "1", "scalar int64", "?×2"]


class Attending(gn.Module):
    """Reads one of what an attention returns, the values or the weights."""

    def __init__(self, reads):
        super().__init__()
        self.reads = reads
        self.attention = gn.MultiheadAttention(8, 2)

    def build(self, x):
        values, weights = self.attention(x, x, x)
        return values + x if self.reads == "values" else weights.exp()


@pytest.mark.parametrize(("reads", "shape"), [("values", "5×3×8"), ("weights", "3×5×5")])
def test_the_shape_of_a_layer_is_that_of_what_is_read(reads, shape):
    drawing = Attending(reads).draw((5, 3, 8), depth=1, engine="ranker")
    (box,) = [box for box in drawing.scene.boxes if box.name == "attention"]
    assert box.shape == shape
    assert box.lines[-1].startswith(shape)
