"""Folding: modules, repetitions and any neighbours as one box."""

from __future__ import annotations

import random

import pytest
import torch
from draw.example_modules import Block, SharedBranch, Steps
from timing import assert_takes_less

import graphnet as gn
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import bare, folded


class Tied(gn.Module):
    """The first module's weight is read again at the end, the second's also before it."""

    def __init__(self):
        super().__init__()
        self.early, self.late = Block(3), Block(3)

    def build(self, x):
        x = x @ self.late.first.weight
        x = self.late(self.early(x))
        return (x @ self.early.first.weight).sum()


def blocks(count=24):
    graph = gn.Graph()
    x, t = graph.input((None, 2), name="x"), graph.input((None, 2), name="t")
    inner = [Block(8) for _ in range(count)]
    y = gn.Sequential(gn.Linear(2, 8), *inner, gn.Linear(8, 2))(x)
    gn.LossMSE()(y, t)
    return graph


def with_gradients():
    graph = blocks(4)
    graph.gradients(graph["lossmse.mean"], graph.parameters())
    return graph


def shared_weight():
    graph = gn.Graph()
    SharedBranch()(graph.input((None, 4), name="a"), graph.input((None, 4), name="b"))
    return graph


def single(module):
    graph = gn.Graph()
    module(graph.input((None, 3), name="x"))
    return graph


def chain(count):
    graph = gn.Graph()
    x = graph.input((3,), name="x")
    for _ in range(count):
        x = x.tanh()
    return graph


def layers(count):
    graph = gn.Graph()
    x = graph.input((3, 3), name="x")
    for _ in range(count):
        w, b = graph.parameter(torch.zeros(3, 3)), graph.parameter(torch.zeros(3))
        x = (x @ w + b).relu()
    return graph


def tangle(count, window=5):
    dice = random.Random(1)
    graph = gn.Graph()
    nodes = [graph.input((2,), name="x")]
    for _ in range(count):
        operation = dice.choice(["tanh", "relu", "exp", "abs", "sin", "cos"])
        one, other = dice.choice(nodes[-window:]), dice.choice(nodes)
        nodes.append(
            one * other if window > 5 and dice.random() < 0.5 else getattr(one, operation)()
        )
    return graph


GRAPHS = {
    "blocks": blocks,
    "gradients": with_gradients,
    "shared_weight": shared_weight,
    "steps": lambda: single(Steps()),
    "tied": lambda: single(Tied()),
    "chain": lambda: chain(300),
    "layers": lambda: layers(100),
    "tangle": lambda: tangle(300),
}


def stands_for_many(box):
    return box.folded or len(box.places) > 1


@pytest.mark.parametrize("options", [{}, {"limit": 4}, {"limit": 1}, {"depth": 0}, {"depth": 1}])
@pytest.mark.parametrize("name", GRAPHS)
def test_every_node_is_in_one_box_and_every_arrow_goes_down(name, options):
    scene = scene_of(GRAPHS[name]())
    result = folded(scene, **options)
    places = sorted(place for box in result.boxes for place in box.places)
    assert places == list(range(len(scene)))
    order = {box.key: place for place, box in enumerate(result.boxes)}
    assert len(order) == len(result)
    assert all(order[arrow.source] < order[arrow.target] for arrow in result.arrows)
    home = {place: box for box in result.boxes for place in box.places}
    drawn = {(arrow.source, arrow.target) for arrow in result.arrows}
    between, inside = set(), 0
    for arrow in scene.arrows:
        source, target = home[int(arrow.source[1:])], home[int(arrow.target[1:])]
        if arrow.sharing is not None and stands_for_many(source) and stands_for_many(target):
            assert arrow.sharing in source.sharing and arrow.sharing in target.sharing
        elif any("…" in each for each in set(source.path) & set(target.path)):
            inside += source is not target  # drawn once for all copies, or from copy to copy
        else:
            if "…" in source.full_name:  # the values of all copies are one
                inside += source is not target
            elif source is not target:  # a value that is read twice in a box is one value
                between.add((arrow.source, target.key))
            assert source is target or (source.key, target.key) in drawn
    counts = sum(arrow.count for arrow in result.arrows)
    assert len(between) <= counts <= len(between) + inside
    assert result.shared == scene.shared
    if "depth" not in options:
        assert len(result) <= options.get("limit", 60)


