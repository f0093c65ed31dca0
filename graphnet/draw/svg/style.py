"""The look of each kind of box: its outline and its colours.

Blue and orange stay distinct for colour-blind eyes, light and dark stay distinct in grey, and each
kind has an outline of its own. A parameter that is used more than once has a letter and a colour.
"""

from __future__ import annotations

from colorsys import hls_to_rgb
from dataclasses import dataclass
from math import cos, pi, sin
from string import ascii_uppercase
from typing import TYPE_CHECKING

from graphnet.draw.svg.marks import number, polygon, rounded

if TYPE_CHECKING:
    from graphnet.draw.layout.geometry import Point, Rectangle
    from graphnet.draw.scene.scene import Box

INK = "#1a1a1a"
EDGE = "#5c6670"
QUIET = "#545d66"
FRAME = "#9aa4ae"
GLOW = "#ffd166"
RING = "#c2410c"

MARKED, FOUND = "#f7b6d9", "#a3145f"
"""A box with a finding, and its outline: no kind of box has these colours."""

SHARED = ("#005da0", "#c74f00", "#431358", "#008659", "#8f0856", "#231900")
"""The colours of the first shared parameters: dark enough for white letters, distinct in grey."""

GOLDEN_ANGLE = 0.381966

_MOST_BADGES = 2  # fit on the narrowest box


@dataclass(frozen=True)
class Style:
    """The look of one kind of box.

    Attributes:
        label: the name of the kind in the legend.
        fill: the colour inside.
        stroke: the colour of the outline.
        width: the width of the outline.
        dash_pattern: the dashes of the outline; empty for a solid line.
        inset: how far from its corners its sides are straight.
    """

    label: str
    fill: str
    stroke: str
    width: float = 1.2
    dash_pattern: str = ""
    inset: float = 0.0

    @property
    def dashes(self) -> str:
        """The dashes as an attribute in SVG."""
        return f' stroke-dasharray="{self.dash_pattern}"' if self.dash_pattern else ""


STYLES = {
    "input": Style("input", "#f1f1f1", "#3d3d3d"),
    "parameter": Style("parameter", "#f9c990", "#a85000"),
    "buffer": Style("buffer", "#fff3e2", "#a85000", dash_pattern="4 2"),
    "operation": Style("operation", "#e7f1fa", "#1f5f99"),
    "layer": Style("layer", "#cbe0f4", "#1f5f99", width=1.6, inset=9),
    "loss": Style("loss", "#123f66", "#0a2740", width=2.4, inset=16),
    "gradient": Style("part of a gradient", "#e9e4f4", "#5b4a8a", dash_pattern="2 2"),
    "module": Style("module, folded", "#f7f9fb", "#1f5f99", width=1.6),
}
"""The look of each kind in `graphnet.draw.scene.scene.KINDS`."""


def outline(kind: str, place: Rectangle) -> str:
    """The outline of a box as SVG path data; each kind has one of its own.

    Args:
        kind: one of `graphnet.draw.scene.scene.KINDS`.
        place: the rectangle that the box fills.
    """
    left, top, width, height = place
    if kind not in ("operation", "layer", "loss", "module"):
        return polygon(corners(kind, place))
    path = rounded(place, _radius(kind, height))
    if kind == "module":  # double sides: a subroutine, in flowcharts
        for x in (left + 4, left + width - 4):
            path += f"M{number(x)} {number(top)}v{number(height)}"
    return path


def band(place: tuple[float, float, float]) -> str:
    """A band at the side of a box that holds parameters: its middle, its top and its height."""
    x, top, height = map(number, place)
    colour = STYLES["parameter"].stroke
    return f'<path d="M{x} {top}v{height}" fill="none" stroke="{colour}" stroke-width="3"/>'


def corners(kind: str, place: Rectangle) -> list[Point]:
    """The corners of the outline of a box, in order; a round one is many points.

    Args:
        kind: one of `graphnet.draw.scene.scene.KINDS`.
        place: the rectangle that the box fills.
    """
    left, top, width, height = place
    right, bottom, middle = left + width, top + height, top + height / 2
    match kind:
        case "input":  # a parallelogram: data, in flowcharts
            return [(left + 7, top), (right, top), (right - 7, bottom), (left, bottom)]
        case "parameter" | "buffer":  # a card with a corner cut off: something stored
            cut = [(right - 9, top), (right, top + 9)]
            return [(left, top), *cut, (right, bottom), (left, bottom)]
        case "gradient":  # a sign that points back
            front = [(left + 7, bottom), (left, middle), (left + 7, top)]
            return [(right, top), (right, bottom), *front]
    r = _radius(kind, height)
    centres = [(right - r, bottom - r), (left + r, bottom - r), (left + r, top + r)]
    return [
        (x + r * cos(angle * pi / 12), y + r * sin(angle * pi / 12))
        for quarter, (x, y) in enumerate([*centres, (right - r, top + r)])
        for angle in range(6 * quarter, 6 * quarter + 7)
    ]


def _radius(kind: str, height: float) -> float:
    """How round a box is: a layer more than its operations; the loss ends the walk."""
    return {"loss": min(height / 2, 16), "module": 0, "layer": min(height / 2, 9)}.get(kind, 5)


def sharing_colour(sharing: int) -> str:
    """The colour of a shared parameter and its arrows, never the same for the first fifty."""
    if sharing < len(SHARED):
        return SHARED[sharing]
    hue, lightness = (0.6 + GOLDEN_ANGLE * sharing) % 1, (0.25, 0.12, 0.18)[sharing % 3]
    return "#" + "".join(f"{round(255 * part):02x}" for part in hls_to_rgb(hue, lightness, 0.75))


def letters(sharing: int) -> str:
    """The letter of a shared parameter, for those who cannot see its colour.

    >>> letters(0), letters(25), letters(26)
    ('A', 'Z', 'AA')
    """
    text = ""
    while sharing >= 0:
        sharing, place = divmod(sharing, 26)
        text = ascii_uppercase[place] + text
        sharing -= 1
    return text


def sharing_marks(box: Box) -> list[tuple[str, int]]:
    """What the badges of a box say, and the number whose colour each has; no more than fit on it.

    >>> from graphnet.draw.scene.scene import Box
    >>> sharing_marks(Box("n0", "parameter", "weight", sharing=(0, 3)))
    [('A', 0), ('D', 3)]
    >>> sharing_marks(Box("m0", "module", "block", sharing=tuple(range(12))))
    [('A to L: 12', 0)]
    """
    marks = [(letters(each), each) for each in box.sharing]
    if len(marks) <= _MOST_BADGES:
        return marks
    first, last = min(box.sharing), max(box.sharing)
    return [(f"{letters(first)} to {letters(last)}: {len(marks)}", box.sharing[0])]


def ink_on(fill: str) -> str:
    """Black or white, whichever is more readable on a colour; black if it is not #rrggbb.

    >>> ink_on("#123f66"), ink_on("#f9c990")
    ('#ffffff', '#1a1a1a')
    """
    try:
        return max((INK, "#ffffff"), key=lambda ink: contrast(ink, fill))
    except ValueError:
        return INK


def contrast(one: str, other: str) -> float:
    """How readable one colour is on another, from 1 to 21; small letters need 4.5.

    The contrast ratio of the Web Content Accessibility Guidelines 2.2: (L1 + 0.05) / (L2 + 0.05)
    of their relative luminances.

    Raises:
        ValueError: a colour is not #rrggbb.

    >>> round(contrast("#ffffff", "#000000"))
    21
    """
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (byte / 255 for byte in bytes.fromhex(colour.removeprefix("#")))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
