"""Tall pictures in several columns, and pictures from left to right."""

from __future__ import annotations

from itertools import combinations

import pytest
from draw.picture_faults import hook
from scenes import SCENES, chain, inside, overlapping, rectangles, sound

import graphnet as gn
from graphnet.draw.layout.columns import SCREEN, in_columns
from graphnet.draw.layout.crossings import crossings
from graphnet.draw.layout.curves import samples
from graphnet.draw.layout.engines import laid_out
from graphnet.draw.layout.geometry import Layout
from graphnet.draw.layout.layered import layered
from graphnet.draw.scene.scene import Arrow, Box, Scene
from graphnet.experiments.models import MODELS

FREE = [name for name in SCENES if name not in ("empty", "single")]


@pytest.mark.parametrize("engine", ["wasi", "ranker"])
@pytest.mark.parametrize("count", [2, 3, None])
@pytest.mark.parametrize("name", FREE)
def test_columns_are_as_sound_as_one(name, count, engine):
    scene = SCENES[name]()
    whole = laid_out(scene, engine)
    sound(scene, layout := in_columns(scene, whole, count))
    assert layout.width * layout.height > 0
    assert layout.height <= whole.height + 100


@pytest.mark.parametrize("engine", ["wasi", "ranker"])
@pytest.mark.parametrize("name", FREE)
def test_a_picture_from_left_to_right_is_sound(name, engine):
    scene = SCENES[name]()
    layout = laid_out(scene, engine, direction="LR")
    boxes = rectangles(scene, layout)
    assert not [pair for pair in combinations(boxes, 2) if overlapping(*pair)]
    assert all(inside(box, (0, 0, layout.width, layout.height)) for box in boxes)
    for path, frame in layout.frames.items():
        for box, place in zip(scene.boxes, boxes, strict=True):
            if box.path[: len(path)] == path:
                assert inside(place, frame)


@pytest.mark.parametrize("engine", ["wasi", "ranker"])
def test_a_chain_runs_to_the_right(engine):
    scene = chain(8)
    layout = laid_out(scene, engine, direction="LR")
    xs = [layout.places[box.key][0] for box in scene.boxes]
    ys = [layout.places[box.key][1] for box in scene.boxes]
    assert xs == sorted(set(xs))
    assert max(ys) - min(ys) < 1


def test_a_chain_is_read_column_by_column():
    scene = chain(30)
    layout = in_columns(scene, layered(scene), 3)
    places = [layout.places[box.key] for box in scene.boxes]
    assert len({x for x, _ in places}) == 3
    assert places == sorted(places)
    assert not crossings(scene, layout)


def test_as_many_columns_as_make_the_picture_largest():
    scene = chain(40)
    scales = {}
    for count in (1, 2, 3, 4, 5, 6):
        layout = in_columns(scene, layered(scene), count)
        scales[count] = min(SCREEN[0] / layout.width, SCREEN[1] / layout.height)
    chosen = in_columns(scene, layered(scene))
    assert min(SCREEN[0] / chosen.width, SCREEN[1] / chosen.height) > 0.85 * max(scales.values())
    short = chain(3)
    assert in_columns(short, layered(short)) == layered(short)


def test_rows_of_a_picture_from_left_to_right():
    scene = chain(30)
    layout = laid_out(scene, "ranker", columns=3, direction="LR")
    assert len({y for _, y in layout.places.values()}) == 3


def test_no_cut_runs_through_a_frame():
    for name in ("LeNet", "GAN"):
        drawing = MODELS[name]().draw(engine="ranker")
        frames = list(drawing.layout.frames.values())
        assert not [pair for pair in combinations(frames, 2) if overlapping(*pair)]


def lines_of(drawing):
    """Points along each arrow between its ends, by the names of the boxes."""
    names = {box.key: box.name for box in drawing.scene.boxes}
    for arrow, curve in zip(drawing.scene.arrows, drawing.layout.curves, strict=True):
        yield names[arrow.source], names[arrow.target], samples(curve)


@pytest.mark.parametrize("depth", [None, 1, 2, 3])
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_no_arrow_turns_back_before_it_enters_a_column(direction, depth):
    """The line past the attention of the repeated block enters where it runs on."""
    drawing = MODELS["transformer"]().draw(engine="ranker", direction=direction, depth=depth)
    assert [ends for *ends, points in lines_of(drawing) if hook(points)] == []


def test_an_arrow_at_the_right_end_leaves_its_column_there():
    """The long arrows of a U-Net run up beside the first column, and not first down it."""
    drawing = MODELS["U-Net"]().draw(engine="ranker")
    (points,) = [
        points
        for source, target, points in lines_of(drawing)
        if (source, target) == ("down.0", "cat_2")
    ]
    assert max(y for _, y in points[: len(points) // 2]) < points[0][1] + 30


def test_an_arrow_at_the_right_end_goes_round_what_is_beside_it():
    boxes = [Box(key, "operation", key) for key in "abcd"]
    scene = Scene(boxes, [Arrow("a", "b"), Arrow("b", "c"), Arrow("c", "d"), Arrow("a", "d")])
    layout = layered(scene)
    sound(scene, moved := in_columns(scene, layout, 2))
    assert not crossings(scene, moved)


def test_an_arrow_that_runs_through_a_box_is_counted():
    boxes = [Box(key, "operation", key) for key in "abc"]
    scene = Scene(boxes, [Arrow("a", "c")])
    places = {"a": (40.0, 20.0), "b": (40.0, 80.0), "c": (40.0, 140.0)}
    through = [(40.0, 30.0), (40.0, 60.0), (40.0, 100.0), (40.0, 130.0)]
    around = [(40.0, 30.0), (160.0, 60.0), (160.0, 100.0), (40.0, 130.0)]
    assert crossings(scene, Layout(80, 160, places, [through])) == 1
    assert crossings(scene, Layout(80, 160, places, [around])) == 0


def test_where_graphviz_draws_through_boxes_the_ranker_does_it(monkeypatch):
    from graphnet.draw.layout import engines

    scene = chain(5, 3)
    bad = layered(scene)
    bad.curves = [[(bad.places["n0"][0], 10.0)] * 3 + [(bad.places["n4"][0], 300.0)]] * 5
    bad.curves = bad.curves[: len(scene.arrows)]
    bad.engine = "dot"
    monkeypatch.setattr(engines, "found", {"dot": "/some/dot"}.get)
    monkeypatch.setitem(engines.ENGINES, "dot", lambda scene, _: bad)
    assert laid_out(scene).engine == "ranker"
    assert laid_out(scene, "dot").engine == "dot"


WRONG = [
    ({"columns": 0}, "columns must be an integer"),
    ({"columns": 1.5}, "columns must be an integer"),
    ({"direction": "RL"}, "direction must be"),
    ({"slide": 1}, "slide"),
    ({"parameters": "no"}, "parameters"),
    ({"every_node": None}, "every_node"),
]


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(gn.GraphError, match=words):
        gn.Linear(2, 3).draw((None, 2), **options)


def test_a_slide_is_filled():
    svg = MODELS["ResNet-18"]().draw(slide=True, engine="ranker").svg
    assert 'width="1280" height="720"' in svg
    _, _, width, height = map(float, svg.split('viewBox="')[1].split('"')[0].split())
    assert width / height == pytest.approx(16 / 9, rel=0.01)
