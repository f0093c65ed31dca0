import math
import re
import shutil
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from scenes import SCENES

from graphnet.draw.layout.engines import laid_out
from graphnet.draw.layout.geometry import Layout, size_of
from graphnet.draw.scene.scene import KINDS, Arrow, Box, Scene
from graphnet.draw.svg.paint import PLAIN, Look, Painter, painted
from graphnet.draw.svg.style import corners, sharing_colour

SVG = "{http://www.w3.org/2000/svg}"
ENGINES = [
    pytest.param(
        "dot", marks=pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz")
    ),
    "wasi",
    "ranker",
]


def small_scene(name="W"):
    boxes = [
        Box("n0", "input", "x", shape="(?, 2)", places=(0,)),
        Box(
            "n1",
            "parameter",
            name,
            shape="(2, 2)",
            note="4 parameters",
            path=("net",),
            sharing=(0,),
        ),
        Box("n2", "operation", "first", "@", "(?, 2)", path=("net",), places=(2,)),
        Box("n3", "operation", "second", "@", "(?, 2)", path=("net",), places=(3,)),
        Box("n4", "loss", "loss", "mse", "()", places=(4,)),
    ]
    arrows = [
        Arrow("n0", "n2"),
        Arrow("n1", "n2", sharing=0, use=1),
        Arrow("n2", "n3"),
        Arrow("n1", "n3", sharing=0, use=2),
        Arrow("n3", "n4"),
    ]
    shared, notes = ["net.W is shared, used 2 times"], ["The rest was left out."]
    return Scene(boxes, arrows, {("net",): "net Tied"}, shared, notes)


def stacked(scene):
    """A plain layout: all boxes one below the other, arrows from border to border."""
    places, y = {}, 30.0
    for box in scene.boxes:
        height = size_of(box)[1]
        places[box.key] = (150.0, y + height / 2)
        y += height + 40
    curves = []
    for arrow in scene.arrows:
        start, end = places[arrow.source], places[arrow.target]
        top = end[1] - size_of(scene.by_key[arrow.target])[1] / 2
        curves.append([start, (250.0, start[1]), (250.0, top - 20), (end[0], top)])
    frames = dict.fromkeys(scene.paths, (20.0, 10.0, 260.0, y - 20))
    return Layout(300.0, y, places, curves, frames)


def parsed(scene, look=PLAIN):
    return ElementTree.fromstring(painted(scene, stacked(scene), look))


def texts(root):
    return [element.text for element in root.iter(f"{SVG}text")]


def test_the_frame_of_the_file():
    root = parsed(small_scene(), Look(title="My net", description="Two layers."))
    assert root.get("role") == "img" and "max-width:100%" in root.get("style")
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    title, desc = root[0], root[1]
    assert (title.text, desc.text) == ("My net", "Two layers.")
    assert root.get("aria-labelledby").split() == [title.get("id"), desc.get("id")]


def test_the_description_counts_what_is_there():
    assert parsed(small_scene())[1].text == (
        "A network with 5 arrows between boxes: 1 × input, 1 × parameter, 2 × operation, 1 × loss."
    )


def test_all_that_is_known_is_written():
    written = texts(parsed(small_scene()))
    for line in ["0 x", "W", "(2, 2)", "4 parameters", "2 @", "net Tied", "4 mse", "loss"]:
        assert line in written
    assert "The rest was left out." in written


def test_ids_are_unique_and_come_from_the_content():
    one, two = (painted(small_scene(name), stacked(small_scene(name))) for name in "WV")
    for svg in (one, two):
        ids = re.findall(r' id="([^"]*)"', svg)
        assert len(ids) == len(set(ids)) == 1 + 2 + 5 + 5
    assert not set(re.findall(r' id="([^"]*)"', one)) & set(re.findall(r' id="([^"]*)"', two))
    chosen = painted(small_scene(), stacked(small_scene()), Look(uid="frame"))
    assert 'id="frame-n0"' in chosen and 'id="frame-a4"' in chosen


def test_the_same_scene_gives_the_same_bytes():
    assert len({painted(small_scene(), stacked(small_scene())) for _ in range(3)}) == 1


def test_each_use_of_a_shared_parameter_has_a_number_and_one_colour():
    scene = small_scene()
    root = parsed(scene, Look(uid="u"))
    assert {"A", "A1", "A2", "A: net.W is shared, used 2 times."} <= set(texts(root))
    strokes = {g.get("id"): g.get("stroke") for g in root.iter(f"{SVG}g")}
    colour = sharing_colour(0)
    assert [strokes[f"u-a{place}"] == colour for place in range(5)] == [0, 1, 0, 1, 0]


def test_arrows_drawn_together_say_how_many():
    scene = small_scene()
    scene.arrows[0] = replace(scene.arrows[0], count=24)
    assert "× 24" in texts(parsed(scene))


