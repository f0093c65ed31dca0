"""What is written below a picture: what outlines mean, what is shared, what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from graphnet.draw.layout.geometry import MARGIN, text_width
from graphnet.draw.scene.scene import KINDS, Scene
from graphnet.draw.svg.marks import START, text
from graphnet.draw.svg.style import INK, STYLES, letters, outline, sharing_colour

if TYPE_CHECKING:
    from graphnet.draw.layout.geometry import Layout

SIZE = 10.0
LINE = 15.0
NARROWEST = 260.0
LETTER = 6.0  # about the width of one letter


@dataclass
class Footer:
    """The pieces of SVG below a picture, and the space that they take."""

    parts: list[str]
    width: float
    height: float


def footer(scene: Scene, layout: Layout, legend: bool = True) -> Footer:
    """The legend and the notes of a picture.

    Args:
        scene: what is drawn.
        layout: how large it is.
        legend: True to explain the kinds of box.
    """
    width = max(layout.width, NARROWEST)
    result = Footer([], width, layout.height)
    if legend:
        _legend(scene, result)
    for note, colour in [*sharing_notes(scene), *((note, INK) for note in scene.notes)]:
        for line in wrap(note, int((width - 2 * MARGIN) / LETTER)):
            result.parts.append(text((MARGIN, result.height + 10), line, SIZE, colour, START))
            result.height += LINE
    result.height -= layout.height - (MARGIN if result.parts else 0)
    return result


def _legend(scene: Scene, below: Footer) -> None:
    """One small outline for each kind that is drawn, with its name."""
    present = {box.kind for box in scene.boxes}
    entries = [(kind, 30.0, STYLES[kind].label) for kind in KINDS if kind in present]
    if any("?" in box.shape for box in scene.boxes):
        entries.append(("", 0.0, "? any size"))
    x = MARGIN
    for kind, indent, label in entries:
        needs = indent + text_width(label, SIZE) + 14
        if x > MARGIN and x + needs > below.width:
            x, below.height = MARGIN, below.height + LINE + 4
        if style := STYLES.get(kind):
            below.parts.append(
                f'<path d="{outline(kind, (x + 1, below.height, 24.0, 13.0))}" fill="{style.fill}"'
                f' stroke="{style.stroke}"{style.dashes}/>'
            )
        below.parts.append(text((x + indent, below.height + 10), label, SIZE, "", START))
        x += needs
    below.height += LINE + 4


def sharing_notes(scene: Scene) -> list[tuple[str, str]]:
    """What is shared and how often it is used, each with its colour."""
    return [
        (f"{letters(number)}: {sentence}.", sharing_colour(number))
        for number, sentence in enumerate(scene.shared)
    ]
