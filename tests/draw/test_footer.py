import pytest

from graphnet.draw.footer import footer, sharing_notes
from graphnet.draw.geometry import MARGIN, Layout
from graphnet.draw.scene import KINDS, Arrow, Box, Scene
from graphnet.draw.style import sharing_colour

ALL_KINDS = Scene([Box(f"n{place}", kind, f"a{place}") for place, kind in enumerate(KINDS)])


def test_sharing_is_said_for_each_parameter_with_all_its_uses():
    boxes = [Box("n0", "parameter", "W", path=("net",)), Box("n1", "parameter", "b")]
    boxes += [Box(f"n{place}", "operation", "f") for place in (2, 3)]
    arrows = [Arrow("n1", "n2", 1, 1), Arrow("n0", "n2", 0, 1), Arrow("n0", "n3", 0, 2, count=23)]
    assert sharing_notes(Scene(boxes, arrows)) == [
        ("A: net.W is shared, used 24 times.", sharing_colour(0)),
        ("B: b is shared, used 1 time.", sharing_colour(1)),
    ]


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
    assert below.height == MARGIN + 14 * len(below.parts)
    assert len(below.parts) > 2


def test_nothing_to_say_takes_no_room():
    below = footer(Scene(), Layout(300.0, 50.0), legend=False)
    assert below.parts == [] and below.height == 0
