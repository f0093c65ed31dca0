import pytest

from graphnet.draw.layout.geometry import MARGIN, Layout
from graphnet.draw.scene.scene import KINDS, Box, Scene
from graphnet.draw.svg.footer import footer, sharing_notes
from graphnet.draw.svg.style import sharing_colour

ALL_KINDS = Scene([Box(f"n{place}", kind, f"a{place}") for place, kind in enumerate(KINDS)])


def test_sharing_is_said_under_its_letter_in_its_colour():
    assert sharing_notes(Scene(shared=["net is shared", "w is shared"])) == [
        ("A: net is shared.", sharing_colour(0)),
        ("B: w is shared.", sharing_colour(1)),
    ]


def test_open_sizes_are_explained_where_there_are_some():
    def said(shape):
        below = footer(Scene([Box("n0", "input", "x", shape=shape)]), Layout(100.0, 50.0))
        return any("? any size" in part for part in below.parts)

    assert said("?×3")
    assert not said("2×3")


@pytest.mark.parametrize("width", [100.0, 300.0, 2000.0])
def test_a_legend_is_broken_into_lines_that_fit(width):
    below = footer(ALL_KINDS, Layout(width, 50.0))
    assert below.width == max(width, 260)
    assert sum("<text" in part for part in below.parts) == len(KINDS)
    lines = {part.split(' y="')[1].split('"')[0] for part in below.parts if "<text" in part}
    assert (len(lines) == 1) == (width == 2000.0)


def test_long_notes_are_wrapped_and_take_room():
    scene = Scene(notes=["word " * 40])
    below = footer(scene, Layout(300.0, 50.0), legend=False)
    assert below.height == MARGIN + 15 * len(below.parts)
    assert len(below.parts) > 2


def test_nothing_to_say_takes_no_room():
    below = footer(Scene(), Layout(300.0, 50.0), legend=False)
    assert below.parts == [] and below.height == 0
