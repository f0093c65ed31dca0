"""The checker of pictures finds each kind of fault."""

from __future__ import annotations

import pytest
from draw.picture_faults import faults, smallest_letters

START = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100" viewBox="0 0 200 100">'
GROUND = '<rect width="200" height="100" fill="#ffffff"/>'
BOX = '<g id="u-n0"><path d="M20 20h80v40h-80Z" fill="#d9e9f7" stroke="#1f5f99"/>{}</g>'
ARROW = (
    '<g id="u-a0" stroke="#5c6670" fill="none"><path d="M{0} 5C{0} 30 {0} 60 {0} 80"/>'
    '<path d="M{0} 90L{1} 80L{2} 80Z" fill="#5c6670" stroke="none"/></g>'
)
BADGE = (
    '<path d="M{} {}h20v14h-20Z" fill="#1a1a1a" stroke="#ffffff"/>'
    '<text x="{}" y="{}" fill="#ffffff" font-weight="bold">A1</text>'
)


def text(x, y, content="word", fill="#1a1a1a", size=10, rest=""):
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}"{rest}>{content}</text>'


def title(x, y, content):
    return text(x, y, content, rest=' font-weight="bold"')


FRAME = '<path d="M10 10h180v80h-180Z" fill="#1f3a5f" fill-opacity=".04" stroke="#9aa5b1"/>'
HOOK = '<g id="u-a0" stroke="#5c6670" fill="none"><path d="M{}"/></g>'
LANE = "50 10C50 30 50 30 50 60C50 60 50 60 70 60C70 60 70 60 70 10"


def arrow(x):
    return ARROW.format(x, x - 3, x + 3)


def badge(x, y):
    return BADGE.format(x, y, x + 2, y + 11)


def picture(*parts):
    return "\n".join([START, GROUND, *parts, "</svg>"])


RIGHT = [
    picture(BOX.format(text(30, 40))),
    picture(BOX.format(text(30, 40)), arrow(150)),
    picture(arrow(150), badge(140, 40)),
    picture(FRAME, title(20, 25, "net"), title(20, 36, "Block"), arrow(150)),
    picture(FRAME, title(20, 25, "net"), title(60, 70, "Block"), arrow(50)),
    picture(HOOK.format(LANE)),
]
WRONG = [
    (picture(text(20, 30), text(30, 32, "other")), "'word' and 'other' overlap"),
    (picture(text(190, 30)), "'word' leaves the picture"),
    (picture(BOX.format(text(85, 40))), "'word' leaves its box"),
    (picture(arrow(40), text(30, 40)), "arrow a0 runs through 'word'"),
    (picture(arrow(150), badge(140, 78)), "the badge 'A1' hides the head of a0"),
    (picture(badge(190, 40)), "the badge 'A1' leaves the picture"),
    (picture(text(30, 40), badge(40, 30)), "the badge 'A1' hides 'word'"),
    (picture(BOX.format(""), text(90, 40)), "'word' lies on the box n0"),
    (picture(text(30, 40, fill="#cccccc")), "'word' has a contrast of 1.6"),
    (picture(BOX.format(text(30, 40, fill="#ffffff"))), "'word' has a contrast of 1.2"),
    (picture(arrow(205)), "arrow a0 leaves the picture"),
    (
        picture(FRAME, title(20, 25, "net"), title(60, 25, "Block"), arrow(50)),
        "arrow a0 runs between 'net' and 'Block'",
    ),
    (
        picture(FRAME, title(20, 25, "net"), title(60, 36, "Block"), arrow(50)),
        "arrow a0 runs between 'net' and 'Block'",
    ),
    (picture(HOOK.format(LANE.replace("70", "55"))), "arrow a0 turns back"),
    (picture(HOOK.format("50 10L50 60L50 50L90 50")), "arrow a0 turns back"),
]


@pytest.mark.parametrize("svg", RIGHT)
def test_a_good_picture_has_no_faults(svg):
    assert faults(svg) == []


@pytest.mark.parametrize(("svg", "fault"), WRONG)
def test_each_fault_is_found(svg, fault):
    assert fault in faults(svg)


def test_the_smallest_letters_on_a_screen():
    svg = picture(text(30, 40), text(30, 80, size=8))
    assert smallest_letters(svg, 400, 400) == 16
