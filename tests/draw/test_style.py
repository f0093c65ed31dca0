import colorsys
from itertools import combinations

import pytest

from graphnet.draw.scene.scene import KINDS
from graphnet.draw.svg.style import (
    SHARED,
    STYLES,
    contrast,
    corners,
    ink_on,
    letters,
    outline,
    sharing_colour,
)

PLACE = (10.0, 20.0, 80.0, 40.0)


def grey(colour):
    red, green, blue = bytes.fromhex(colour[1:])
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_each_kind_has_a_style_and_an_outline_of_its_own():
    assert list(STYLES) == list(KINDS)
    looks = {(outline(kind, PLACE), STYLES[kind].dashes) for kind in KINDS}
    assert len(looks) == len(KINDS)
    assert len({style.fill for style in STYLES.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_letters_can_be_read_on_every_fill_in_grey(kind):
    fill = STYLES[kind].fill
    assert abs(grey(ink_on(fill)) - grey(fill)) > 120


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [PLACE, (0.0, 0.0, 24.0, 13.0)])
def test_an_outline_is_closed_and_fills_its_rectangle(kind, place):
    data = outline(kind, place)
    assert data.startswith("M") and "Z" in data
    assert "--" not in data and "e" not in data


def test_shared_parameters_have_different_dark_colours():
    colours = [sharing_colour(sharing) for sharing in range(50)]
    assert len(set(colours)) == 50
    assert min(contrast("#ffffff", colour) for colour in colours) >= 4.5


def test_the_first_shared_colours_differ_in_grey():
    assert min(abs(grey(one) - grey(other)) for one, other in combinations(SHARED, 2)) >= 14
    assert abs(grey(SHARED[0]) - grey(SHARED[1])) >= 30


def test_parameters_and_operations_differ_in_grey():
    fills = [STYLES[kind].fill for kind in ("parameter", "operation")]
    assert abs(grey(fills[0]) - grey(fills[1])) >= 20
    assert all(contrast(ink_on(fill), fill) >= 7 for fill in fills)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#ffffff", "#000000", 21), ("#777777", "#ffffff", 4.48), ("#d55e00", "#ffffff", 3.87)],
)
def test_contrast_is_that_of_the_guidelines(one, other, ratio):
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_the_corners_touch_all_sides_and_stay_inside(kind):
    left, top, width, height = PLACE
    xs, ys = zip(*corners(kind, PLACE), strict=True)
    assert (min(xs), max(xs)) == pytest.approx((left, left + width))
    assert (min(ys), max(ys)) == pytest.approx((top, top + height))


def test_the_first_two_shared_colours_are_blue_and_orange():
    hues = [colorsys.rgb_to_hls(*bytes.fromhex(sharing_colour(n)[1:]))[0] for n in range(2)]
    assert 0.5 < hues[0] < 0.7 and 0.05 < hues[1] < 0.12


@pytest.mark.parametrize(
    ("sharing", "text"), [(0, "A"), (1, "B"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA")]
)
def test_letters(sharing, text):
    assert letters(sharing) == text


@pytest.mark.parametrize("fill", ["", "red", "#12", "url(#x)", "#12345678", "#gggggg"])
def test_ink_on_what_is_no_colour_is_black(fill):
    assert ink_on(fill) == "#1a1a1a"