@pytest.mark.parametrize(
    ("look", "sign"),
    [
        (Look(ring="n2"), 'stroke="#c2410c"'),
        (Look(lit=frozenset({1})), 'stroke="#ffd166"'),
        (Look(fills={"n2": "#123456"}), 'fill="#123456"'),
        (Look(labels={1: "‖0.5‖"}), "‖0.5‖</text>"),
    ],
)
def test_a_look_adds_its_sign_once(look, sign):
    scene = small_scene()
    plain, changed = (
        painted(scene, stacked(scene), replace(each, theme="light")) for each in (Look(), look)
    )
    assert plain.count(sign) == 0 and changed.count(sign) == 1


def test_dark_fills_have_white_letters():
    scene = small_scene()
    svg = painted(scene, stacked(scene), Look(fills={"n0": "#000000"}, legend=False))
    group = re.search(r'<g id="g\w+-n0">.*?\n</g>', svg, re.DOTALL)[0]
    assert group.count('fill="#ffffff"') == 2


def test_the_legend_names_the_kinds_that_are_there():
    scene = Scene([Box(f"n{place}", kind, f"a{place}") for place, kind in enumerate(KINDS)])
    labels = {"input", "buffer", "part of a gradient", "module, folded"}
    assert labels <= set(texts(parsed(scene)))
    assert not labels & set(texts(parsed(scene, Look(legend=False))))
    assert "buffer" not in texts(parsed(small_scene()))


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"/><a href="javascript:alert(1)">',
        "a\nb",
        "\0-n0",
        "ä]]>&amp;",
    ],
)
def test_hostile_names_stay_texts(name):
    scene = small_scene(name)
    scene.titles["net",] = name
    scene.notes.append(name)
    look = Look(title=name, description=name, labels={0: name}, fills={"n0": name}, uid=name[:9])
    root = parsed(scene, look)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "g", "path", "rect", "text", "title", "desc", "style")
    }
    assert not any(key.startswith("on") or "href" in key for e in root.iter() for key in e.attrib)


def test_nothing_at_all_is_a_picture_too():
    assert parsed(Scene()).get("viewBox")


def tips(svg):
    """The start and the tip of each arrow, by its place."""
    found = re.findall(
        r'<g id="\w+-a(\d+)".*?<path d="M(\S+) (\S+)C[^"]*"/><path d="M(\S+) (.*?)L', svg
    )
    return {int(at): tuple(map(float, numbers)) for at, *numbers in found}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", [name for name in SCENES if name != "hostile"])
def test_arrows_start_and_end_on_outlines(name, engine):
    scene = SCENES[name]()
    layout = laid_out(scene, engine)
    ends = tips(painted(scene, layout))
    assert len(ends) == len(scene.arrows)
    for place, arrow in enumerate(scene.arrows):
        for key, point in ((arrow.source, ends[place][:2]), (arrow.target, ends[place][2:])):
            box = scene.by_key[key]
            (x, y), (width, height) = layout.places[key], size_of(box)
            border = corners(box.kind, (x - width / 2, y - height / 2, width, height))
            sides = pairwise([*border, border[0]])
            assert min(distance(point, *side) for side in sides) < 0.5


def distance(point, start, end):
    """The distance from a point to a straight line between two others."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    part = ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / ((dx * dx + dy * dy) or 1)
    part = min(1, max(0, part))
    return math.dist(point, (start[0] + part * dx, start[1] + part * dy))


def test_backward_arrows_end_where_they_started():
    scene = small_scene()
    plain = tips(painted(scene, stacked(scene)))
    turned = tips(painted(scene, stacked(scene), Look(lit=frozenset({2}), backward=True)))
    assert turned[2] == (*plain[2][2:], *plain[2][:2])
    assert {**turned, 2: None} == {**plain, 2: None}


def test_a_ring_lies_below_the_arrows_and_within_the_frame():
    scene = small_scene()
    svg = painted(scene, stacked(scene), Look(ring="n2"))
    assert svg.index('stroke="#c2410c"') < svg.index("-a0")


def test_a_painter_gives_the_same_whatever_it_has_painted_before():
    scene = small_scene()
    layout = stacked(scene)
    looks = [
        Look(backward=True, uid="u"),
        Look(ring="n2", lit=frozenset({0}), uid="u"),
        Look(ring="n3", lit=frozenset({0, 2}), backward=True, labels={2: "0.5"}, uid="u"),
        Look(fills={"n0": "#123456"}, legend=False, uid="u"),
    ]
    painter = Painter(scene, layout, both_ways=True)
    forward = [painter.painted(look) for look in looks]
    assert forward == [Painter(scene, layout, both_ways=True).painted(look) for look in looks]
    assert [painter.painted(look) for look in looks[::-1]] == forward[::-1]
    assert len({svg.count("\n") for svg in forward[:3]}) == 1
