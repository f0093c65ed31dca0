"""How a kind of box looks: its outline and its colours.

Blue and orange stay apart for colour-blind eyes, light and dark stay apart in grey, and each kind
has an outline of its own. A parameter that is used more than once has a letter and a colour.
"""

from __future__ import annotations

from colorsys import hls_to_rgb
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING

from graphnet.draw.marks import number, polygon, rounded

if TYPE_CHECKING:
    from graphnet.draw.geometry import Rectangle

__all__ = ["STYLES", "Style", "ink_on", "letters", "outline", "sharing_colour"]

INK = "#1a1a1a"
EDGE = "#5c6670"
FRAME = "#9aa4ae"
GLOW = "#ffd166"
RING = "#c2410c"

SHARED = ("#0072b2", "#d55e00", "#7b3294", "#007a5e", "#b0306a", "#8a5a00")
"""The colours of the first shared parameters, all of them dark enough for white letters."""

GOLDEN_ANGLE = 0.381966


@dataclass(frozen=True)
class Style:
    """The look of one kind of box.

    Attributes:
        label: the kind as the legend calls it.
        fill: the colour inside.
        stroke: the colour of the outline.
        width: the width of the outline.
        dashes: the dashes of the outline; empty for a full line.
    """

    label: str
    fill: str
    stroke: str
    width: float = 1.2
    dashes: str = ""


STYLES = {
    "input": Style("input", "#f1f1f1", "#3d3d3d"),
    "parameter": Style("parameter", "#fddcb5", "#a85000"),
    "buffer": Style("buffer", "#fff3e2", "#a85000", dashes="4 2"),
    "operation": Style("operation", "#d3e5f5", "#1f5f99"),
    "loss": Style("loss", "#123f66", "#0a2740", width=2.4),
    "gradient": Style("part of a gradient", "#e9e4f4", "#5b4a8a", dashes="2 2"),
    "module": Style("module, folded", "#eef4fa", "#1f5f99", width=1.6),
}
"""The look of each kind in `graphnet.draw.scene.KINDS`."""


def outline(kind: str, place: Rectangle) -> str:
    """The outline of a box as the path data of SVG; each kind has one of its own.

    Args:
        kind: one of `graphnet.draw.scene.KINDS`.
        place: the rectangle that the box fills.
    """
    left, top, width, height = place
    right, bottom, middle = left + width, top + height, top + height / 2
    match kind:
        case "input":  # a parallelogram: data, in flowcharts
            return polygon([(left + 7, top), (right, top), (right - 7, bottom), (left, bottom)])
        case "parameter" | "buffer":  # a card with a corner cut off: something stored
            cut = [(right - 9, top), (right, top + 9)]
            return polygon([(left, top), *cut, (right, bottom), (left, bottom)])
        case "gradient":  # a sign that points back
            return polygon(
                [(left + 7, top), (right, top), (right, bottom), (left + 7, bottom), (left, middle)]
            )
        case "loss":  # round ends: the walk stops here
            return rounded(place, min(height / 2, 16))
        case "module":  # double sides: a subroutine, in flowcharts
            sides = f"M{number(left + 4)} {number(top)}v{number(height)}"
            sides += f"M{number(right - 4)} {number(top)}v{number(height)}"
            return rounded(place, 0) + sides
        case _:
            return rounded(place, 5)


def sharing_colour(sharing: int) -> str:
    """The colour of a shared parameter and its arrows, never the same for the first fifty."""
    if sharing < len(SHARED):
        return SHARED[sharing]
    hue = (0.6 + GOLDEN_ANGLE * sharing) % 1
    return "#" + "".join(f"{round(255 * part):02x}" for part in hls_to_rgb(hue, 0.3, 0.75))


def letters(sharing: int) -> str:
    """The letter of a shared parameter, for those who do not see its colour.

    >>> letters(0), letters(25), letters(26)
    ('A', 'Z', 'AA')
    """
    text = ""
    while sharing >= 0:
        sharing, place = divmod(sharing, 26)
        text = ascii_uppercase[place] + text
        sharing -= 1
    return text


def ink_on(fill: str) -> str:
    """Black or white, whichever can be read on a colour; black where it is no #rrggbb.

    >>> ink_on("#123f66"), ink_on("#fddcb5")
    ('#ffffff', '#1a1a1a')
    """
    try:
        red, green, blue = bytes.fromhex(fill.removeprefix("#"))
    except ValueError:
        return INK
    return "#ffffff" if 0.299 * red + 0.587 * green + 0.114 * blue < 128 else INK
