"""The page of a drawing: one file to zoom, move, open, fold and search, without server or network.

It contains the drawing as a picture too, so that it can be read with scripts disabled.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from graphnet.draw.layout.geometry import text_width
from graphnet.draw.page.assets import (
    MOST_BYTES,
    SHARED_SCRIPTS,
    asset,
    assets,
    block_template,
    filled,
    page_template,
    safe_json,
)
from graphnet.draw.page.cards import Cards
from graphnet.draw.page.theme import styles
from graphnet.draw.page.views import MOST_BOXES, View, views_of
from graphnet.draw.svg.footer import sharing_notes

if TYPE_CHECKING:
    from graphnet.draw.drawing import Drawing, Source

_TOO_MANY = (
    "This network has very many nodes: the outer modules can be opened here. "
    "module.draw(shape) makes a page of a part of it."
)
_BYTES_EACH = 500  # about the least of a page for each node of the list
_AROUND_TITLE = 40  # points: the sign, and air
_SCRIPTS = ("stretch.js", "picture.js", "explore.js")


def page_of(drawing: Drawing, source: Source) -> str:
    """The page as a text.

    Args:
        drawing: the picture that it begins with.
        source: the list that it is a picture of.
    """
    return filled(page_template(asset("explore.html")), _parts(drawing, source))


def notebook_of(drawing: Drawing, source: Source) -> str | None:
    """The page inside a notebook's own; None if it is too large to keep in one."""
    if len(drawing.svg) + _BYTES_EACH * len(source.whole) > MOST_BYTES:
        return None
    page = filled(block_template(asset("explore.html")), _parts(drawing, source))
    return page if len(page.encode()) < MOST_BYTES else None


def _parts(drawing: Drawing, source: Source) -> dict[str, str]:
    scene = drawing.scene
    views = views_of(drawing, source)
    cards = Cards(source.graph, source.loss)
    data = {"views": [_data(view, cards) for view in views]}
    notes = [*(note for note, _ in sharing_notes(scene)), *source.remarks]
    if sum(len(view.scene) for view in views) >= MOST_BOXES:
        notes.append(_TOO_MANY)
    return {
        "TITLE": escape(drawing.look.title),
        "KIND": "explore",
        "CSS": styles(asset("explore.css")),
        "PICTURE": drawing.svg,
        "NOTES": "".join(f"<p>{escape(note)}</p>" for note in notes),
        "DATA": safe_json(data),
        "SCRIPT": assets((*SHARED_SCRIPTS, *_SCRIPTS)),
    }


def _data(view: View, cards: Cards) -> dict[str, Any]:
    """What the scripts need to know of a view; numbers in points, with one decimal."""
    layout, scene = view.layout, view.scene
    return {
        "svg": view.svg,
        "title": [view.title, round(text_width(view.title, 11, bold=True)) + _AROUND_TITLE],
        "size": _rounded(layout.width, layout.height),
        "boxes": {box.key: _rounded(*layout.rectangle(box)) for box in scene.boxes},
        "cards": {box.key: cards.card(box) for box in view.boxes},
        "names": {
            box.key: [cards.name_of(node) for node in box.nodes]
            for box in view.boxes
            if len(box.nodes) > 1 and (box.key not in view.children or box.key in view.copied)
        },
        "arrows": [[arrow.source, arrow.target] for arrow in scene.arrows],
        "frames": [_rounded(*frame) for frame in layout.frames.values()],
        "children": view.children,
        "entrances": view.entrances,
        "exits": view.exits,
        "ports": {box.key: box.name for box in scene.boxes if not box.nodes},
    }


def _rounded(*numbers: float) -> list[float]:
    return [round(number, 1) for number in numbers]
