"""The built-in engine: nothing overlaps, arrows run down, frames enclose their contents."""

from __future__ import annotations

from itertools import combinations

import pytest
from scenes import (
    SCENES,
    chain,
    crossings,
    inside,
    network,
    overlapping,
    rectangles,
    sound,
)
from timing import assert_takes_less

from graphnet.draw.layout.layered import beside, layered
from graphnet.draw.scene.scene import Arrow, Box, Scene


@pytest.mark.parametrize("name", SCENES)
def test_every_layout_is_sound(name):
    scene = SCENES[name]()
    layout = layered(scene)
    sound(scene, layout)
    assert layout.engine == "ranker"
    assert layered(scene) == layout


@pytest.mark.parametrize("name", SCENES)
def test_frames_lie_in_each_other_or_apart(name):
    layout = layered(SCENES[name]())
    for (one, first), (other, second) in combinations(layout.frames.items(), 2):
        if one == other[: len(one)]:
            assert inside(second, first)
        else:
            assert not overlapping(first, second)


@pytest.mark.parametrize("name", SCENES)
def test_no_arrow_runs_through_another_box(name):
    scene = SCENES[name]()
    assert crossings(scene, layered(scene)) == []


def test_the_network_is_one_straight_line_downwards():
    scene = network()
    layout = layered(scene)
    boxes = scene.by_key
    spine = [box.key for box in scene.boxes if box.kind == "operation"]
    assert len({layout.places[key][0] for key in spine}) == 1
    heights = [layout.places[key][1] for key in spine]
    assert heights == sorted(heights)
    for parameter, reader in beside(scene).items():
        assert boxes[parameter].kind == "parameter"
        assert layout.places[parameter][1] == layout.places[reader][1]
    assert len(beside(scene)) == 8
    assert layout.width < 400
    assert layout.height < 1500


def test_shared_parameters_stand_above_all_their_readers():
    scene = SCENES["siamese"]()
    layout = layered(scene)
    shared = [arrow for arrow in scene.arrows if arrow.sharing is not None]
    assert shared
    for arrow in shared:
        assert layout.places[arrow.source][1] < layout.places[arrow.target][1]


def test_ways_around_leave_the_line_straight():
    scene = SCENES["nested"]()
    layout = layered(scene)
    spine = {layout.places[box.key][0] for box in scene.boxes if box.kind != "parameter"}
    assert len(spine) == 1


def test_parameters_of_one_operation_stand_at_both_sides_in_columns():
    boxes = [Box(f"p{number}", "parameter", "w" * number) for number in range(1, 6)]
    scene = Scene([*boxes, Box("op", "operation", "norm")], [Arrow(b.key, "op") for b in boxes])
    layout = layered(scene)
    sound(scene, layout)
    middle, height = layout.places["op"]
    right = [layout.places[box.key][0] > middle for box in boxes]
    assert right == [False, False, True, True, True]
    assert layout.places["p4"][1] == height
    ends = [curve[-1] for curve in layout.curves]
    assert len(set(ends)) == 5


def test_two_readings_by_one_operation_are_two_curves():
    boxes = [Box("a", "input", "x"), Box("b", "operation", "square")]
    layout = layered(Scene(boxes, [Arrow("a", "b"), Arrow("a", "b")]))
    assert layout.curves[0] != layout.curves[1]


@pytest.mark.parametrize(("number", "limit"), [(600, 4), (10_000, 80)])
@pytest.mark.parametrize("skip", [0, 7])
def test_long_chains_take_linear_time(number, limit, skip):
    scene = chain(number, skip)
    found = []
    assert_takes_less(lambda: found.append(layered(scene)), limit)  # 0.5, 16 to 21
    layout = found[0]
    assert len(layout.places) == len(scene)
    rows = [layout.places[box.key][1] for box in scene.boxes if box.kind == "operation"]
    assert rows == sorted(rows)


def test_everything_may_read_the_first_box_and_be_read_by_the_last():
    boxes = [Box(f"n{place}", "operation", "relu") for place in range(400)]
    arrows = [Arrow("n0", f"n{place}") for place in range(1, 400)]
    arrows += [Arrow(f"n{place}", f"n{place + 1}") for place in range(1, 399)]
    scene = Scene(boxes, arrows)
    layout = layered(scene)
    assert layout.width < 400
    assert all(x < y for (_, x), (_, y) in zip(*_neighbours(layout.places), strict=True))
    assert not any(overlapping(a, b) for a, b in combinations(rectangles(scene, layout)[:50], 2))


def _neighbours(places):
    spots = list(places.values())
    return spots[:-1], spots[1:]