def test_the_same_list_gives_the_same_scene():
    first, second = folded(scene_of(blocks())), folded(scene_of(blocks()))
    assert [box.lines for box in first.boxes] == [box.lines for box in second.boxes]
    assert first.arrows == second.arrows


def test_a_small_scene_stays_itself():
    scene = scene_of(blocks(2))
    assert folded(scene) == bare(scene)
    assert [box.places for box in folded(scene).boxes] == [box.places for box in scene.boxes]


def test_repeated_modules_are_one_box():
    result = folded(scene_of(blocks()), depth=0)
    texts = [(box.kind, box.name, box.symbol, box.note) for box in result.boxes]
    assert texts == [
        ("input", "x", "", ""),
        ("input", "t", "", ""),
        ("layer", "0", "Linear", "24 parameters"),
        ("module", "1 … 24", "Block", "× 24, 3,456 parameters"),
        ("layer", "25", "Linear", "18 parameters"),
        ("loss", "lossmse", "LossMSE", ""),
    ]
    assert result.notes == [
        "202 nodes in 6 boxes; a larger depth shows more of what is inside.",
    ]


def test_a_picture_that_fits_is_not_rolled():
    scene = scene_of(chain(50))
    assert folded(scene) == scene


def test_depth_folds_only_what_lies_deeper():
    result = folded(scene_of(blocks(2)), depth=1)
    names = [".".join((*box.path, box.name)) for box in result.boxes if box.path[:1] == ("1",)]
    assert names == ["1.first", "1.tanh", "1.second", "1.add"]
    assert result.titles[("1",)] == "1 Block"


def test_derivatives_fold_first():
    result = folded(scene_of(with_gradients()), limit=60)
    gradients = [box for box in result.boxes if box.kind == "gradient"]
    assert [box.name for box in gradients] == ["gradients"]
    assert any(box.path == ("1 … 4",) for box in result.boxes)  # the modules are still open


def test_the_second_use_of_a_module_is_a_box_of_its_own():
    result = folded(scene_of(shared_weight()), depth=0)
    branches = [box for box in result.boxes if box.name == "branch"]
    assert [box.note for box in branches] == ["use 1, 67 parameters", "use 2, 3 nodes"]
    assert [box.sharing for box in branches] == [(0,), (0,)]  # one letter, no arrow between them
    assert all(arrow.sharing is None for arrow in result.arrows)


@pytest.mark.parametrize(
    ("graph", "boxes", "note"),
    [
        (lambda: chain(100), 2, "× 100, 100 nodes"),
        (lambda: layers(50), 2, "× 50, 600 parameters"),
        (lambda: tangle(100), 60, "2 nodes"),
    ],
)
def test_lists_without_modules_are_rolled_or_joined(graph, boxes, note):
    result = folded(scene_of(graph()))
    assert len(result) == boxes
    assert result.boxes[-1].note == note


def test_where_all_reads_all_more_is_joined():
    result = folded(scene_of(tangle(600, window=600)))
    assert 10 < len(result) < 60
    assert 60 < len(result.arrows) <= 240


@pytest.mark.parametrize("make", [lambda: chain(10_000), lambda: tangle(10_000)])
def test_a_long_list_is_folded_in_little_time(make):
    scene = scene_of(make())
    found = []
    assert_takes_less(lambda: found.append(folded(scene)), 30)  # 3 to 6 measured
    assert len(found[0]) <= 60


@pytest.mark.parametrize("options", [{"depth": -1}, {"depth": 1.5}, {"limit": 0}, {"limit": True}])
def test_wrong_numbers_are_refused(options):
    with pytest.raises(gn.GraphError, match=f"{next(iter(options))} must be an integer"):
        folded(scene_of(shared_weight()), **options)
