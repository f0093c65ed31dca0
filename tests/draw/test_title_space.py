"""Titles of frames: there is room for the whole of each, beside the arrows that enter."""

from __future__ import annotations

from itertools import pairwise

import pytest

from graphnet.draw.layout.geometry import Layout, text_width
from graphnet.draw.layout.layered import layered
from graphnet.draw.layout.title_space import (
    beside_title,
    crowded,
    first_free,
    free_spans,
    title_of,
    title_width,
)
from graphnet.draw.scene.scene import Arrow, Box, Scene
from graphnet.draw.svg.titles import titles

PATHS = [
    ({("net",): "net Block"}, "net Block"),
    ({("net",): "Block"}, "Block"),
    ({}, "net"),
]


def framed(title, count=2):
    """A few boxes in one frame, all of which read an input above it."""
    inner = [Box(f"n{place}", "operation", "+", path=("net",)) for place in range(1, count + 1)]
    arrows = [Arrow("n0", box.key) for box in inner]
    return Scene([Box("n0", "input", "x"), *inner], arrows, {("net",): title})


@pytest.mark.parametrize(("texts", "whole"), PATHS)
def test_a_title_is_the_name_and_the_class(texts, whole):
    scene = Scene([Box("n0", "operation", "+", path=("net",))], titles=texts)
    assert title_of(scene, ("net",)) == whole
    assert title_width(scene, ("net",)) == text_width(whole, bold=True)


def test_of_a_sequential_the_name_is_enough():
    scene = framed("net Sequential")
    assert title_width(scene, ("net",)) < text_width("net Sequential", bold=True) / 1.5
    scene.titles["net",] = "Sequential"
    assert title_width(scene, ("net",)) == text_width("Sequential", bold=True)


def test_no_title_is_endless():
    scene = framed("net " + 90 * "W")
    assert title_of(scene, ("net",)).endswith("…")
    assert title_width(scene, ("net",)) <= 320


# contents from 0 to `width`; the frame reaches 8 further, its title stays 6 away from its ends
WIDER = [
    (100, [], 80, (0, 0)),
    (100, [], 150, (0, 46)),
    (100, [50], 40, (0, 0)),
    (100, [50], 80, (31.0 + 5, 0)),
    (100, [20], 80, (0, 2)),
    (200, [10, 190], 150, (0, 0)),  # between two arrows
    (200, [100, 102], 99, (1, 0)),
]


@pytest.mark.parametrize(("width", "entering", "title", "wider"), WIDER)
def test_a_frame_grows_as_little_as_its_title_needs(width, entering, title, wider):
    left, right = beside_title(width, entering, title)
    ends = sorted([-1e9, *(left + x for x in entering), 1e9])
    spans = [
        min(width + left + right + 2, other - 4) - max(-2, one + 4) for one, other in pairwise(ends)
    ]
    assert max(spans) >= title - 1e-9
    assert not (left and right)
    assert left + right == 0 or max(spans) == pytest.approx(title)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("title", ["a B", "blocks.0 … 5 TransformerBlock × 6", "net"])
def test_the_ranker_leaves_room_for_the_whole_title(title, count):
    scene = framed(title, count)
    layout = layered(scene)
    assert crowded(scene, layout) == 0
    written = [text for text, _ in titles(scene, layout, [])]
    assert written == [title_of(scene, ("net",))]


def test_a_title_that_arrows_leave_no_room_for_is_counted_and_shortened():
    scene = framed("net Block × 3")
    points = [(x, y) for x in range(10, 200, 60) for y in range(0, 80, 2)]
    layout = Layout(200, 80, frames={("net",): (0.0, 10.0, 200.0, 60.0)})
    ((text, place),) = titles(scene, layout, [points])
    assert text == "net × 3"
    assert not [x for x, _ in points if place[0] <= x <= place[0] + place[2]]
    layout.curves = [[(x, 0.0), (x, 20.0), (x, 40.0), (x, 80.0)] for x in range(10, 200, 60)]
    assert crowded(scene, layout) == 1


def test_what_is_free_beside_arrows():
    frame = (0.0, 0.0, 100.0, 50.0)
    assert free_spans(frame, []) == [(6, 94)]
    assert free_spans(frame, [[(50.0, 8.0), (50.0, 90.0)]]) == [(6, 46), (54, 94)]
    assert free_spans(frame, [[(50.0, 40.0)]]) == [(6, 94)], "below the title"
    assert first_free("net", [(0, 5), (10, 60)]) == (10, 60)
    assert first_free("net", [(0, 5)]) is None
