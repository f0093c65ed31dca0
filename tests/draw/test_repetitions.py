"""Repetitions: equal modules in a row are drawn once, and only those."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
from draw.example_modules import Block, Steps

import graphnet as gn
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import folded


class Other(Block):
    """The same operations on the same shapes, wired differently."""

    def build(self, x):
        hidden = self.first(x).tanh()
        return hidden + self.second(hidden)


def single(module):
    graph = gn.Graph()
    module(graph.input((None, 3), name="x"))
    return graph


def residual(count):
    inner = (gn.LayerNorm(8), gn.Linear(8, 16), gn.ReLU(), gn.Linear(16, 8))
    blocks = [gn.Residual(gn.Sequential(*copy.deepcopy(inner))) for _ in range(count)]
    graph = gn.Graph()
    gn.Sequential(*blocks)(graph.input((None, 8), name="x"))
    return graph


@pytest.mark.parametrize(
    "count", [24, *(pytest.param(each, marks=pytest.mark.slow) for each in (40, 100))]
)
@pytest.mark.parametrize(("depth", "boxes"), [(None, 6), (0, 2), (1, 3), (2, 6), (9, 6)])
def test_residual_blocks_are_drawn_once_at_any_depth(count, depth, boxes):
    result = folded(scene_of(residual(count)), depth)
    assert len(result) == boxes
    whole = f"0 … {count - 1}"
    if depth == 0:
        assert result.boxes[1].note.startswith(f"× {count}, {296 * count:,} parameters")
    else:
        assert result.titles[(whole,)] == f"{whole} Residual × {count}"
        assert result.notes[-1].endswith(f"are drawn once: {whole} (× {count}).")
    if depth == 1:
        inner, add = result.boxes[1:]
        assert (inner.name, inner.symbol) == ("inner", "Sequential")
        assert inner.note == "296 parameters"  # of one copy; the frame says how many
        ways = [("n0", inner.key), ("n0", add.key), (inner.key, add.key)]
        assert sorted((a.source, a.target) for a in result.arrows) == sorted(ways)
        assert add.places == tuple(range(19, 19 * count + 1, 19))


def test_two_blocks_are_drawn_twice():
    names = [box.name for box in folded(scene_of(residual(2)), depth=1).boxes]
    assert names == ["x", "inner", "add", "inner", "add"]


def test_repetitions_inside_repetitions_are_drawn_once_too():
    graph = gn.Graph()
    stages = [gn.Sequential(*[Block(3) for _ in range(4)]) for _ in range(5)]
    gn.Sequential(*stages)(graph.input((None, 3), name="x"))
    result = folded(scene_of(graph), depth=1)
    assert [(box.name, box.note) for box in result.boxes[1:]] == [
        ("0 … 4.0 … 3", f"× 4, {4 * 24} parameters")
    ]
    assert result.titles[("0 … 4",)] == "0 … 4 Sequential × 5"
    assert len(folded(scene_of(graph), depth=9)) == 1 + 4


@pytest.mark.parametrize(
    ("channels", "names"),
    [
        ([1, 4, 4, 4, 4], ["x", "0", "1", "2 … 7"]),  # not 1 … 6 and the last ReLU
        ([4, 4, 4, 4], ["x", "0 … 5"]),
    ],
)
def test_a_row_of_several_modules_starts_at_the_large_one(channels, names):
    pairs = [(gn.Conv2d(a, b, 3, padding=1), gn.ReLU()) for a, b in pairwise(channels)]
    graph = gn.Graph()
    x = graph.input((None, channels[0], 8, 8), name="x")
    gn.Sequential(*[layer for pair in pairs for layer in pair])(x)
    result = folded(scene_of(graph), depth=0)
    assert [box.name for box in result.boxes] == names
    assert (result.boxes[-1].symbol, result.boxes[-1].note[:5]) == ("Conv2d, ReLU", "× 3, ")


def test_the_steps_of_a_cell_are_drawn_once_after_the_first():
    result = folded(scene_of(single(Steps())), depth=0)
    first, tanh, *_, steps = result.boxes[1:]
    assert (first.name, tanh.name) == ("cell", "tanh")
    assert steps.note == "× 49, 98 nodes"
    assert steps.sharing == first.sharing != ()


def test_the_uses_of_one_module_are_apart_from_its_first():
    graph = gn.Graph()
    layer = gn.Sequential(gn.Linear(3, 3), gn.Tanh())
    inputs = [graph.input((None, 3), name=name) for name in "abcde"]
    gn.ops.cat([layer(x) for x in inputs], 1)
    result = folded(scene_of(graph), depth=0)
    modules = [(box.name, box.note.split(",")[0]) for box in result.boxes if len(box.nodes) > 1]
    assert modules == [("0", "12 parameters"), ("0 … 1", "× 4")]


def test_classes_of_equal_inside_are_distinguished():
    class Third(Block):
        """The same inside."""

    graph = gn.Graph()
    gn.Sequential(Block(3), Block(3), Third(3), Third(3))(graph.input((None, 3), name="x"))
    names = [box.name for box in folded(scene_of(graph), depth=0).boxes]
    assert names == ["x", "0", "1", "2", "3"]


def test_blocks_that_are_wired_in_another_way_are_not_rolled():
    graph = gn.Graph()
    gn.Sequential(Block(3), Other(3), Block(3))(graph.input((None, 3), name="x"))
    assert [box.name for box in folded(scene_of(graph), depth=0).boxes] == ["x", "0", "1", "2"]


def test_blocks_that_differ_are_not_rolled():
    graph = gn.Graph()
    sizes = [3, 4, 5, 6]
    inner = [gn.Linear(a, b) for a, b in pairwise(sizes)]
    gn.Sequential(*inner)(graph.input((None, 3), name="x"))
    assert [box.name for box in folded(scene_of(graph), depth=0).boxes] == ["x", "0", "1", "2"]
