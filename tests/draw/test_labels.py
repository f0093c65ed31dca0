"""Titles, badges and labels hide nothing that matters."""

from __future__ import annotations

import re
import shutil
from itertools import combinations

import pytest
from scenes import SCENES, overlapping, rectangles

from graphnet.draw.layout.engines import laid_out
from graphnet.draw.layout.geometry import Layout
from graphnet.draw.scene.scene import Arrow, Box, Scene
from graphnet.draw.svg.marks import BADGE
from graphnet.draw.svg.paint import Look, Painter, painted

ENGINES = [
    pytest.param(
        "dot", marks=pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz")
    ),
    "wasi",
    "ranker",
]
ROUND = r'<path d="M(\S+) (\S+)h(\S+?)a7 7 [^"]*" fill="\S+" stroke="#ffffff"/>'


def badges(svg):
    """The rectangles of all badges."""
    return [
        (float(x) - BADGE / 2, float(y), float(across) + BADGE, BADGE)
        for x, y, across in re.findall(ROUND, svg)
    ]


def heads(svg):
    """The rectangles around all arrowheads."""
    found = []
    for data in re.findall(r'<path d="M([^"]*)Z" fill="\S+" stroke="none"/>', svg):
        xs, ys = zip(*(map(float, point.split()) for point in data.split("L")), strict=True)
        found.append((min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)))
    return found


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", [name for name in SCENES if name != "hostile"])
def test_badges_hide_no_head_no_box_and_no_badge(name, engine):
    scene = SCENES[name]()
    layout = laid_out(scene, engine)
    svg = painted(scene, layout, Look(legend=False))
    letters = sum(len(box.sharing) for box in scene.boxes)
    found = badges(svg)
    marked = [arrow for arrow in scene.arrows if arrow.sharing is not None or arrow.count > 1]
    assert len(found) == letters + len(marked)
    assert len(heads(svg)) == len(scene.arrows)
    on_arrows = found[letters:]
    others = [*rectangles(scene, layout), *heads(svg), *found[:letters]]
    assert not [pair for pair in combinations(on_arrows, 2) if overlapping(*pair)]
    assert not [(one, other) for one in on_arrows for other in others if overlapping(one, other)]


def parallel(labels=None, count=2):
    """Two boxes with one arrow straight down, 100 points long."""
    boxes = [Box("a", "operation", "relu"), Box("b", "operation", "relu")]
    scene = Scene(boxes, [Arrow("a", "b", count=count)])
    curve = [(100.0, 30.0), (100.0, 60.0), (100.0, 100.0), (100.0, 130.0)]
    layout = Layout(200, 160, {"a": (100, 17.5), "b": (100, 142.5)}, [curve])
    return painted(scene, layout, Look(labels=labels or {}, legend=False))


def test_a_badge_stands_on_the_middle_of_its_line():
    ((left, top, width, height),) = badges(parallel())
    assert left + width / 2 == pytest.approx(100, abs=0.1)
    assert top + height / 2 == pytest.approx(80, abs=3)


def test_a_label_stands_beside_its_line_and_beside_its_badge():
    svg = parallel({0: "0.25"})
    ((left, top, width, _),) = badges(svg)
    x, y = map(float, re.search(r'x="(\S+)" y="(\S+)"[^>]*>0.25<', svg).groups())
    assert x >= 105 or x < 95
    assert x >= left + width or not top < y < top + BADGE + 8
    alone = parallel({0: "0.25"}, count=1)
    assert 'x="105" y="' in alone


def test_labels_hide_neither_each_other_nor_a_badge():
    boxes = [Box("a", "operation", "relu"), Box("b", "operation", "relu")]
    scene = Scene(boxes, [Arrow("a", "b", count=2), Arrow("a", "b")])
    curve = [(100.0, 30.0), (100.0, 60.0), (100.0, 100.0), (100.0, 130.0)]
    layout = Layout(200, 160, {"a": (100, 17.5), "b": (100, 142.5)}, [curve, curve])
    svg = painted(scene, layout, Look(labels={0: "0.25", 1: "0.75"}, legend=False))
    (around,) = badges(svg)
    found = [
        (float(x), float(y) - 8, 20.0, 9.0)
        for x, y in re.findall(r'x="(\S+)" y="(\S+)"[^>]*>0\.[27]5<', svg)
    ]
    assert len(found) == 2
    assert not [pair for pair in combinations([around, *found], 2) if overlapping(*pair)]


def test_labels_move_nothing_that_stays():
    assert badges(parallel()) == badges(parallel({0: "0.25"}))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["network", "siamese"])
def test_badges_leave_both_ends_of_arrows_free_where_some_are_reversed(name, engine):
    scene = SCENES[name]()
    layout = laid_out(scene, engine)
    every = frozenset(range(len(scene.arrows)))
    painter = Painter(scene, layout, both_ways=True)
    ways = [painter.painted(Look(lit=lit, backward=True)) for lit in (frozenset(), every)]
    letters = sum(len(box.sharing) for box in scene.boxes)
    assert badges(ways[0]) == badges(ways[1])
    ends = heads(ways[0]) + heads(ways[1])
    assert len(ends) == 2 * len(scene.arrows)
    marks = badges(ways[0])[letters:]
    assert not [(mark, end) for mark in marks for end in ends if overlapping(mark, end)]


@pytest.mark.parametrize(("columns", "side"), [([], "left"), ([60.0], "moved"), ([150.0], "left")])
def test_titles_give_way_to_arrows(columns, side):
    boxes = [Box("a", "input", "x"), Box("b", "operation", "relu", path=("net",))]
    scene = Scene(boxes, [Arrow("a", "b") for _ in columns], {("net",): "net Module"})
    curves = [[(x, 30.0), (x, 60.0), (x, 80.0), (x, 100.0)] for x in columns]
    places = {"a": (100.0, 15.0), "b": (100.0, 120.0)}
    layout = Layout(200, 160, places, curves, {("net",): (20.0, 50.0, 150.0, 95.0)})
    x = float(re.search(r'x="(\S+)"[^>]*>net Module<', painted(scene, layout))[1])
    assert (x > 61) if side == "moved" else (x < 40)
