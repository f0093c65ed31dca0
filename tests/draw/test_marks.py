import re
from xml.etree import ElementTree

import pytest

from graphnet.draw.svg.marks import (
    badge,
    badge_width,
    bars,
    curve_and_head,
    head_of,
    number,
    rounded,
    shown,
    text,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (-0.04, "0"), (1.25, "1.2"), (-3.0, "-3"), (1e6, "1000000")],
)
def test_number(value, written):
    assert number(value) == written


HOSTILE = [
    "<script>alert(1)</script>",
    'a" onload="alert(1)',
    "it's & so on",
    "two\nlines",
    "\x00\x1b[31m\x7f",
    "\ud800",
    "left\u202eright",
    "]]>",
]


@pytest.mark.parametrize("content", HOSTILE)
def test_hostile_text_stays_text(content):
    element = ElementTree.fromstring(text((0, 0), content))
    assert not list(element) and set(element.attrib) == {"x", "y"}
    spelled = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in content)
    assert element.text == spelled
    assert ElementTree.fromstring(f'<a b="{shown(content)}"/>').get("b") == spelled


def numbers_in(data):
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", data)]


@pytest.mark.parametrize(
    ("end", "neck"), [((0.0, 60.0), (0, 54)), ((0.0, -60.0), (0, -54)), ((60.0, 0.0), (54, 0))]
)
def test_a_head_ends_where_the_curve_ends(end, neck):
    third = (end[0] / 3, end[1] / 3)
    line, head = curve_and_head([(0.0, 0.0), third, (2 * third[0], 2 * third[1]), end])
    assert numbers_in(head)[:2] == list(end)
    assert numbers_in(line)[-2:] == list(neck)
    assert numbers_in(line)[:2] == [0, 0]


def test_a_curve_of_no_length_has_a_head_too():
    _, head = curve_and_head([(5.0, 5.0)] * 4)
    assert numbers_in(head)[:2] == [5, 5]


def test_a_head_is_as_wide_on_both_sides():
    assert head_of([(0.0, 0.0), (0.0, 3.0), (0.0, 6.0), (0.0, 9.0)]) == [
        (0, 9),
        (-3.2, 3),
        (3.2, 3),
    ]


def test_a_rectangle_with_round_corners_returns_to_its_start():
    data = rounded((10.0, 20.0, 80.0, 40.0), 5.0)
    assert data.startswith("M15 20h70") and data.endswith("Z")


def test_bars_are_drawn_for_what_is_not_empty():
    drawn = bars([1.0, 0.0, 0.001], (0.0, 0.0, 30.0, 10.0), "#000000")
    data = re.findall(r' d="(M[^"]*Z)"', drawn)[0]
    assert data.count("M") == 2
    assert "v-10h" in data and "v-1h" in data, "the smallest bar can still be seen"


@pytest.mark.parametrize(("zero", "across"), [(None, None), (0.0, 5), (0.25, 12.5), (1.0, 35)])
def test_a_line_across_the_bars_marks_zero(zero, across):
    drawn = bars([0.5, 1.0], (5.0, 10.0, 30.0, 10.0), "#000000", zero)
    base = re.findall(r' d="(M5 20h30[^"]*)"', drawn)[0]
    assert numbers_in(base)[3:] == ([] if zero is None else [across, 10, 13])


def test_hollow_bars_have_outlines_and_no_colour_inside():
    place = (0.0, 0.0, 30.0, 10.0)
    full = bars([0.5, 1.0], place, "#123456")
    hollow = bars([0.5, 1.0], place, "#123456", hollow=True)
    assert full.count('fill="#123456"') == 1 and 'fill="none"' not in full
    assert hollow.count('fill="none" stroke="#123456"') == 1 and 'fill="#123456"' not in hollow


def test_a_badge_grows_with_its_text_and_is_never_narrower_than_high():
    widths = []
    for mark in ("A", "A1", "A12"):
        xs = numbers_in(badge(mark, (0.0, 0.0), "#000000").split('"')[1])
        widths.append(-2 * (xs[0] - 7))
    assert widths == sorted(set(widths)) and widths[0] >= 14
    assert widths == pytest.approx([badge_width(mark) for mark in ("A", "A1", "A12")], abs=0.2)


SHORT = [
    [(0.0, 0.0), (0.0, 0.0), (0.0, 8.0), (0.0, 8.0)],
    [(0.0, 0.0), (0.0, 10.0), (0.0, 20.0), (0.0, 30.0), (0.0, 31.0), (0.0, 32.0), (0.0, 33.0)],
    [(9.0, 0.0), (9.0, 5.0), (0.0, 5.0), (0.0, 20.0), (0.0, 29.0), (0.0, 21.0), (0.0, 30.0)],
]


@pytest.mark.parametrize("curve", SHORT)
def test_a_line_does_not_run_into_its_head_and_back(curve):
    numbers = numbers_in(curve_and_head(curve)[0])
    assert max(numbers[1::2]) <= numbers[-1] == curve[-1][1] - 6
    assert len(numbers) % 6 == 2
