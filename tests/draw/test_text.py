"""The plain-text twin: rails and tables."""

from __future__ import annotations

import pytest
import torch
from scenes import RAILS_OF_SHARED_WEIGHT, shared_weight

import graphnet as gn
from graphnet.console_text import printable
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import folded
from graphnet.draw.scene.scene import Box, Scene
from graphnet.draw.text import rails
from graphnet.listing.rails import WIDEST


def test_rails_show_who_reads_whom():
    lines = rails(scene_of(shared_weight())).splitlines()[:-1]
    assert [line.split("  ")[0].rstrip() for line in lines] == RAILS_OF_SHARED_WEIGHT


def test_a_line_says_what_its_box_is():
    lines = rails(scene_of(shared_weight())).splitlines()
    words = "│ │ □ 2 parameter w 4×3 12 parameters, shared A"
    assert " ".join(lines[2].split()) == words
    assert lines[4].endswith("reads A2")
    assert lines[-1] == "A: w is shared: it is used 2 times."


@pytest.mark.parametrize("options", [{"depth": 0}, {"limit": 3}])
def test_each_box_has_one_line(options):
    scene = folded(scene_of(shared_weight()), **options)
    assert len(rails(scene).splitlines()) == len(scene) + len(scene.shared) + len(scene.notes)


def test_folded_boxes_say_their_places_and_what_they_share():
    layer = gn.Linear(2, 2)
    graph = gn.Graph()
    first, second = gn.Sequential(gn.Tanh(), layer), gn.Sequential(gn.Tanh(), layer)
    gn.Sequential(first, second)(graph.input((None, 2), name="x"))
    lines = rails(folded(scene_of(graph), depth=0)).splitlines()
    assert "1…4" in lines[1]
    assert lines[1].endswith("6 parameters, shared A")
    assert lines[2].endswith("2 nodes, shared A")


def test_a_value_runs_down_its_rail_until_its_last_reader():
    graph = gn.Graph()
    x = graph.input((2,), name="x")
    x.exp()  # nothing reads it: its rail is free at once
    x.tanh() + x.sin()
    drawn = [line[:5].rstrip() for line in rails(scene_of(graph)).splitlines()]
    assert drawn == ["○", "├─●", "├─●", "● │", "●─╯"]


def test_many_rails_are_cut():
    graph = gn.Graph()
    weights = [graph.parameter(torch.zeros(2)) for _ in range(40)]
    x = graph.input((2,), name="x")
    for weight in reversed(weights):
        x = x * weight
    lines = rails(scene_of(graph)).splitlines()
    assert max(line.index(str(place)) for place, line in enumerate(lines)) <= 2 * WIDEST + 4
    assert "…" in lines[30]
    assert "…" not in lines[-1]


def test_an_empty_scene_has_no_lines():
    assert rails(Scene()) == ""


def test_hostile_names_stay_on_one_line():
    name = "two\nlines\x1b[31m<script>"
    scene = Scene([Box("n0", "input", name, places=(0,))])
    text = rails(scene)
    assert len(text.splitlines()) == 1
    assert "\x1b" not in text
    assert printable(name) in text
