"""The plain-text twin of a picture: rails like those of a log graph, one line for each box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.console_text import printable, shown, text_table
from graphnet.draw.svg.footer import sharing_notes
from graphnet.draw.svg.style import letters
from graphnet.listing.rails import drawn

if TYPE_CHECKING:
    from graphnet.draw.scene.scene import Box, Scene


def rails(scene: Scene) -> str:
    """The scene as text, one line for each box: rails, place, kind, name, symbol, shape and note.

    The notes of the picture follow below.

    A value runs down its rail until its last reader; a horizontal line joins a box to its inputs.

    >>> import graphnet as gn
    >>> from graphnet.draw.scene.building import scene_of
    >>> graph = gn.Graph()
    >>> x = graph.input((3,), name="x")
    >>> y = x * x.tanh()
    >>> print(rails(scene_of(graph)))
    ○    0  input      x           3
    ├─●  1  operation  tanh  tanh  3
    ●─╯  2  operation  mul   ×     3
    """
    if not scene.boxes:
        return ""
    notes = _sharing(scene)
    rows = [
        (drawn, *_cells(box, notes[box.key]))
        for drawn, box in zip(_rails_of(scene), scene.boxes, strict=True)
    ]
    below = [*(note for note, _ in sharing_notes(scene)), *scene.notes]
    return "\n".join([text_table(rows), *(shown(printable(line)) for line in below)])


# cells


def _cells(box: Box, sharing: list[str]) -> tuple[str, ...]:
    """What the line of a box says after the rails."""
    places = box.places
    place = str(places[0]) if len(places) == 1 else f"{places[0]}…{places[-1]}" if places else ""
    note = ", ".join(text for text in (box.note, box.finding, *sharing) if text)
    return tuple(map(printable, (place, box.kind, box.full_name, box.symbol, box.shape, note)))


def _sharing(scene: Scene) -> dict[str, list[str]]:
    """For each box, the shared parameters that it holds, or reads once more."""
    notes = {box.key: [f"shared {letters(each)}" for each in box.sharing] for box in scene.boxes}
    for arrow in scene.arrows:
        if arrow.sharing is not None:
            text = f"reads {letters(arrow.sharing)}{arrow.use or ''}"
            if text not in notes[arrow.target]:
                notes[arrow.target].append(text)
    return notes


def _rails_of(scene: Scene) -> list[str]:
    """The rails of each box; arrows that lead up, to a folded module, are left out."""
    order = {box.key: place for place, box in enumerate(scene.boxes)}
    sources: list[dict[int, None]] = [{} for _ in scene.boxes]
    for arrow in scene.arrows:
        source, target = order[arrow.source], order[arrow.target]
        if source < target:
            sources[target][source] = None
    return drawn([box.kind for box in scene.boxes], sources)
