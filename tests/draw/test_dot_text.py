"""DOT texts: bare for engines, and safe whatever names are in them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html import unescape

import pytest
from scenes import SCENES, chain, network
from timing import assert_takes_less

from graphnet.draw.layout.dot_text import digraph_of, layout_dot
from graphnet.draw.scene.scene import KINDS, Arrow, Box, Scene
from graphnet.draw.svg.style import sharing_colour
from graphnet.errors import GraphError

HAS_DOT = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
TOKENS = r'[\w=./">,\[\]{}; -]*'


@pytest.mark.parametrize("name", SCENES)
def test_layout_texts_hold_no_names_and_are_the_same_each_time(name):
    text = layout_dot(SCENES[name]())
    assert text == layout_dot(SCENES[name]())
    assert all(re.fullmatch(TOKENS, line) for line in text.splitlines())
    assert set(re.findall(r'label="([^"]*)"', text)) <= {"n" * number for number in range(120)}
    assert "label=<" not in text
    assert text.count("{") == text.count("}")


def test_layout_texts_set_parameters_beside_their_operation():
    text = layout_dot(network())
    assert text.count("rank=same") == 4  # and nothing else is needed to keep the order
    assert "style=invis" not in text
    assert re.search(r"subgraph cluster_c0 \{\{rank=same b\d+ b\d+ b\d+\}\}", text)


def test_layout_texts_make_the_arrow_of_the_latest_data_the_straightest():
    boxes = [
        Box("x", "input", "x"),
        Box("w", "parameter", "w"),
        *(Box(key, "operation", key) for key in "abc"),
        Box("g", "gradient", "g"),
    ]
    pairs = ["xa", "wa", "wb", "ab", "xc", "bc", "cg"]
    text = layout_dot(Scene(boxes, [Arrow(*pair) for pair in pairs]))
    weights = [int(found) for found in re.findall(r"id=e\d+ weight=(\d+)", text)]
    assert weights == [64, 1, 1, 64, 8, 64, 8]


def test_layout_texts_hold_a_module_below_the_data_that_it_reads():
    boxes = [Box("x", "input", "x"), Box("y", "operation", "y", path=("a",))]
    boxes += [Box(key, "operation", key, path=("b",)) for key in ("alone", "reads", "joins")]
    arrows = [
        Arrow("x", "y"),
        Arrow("y", "reads"),
        Arrow("reads", "joins"),
        Arrow("alone", "joins"),
    ]
    text = layout_dot(Scene(boxes, arrows))
    assert re.findall(r"b\d -> b\d(?= \[style=invis)", text) == ["b1 -> b2"]


def test_layout_texts_lead_data_between_shared_parameters_in_two_pieces():
    text = layout_dot(SCENES["siamese"]())
    entering = re.findall(r"b\d+ -> (p\d+) \[id=e(\d+) ", text)
    assert len(entering) == 4
    for point, place in entering:
        assert point == f"p{place}"
        assert re.search(rf"{point} -> b\d+ \[id=f{place} ", text)
        assert re.search(rf"rank=same {point} b\d+ b\d+\}}", text)


def test_layout_texts_hold_nothing_in_circles_of_modules():
    text = layout_dot(SCENES["circle"]())
    assert "style=invis" not in text
    assert "rank=same" not in text


@pytest.mark.parametrize(("number", "limit"), [(1000, 3), (10_000, 30)])
def test_layout_texts_take_little_time(number, limit):
    scene = chain(number, 7)
    scene.boxes = [replace(box, path=(str(place // 9),)) for place, box in enumerate(scene.boxes)]
    assert_takes_less(lambda: layout_dot(scene), limit)  # 0.3 and 4 measured


@HAS_DOT
@pytest.mark.parametrize("name", SCENES)
def test_digraphs_are_read_by_graphviz_as_they_were_meant(name):
    scene = SCENES[name]()
    source = digraph_of(scene).source
    done = subprocess.run(
        ["dot", "-Tjson0"], input=source.encode(), capture_output=True, check=True
    )
    read = json.loads(done.stdout)
    objects = [entry["name"] for entry in read.get("objects", ())]
    assert sorted(objects) == sorted(
        [f"b{place}" for place in range(len(scene))]
        + [f"cluster_{place}" for place in range(len(scene.paths))]
    )
    assert len(read.get("edges", ())) == len(scene.arrows)


@HAS_DOT
def test_hostile_names_are_shown_as_they_are():
    source = digraph_of(SCENES["hostile"]()).source
    done = subprocess.run(["dot", "-Tsvg"], input=source.encode(), capture_output=True, check=True)
    svg = done.stdout.decode()
    assert "<script" not in svg
    assert "<b>" not in svg
    shown = unescape(svg)
    for text in ['"]; x -> y [label="', "<b>&amp;</b>", "<script>alert(1)</script>", r"b\n\l"]:
        assert text in shown


def test_kinds_differ_by_shape_and_colour():
    boxes = [Box(kind, kind, kind) for kind in KINDS]
    source = digraph_of(Scene(boxes)).source
    assert len(set(re.findall(r"shape=(\w+)", source))) == len(KINDS)
    assert len(set(re.findall(r'fillcolor="(#\w+)"', source))) == len(KINDS)


def test_each_shared_parameter_has_a_colour_and_each_use_a_number():
    boxes = [Box("w", "parameter", "w"), Box("a", "operation", "a"), Box("b", "operation", "b")]
    arrows = [Arrow("w", "a", 0, 1), Arrow("w", "b", 0, 2), Arrow("a", "b", count=3)]
    lines = [line for line in digraph_of(Scene(boxes, arrows)).source.splitlines() if "->" in line]
    colours = [re.findall(r'color="(#\w+)"', line) for line in lines]
    assert colours[0] == colours[1] == [sharing_colour(0)]
    assert colours[2] == []
    for line, label in zip(lines, ["use 1", "use 2", "× 3"], strict=True):
        assert label in line


def test_without_the_package_the_way_to_it_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(GraphError, match="pip install graphviz"):
        digraph_of(network())
