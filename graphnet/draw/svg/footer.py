"""What is written below a picture: what outlines mean, what is shared, what was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from textwrap import wrap
from typing import TYPE_CHECKING

from graphnet.draw.layout.geometry import MARGIN, Point, text_width
from graphnet.draw.scene.scene import KINDS, Scene, learned_in
from graphnet.draw.svg.marks import START, badge, badge_width, bars, text
from graphnet.draw.svg.style import (
    FOUND,
    INK,
    MARKED,
    STYLES,
    band,
    letters,
    outline,
    sharing_colour,
)

if TYPE_CHECKING:
    from graphnet.draw.layout.geometry import Layout

SIZE = 10.0
LINE = 15.0
NARROWEST = 260.0
_MANY = "× n"
LETTER = 6.0  # about the width of one letter


_Entry = tuple[Callable[[Point], list[str]], float, str]


@dataclass
class Footer:
    """The pieces of SVG below a picture, and the space that they take."""

    parts: list[str]
    width: float
    height: float


def footer(scene: Scene, layout: Layout, legend: bool = True, marked: bool = False) -> Footer:
    """The legend and the notes of a picture.

    Args:
        scene: what is drawn.
        layout: how large it is.
        legend: True to explain the kinds of box and the signs.
        marked: True if boxes have the colour of a finding.
    """
    width = max(layout.width, NARROWEST)
    result = Footer([], width, layout.height)
    if legend:
        _put(_entries(scene, marked), result)
    for note, colour in [*sharing_notes(scene), *((note, INK) for note in scene.notes)]:
        for line in wrap(note, int((width - 2 * MARGIN) / LETTER)):
            result.parts.append(text((MARGIN, result.height + 10), line, SIZE, colour, START))
            result.height += LINE
    result.height -= layout.height - (MARGIN if result.parts else 0)
    return result


def _entries(scene: Scene, marked: bool) -> list[_Entry]:
    """What the picture shows that needs a word: each a drawing, its width, and the word."""
    present = {box.kind for box in scene.boxes}
    entries: list[_Entry] = [
        (partial(_outlined, kind, "", ""), 30.0, STYLES[kind].label)
        for kind in KINDS
        if kind in present
    ]
    if any(box.folded and learned_in(box) for box in scene.boxes):
        entries.append((_band, 12.0, "holds parameters"))
    if marked:
        entries.append((partial(_outlined, "operation", MARKED, FOUND), 30.0, "finding"))
    if any(arrow.count > 1 for arrow in scene.arrows):
        entries.append((_bundle, badge_width(_MANY) + 6, "n values"))
    if any(box.reserved for box in scene.boxes):
        entries.append((_nothing, 0.0, "‖norm‖ least … largest"))
        entries.append((_zero, 30.0, "zero"))
    if any("?" in box.shape for box in scene.boxes):
        entries.append((_nothing, 0.0, "? any size"))
    return entries


def _put(entries: list[_Entry], below: Footer) -> None:
    """Set the entries of the legend in lines."""
    x = MARGIN
    for draw, indent, label in entries:
        needs = indent + text_width(label, SIZE) + 14
        if x > MARGIN and x + needs > below.width:
            x, below.height = MARGIN, below.height + LINE + 4
        below.parts += draw((x + 1, below.height))
        below.parts.append(text((x + indent, below.height + 10), label, SIZE, "", START))
        x += needs
    below.height += LINE + 4


def _outlined(kind: str, fill: str, stroke: str, at: Point) -> list[str]:
    """A small box of a kind."""
    style = STYLES[kind]
    return [
        f'<path d="{outline(kind, (*at, 24.0, 13.0))}" fill="{fill or style.fill}"'
        f' stroke="{stroke or style.stroke}"{style.dashes}/>'
    ]


def _band(at: Point) -> list[str]:
    """The side of a box that holds parameters."""
    return [band((at[0] + 3, at[1], 13.0))]


def _bundle(at: Point) -> list[str]:
    """The badge of an arrow that stands for several."""
    return [badge(_MANY, (at[0] + badge_width(_MANY) / 2, at[1] + 6.5), INK)]


def _zero(at: Point) -> list[str]:
    """The mark of zero in a histogram."""
    return [bars((0.3, 0.7, 0.9, 0.5), (at[0], at[1], 24.0, 10.0), INK, 0.5)]


def _nothing(at: Point) -> list[str]:
    """A word that explains itself."""
    return []


def sharing_notes(scene: Scene) -> list[tuple[str, str]]:
    """What is shared and how often it is used, each with its colour."""
    return [
        (f"{letters(number)}: {sentence}.", sharing_colour(number))
        for number, sentence in enumerate(scene.shared)
    ]
