"""The scene of a list: a box for each node, an arrow for each input that is read."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet import ops
from graphnet.draw.scene.building import scene_of
from graphnet.graph.roles import checked_loss, loss_of


def disk():
    model = gn.Sequential(gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 2))
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
        gn.LossMSE()(model(x), t)
    return graph


def test_boxes_and_arrows_follow_the_list():
    graph = disk()
    scene = scene_of(graph)
    assert [box.nodes for box in scene.boxes] == [(node,) for node in graph]
    assert [box.places for box in scene.boxes] == [(place,) for place in range(len(graph))]
    readings = [(s.index, n.index) for n in graph for s in n.inputs]
    assert [(int(a.source[1:]), int(a.target[1:])) for a in scene.arrows] == readings
    kinds = {box.kind for box in scene.boxes}
    assert kinds == {"input", "parameter", "operation", "loss"}
    assert scene.boxes[-1].kind == "loss"


def test_boxes_say_what_they_are():
    boxes = scene_of(disk()).by_key.values()
    weight = next(box for box in boxes if box.name == "weight" and box.path == ("0",))
    assert weight.lines == ["2 weight", "25×2", "50 parameters"]
    tanh = next(box for box in boxes if box.symbol == "tanh")
    assert tanh.path == ("1",)
    assert tanh.shape == "?×25"


def test_modules_have_titles_and_lie_in_each_other():
    class Block(gn.Module):
        def __init__(self):
            super().__init__()
            self.inner = gn.Linear(2, 2)

        def build(self, x):
            return self.inner(x).tanh()

    with gn.Graph() as graph:
        gn.Sequential(Block(), Block())(gn.Input((None, 2), name="x")).sum()
    scene = scene_of(graph)
    assert scene.paths == [("0",), ("0", "inner"), ("1",), ("1", "inner")]
    assert scene.titles[("1",)] == "1 Block"
    assert scene.titles[("0", "inner")] == "0.inner Linear"


def test_sharing_is_numbered():
    layer = gn.Linear(2, 2)
    with gn.Graph() as graph:
        gn.Sequential(layer, layer, layer)(gn.Input((None, 2), name="x")).sum()
    arrows = [arrow for arrow in scene_of(graph).arrows if arrow.sharing is not None]
    by_parameter = {}
    for arrow in arrows:
        by_parameter.setdefault((arrow.source, arrow.sharing), []).append(arrow.use)
    assert list(by_parameter.values()) == [[1, 2, 3], [1, 2, 3]]
    assert {sharing for _, sharing in by_parameter} == {0}  # both belong to one layer


def test_what_a_derivative_reads_is_not_a_use():
    graph = gn.Graph()
    x, w = graph.input((2, 3), name="x"), graph.parameter(torch.ones(3, 4), name="w")
    loss = (x @ w).tanh().sum()
    graph.gradients(loss, [x])
    scene = scene_of(graph)
    assert any(arrow.source == f"n{w.places[graph][0]}" for arrow in scene.arrows[3:])
    assert scene.shared == []
    assert all(arrow.sharing is None for arrow in scene.arrows)


def test_numbers_that_are_no_fractions_say_so():
    graph = gn.Graph()
    graph.input((None,), name="labels", dtype=torch.int64)
    assert scene_of(graph).boxes[0].shape == "? int64"


def test_a_title_says_nothing_twice():
    titles = scene_of(disk()).titles
    assert titles["lossmse",] == "LossMSE"
    assert titles["0",] == "0 Linear"


def test_derivatives_and_buffers_have_kinds_of_their_own():
    graph = gn.Graph()
    x = graph.input((3,), name="x", requires_grad=True)
    kept = graph.parameter(torch.ones(3), name="kept", requires_grad=False)
    loss = (x * x * kept).sum()
    graph.gradients(loss, [x])
    scene = scene_of(graph)
    kinds = [box.kind for box in scene.boxes]
    assert kinds.count("loss") == 1
    assert scene.boxes[loss.index].kind == "loss"
    assert "gradient" in kinds
    assert scene.boxes[kept.index].kind == "buffer"
    assert scene_of(graph, loss=loss.inputs[0]).boxes[loss.index].kind == "operation"


def test_an_empty_list_is_an_empty_scene():
    scene = scene_of(gn.Graph())
    assert (len(scene), scene.arrows, scene.paths) == (0, [], [])


def two_numbers():
    graph = gn.Graph()
    x = graph.input((None,), name="x")
    loss, metric = x.square().sum(), x.abs().mean()
    ops.size(x, 0)
    return graph, loss, metric


def test_the_loss_is_the_last_number_and_after_a_walk_what_was_walked_back_from():
    graph, loss, metric = two_numbers()
    assert loss_of(graph) is metric  # the size after it is not a floating-point number
    graph.forward(x=torch.ones(3))
    assert loss_of(graph) is metric
    graph.backward(loss)
    assert loss_of(graph) is loss
    graph.backward(graph["abs"], torch.ones(3))
    assert loss_of(graph) is metric  # not a single number


def test_a_loss_that_cannot_be_one_is_refused():
    graph, loss, metric = two_numbers()
    for fine in (None, loss, metric):
        checked_loss(graph, fine)
    stranger = two_numbers()[1]
    for wrong, words in [
        ("sum", "got 'sum'"),
        (3, "got 3"),
        (stranger, "is not a node of <Graph"),
        (graph["square"], r"got .*'square' \(\?,\)> of float32"),
        (graph[-1], r"got .* of int64"),
    ]:
        with pytest.raises(gn.GraphError, match=words):
            checked_loss(graph, wrong)
