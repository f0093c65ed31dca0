"""Sizes of texts and boxes, and points on borders."""

from __future__ import annotations

import pytest

from graphnet.draw.layout.geometry import (
    MAX_WIDTH,
    inward,
    on_border,
    shortened,
    size_of,
    text_width,
)
from graphnet.draw.scene.scene import Box

LONG = "encoder_" * 40


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), (" ", 3.18), ("tanh", 22.73), ("WWW", 29.67), ("e\u0301", 6.15), ("\u7f51", 14.0)],
)
def test_widths_are_those_of_the_font(text, width):
    assert text_width(text) == pytest.approx(width)
    assert text_width(text, size=20) == pytest.approx(2 * width)
    assert text_width(text, bold=True) >= text_width(text)


@pytest.mark.parametrize("text", ["", "x", LONG, "\u7f51" * 90, "a\nb" * 40, "W" * 400])
@pytest.mark.parametrize("room", [12.0, 60.0, 200.0])
def test_shortened_texts_fit_and_short_ones_stay(text, room):
    short = shortened(text, room)
    assert text_width(short) <= room
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))
    assert (short == text) == (text_width(text) <= room)


def test_boxes_grow_with_their_lines_up_to_a_limit():
    small = Box("n0", "input", "x")
    three = Box("n1", "operation", "multiplied", symbol="@", shape="?x25", places=(1,))
    assert size_of(small) < size_of(three)
    assert size_of(three)[1] - size_of(small)[1] == 2 * 13
    assert size_of(Box("n2", "input", LONG))[0] == MAX_WIDTH
    assert size_of(three)[0] >= text_width("multiplied") + 12


@pytest.mark.parametrize(
    ("point", "nearest"),
    [
        ((10, 0), (10, 5)),
        ((10, 99), (10, 15)),
        ((-50, 10), (0, 10)),
        ((50, 12), (20, 12)),
        ((10, 9), (10, 5)),
        ((50, 50), (20, 15)),
    ],
)
def test_the_nearest_point_on_a_border(point, nearest):
    assert on_border(point, (10, 10), (20, 10)) == nearest


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        ((0, 10), (4, 10)),
        ((0, 20), (0, 20)),
        ((80, 10), (76, 10)),
        ((40, 0), (40, 0)),
        ((40, 20), (40, 20)),
        ((2, 0), (2, 15)),
        ((78, 20), (78, 5)),
        ((0, 0), (0, 20)),
    ],
)
def test_from_a_rectangle_straight_to_the_outline_in_it(point, inside):
    slanted = [(8, 0), (80, 0), (72, 20), (0, 20)]
    assert inward(point, (0, 0, 80, 20), slanted) == pytest.approx(inside)
