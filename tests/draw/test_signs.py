"""Every sign in a picture can be told from the others and is explained below it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
import torch
from draw.example_modules import shared_network
from draw.picture_faults import Picture, covers, faults
from scenes import network

import graphnet as gn
from graphnet.draw.drawing import drawing_of
from graphnet.draw.scene.scene import Arrow, Box, Scene
from graphnet.draw.svg.footer import footer
from graphnet.draw.svg.paint import Look, painted
from graphnet.draw.svg.style import MARKED, STYLES, sharing_marks
from graphnet.draw.svg.values import Value, reserve_space

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return [each.text for each in ET.fromstring(svg).iter(f"{SVG}text")]


def disk():
    """A walk through a network of three layers."""
    torch.manual_seed(0)
    model = gn.Sequential(
        gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 25), gn.Tanh(), gn.Linear(25, 2)
    )
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
        loss = gn.LossMSE()(model(x), t)
    return graph.walk({"x": torch.rand(9, 2), "t": torch.rand(9, 2)}, loss)


@pytest.mark.parametrize("engine", ["wasi", "ranker"])
@pytest.mark.parametrize("walk", [disk, shared_network])
def test_no_step_of_a_walk_has_faults(walk, engine):
    frames = walk().frames(engine=engine)
    assert {place: faults(svg) for place, svg in enumerate(frames) if faults(svg)} == {}


@pytest.mark.parametrize("kind", STYLES)
def test_a_ring_keeps_its_distance_from_the_outline(kind):
    scene = Scene([Box("n0", kind, "some name", shape="?×25")])
    layout = drawing_of(scene, "ranker").layout
    svg = painted(scene, layout, Look(ring="n0", theme="light", legend=False))
    picture = Picture(svg)
    (ring,) = [shape for shape in picture.shapes if shape.fill == "#ffd166"]
    outline = [point for line in picture.boxes["n0"].points for point in line]
    assert all(covers(ring, point) for point in outline)
    for x, y in (point for line in ring.points for point in line):
        distances = [max(abs(x - px), abs(y - py)) for px, py in outline]
        assert min(distances) < 16


def test_a_box_that_is_not_computed_yet_shows_where_its_bars_will_stand():
    scene = Scene([Box("n0", "operation", "tanh", places=(0,))])
    value = Value("top", "‖5‖ -4 … 3", (0.5, 1.0))
    scene = reserve_space(scene, {"n0": [value, value]})
    layout = drawing_of(scene, "ranker").layout
    counts = [
        painted(scene, layout, Look(values={"n0": [value] * number})).count("stroke-opacity")
        for number in (0, 1, 2)
    ]
    assert counts == [2, 1, 0]


MANY = [Box("n0", "layer", "fc", folded=True), Box("n1", "loss", "loss")]
LEGENDS = [
    (Scene(MANY, [Arrow("n0", "n1", count=2)]), {}, "n values"),
    (Scene(MANY, [Arrow("n0", "n1")]), {"marked": True}, "finding"),
    (reserve_space(Scene(MANY), {"n1": [Value("top", "1")]}), {}, "‖norm‖ least … largest"),
    (reserve_space(Scene(MANY), {"n1": [Value("top", "1")]}), {}, "zero"),
]


@pytest.mark.parametrize(("scene", "options", "words"), LEGENDS)
def test_the_legend_explains_the_signs_that_are_there(scene, options, words):
    layout = drawing_of(scene, "ranker").layout
    plain = footer(Scene(MANY), layout)
    assert any(f">{words}<" in part for part in footer(scene, layout, **options).parts)
    assert not any(f">{words}<" in part for part in plain.parts)


def test_the_legend_explains_the_band_of_what_holds_parameters():
    model = gn.Sequential(gn.BatchNorm1d(3), gn.Tanh(), gn.BatchNorm1d(3))
    assert "holds parameters" in texts(model.draw((None, 3), engine="ranker").svg)
    assert "holds parameters" not in texts(drawing_of(network(), "ranker").svg)


def test_a_finding_differs_from_every_kind_of_box():
    assert MARKED not in {style.fill for style in STYLES.values()}
    graph = gn.Graph()
    graph.input((None, 3), name="x").relu()
    svg = graph.draw(marks={1: "dead"}, engine="ranker").svg
    assert {"finding", "dead"} <= set(texts(svg))


@pytest.mark.parametrize("count", [1, 2, 3, 12, 80])
def test_many_letters_are_one_badge_that_stays_in_the_picture(count):
    box = Box("m0", "module", "block", sharing=tuple(range(count)), folded=True)
    scene = Scene([box], shared=[f"part {place} is shared" for place in range(count)])
    assert len(sharing_marks(box)) <= 2
    assert faults(drawing_of(scene, "ranker").svg) == []


def test_a_program_can_be_read():
    model = gn.Sequential(gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 2))
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
        loss = gn.LossMSE()(model(x), t)
    step = graph.compile(loss, gn.SGD(graph.parameters(), lr=0.1))
    step(x=torch.rand(5, 2), t=torch.rand(5, 2))
    boxes = step.program.draw(engine="ranker").scene.boxes
    assert {"linear, tanh", "x + a·y"} <= {box.symbol for box in boxes}
    (shown,) = [box for box in boxes if box.kind == "loss"]
    assert shown.nodes[0] is step.program.results[0]  # not the last single number
