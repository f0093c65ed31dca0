"""A page to step through the frames of a walk: one file, without server or network.

The page contains the last frame and a list of all steps, so that it is readable with scripts
disabled. The other frames are kept as the lines that change from one to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from html import escape
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from graphnet.draw.page.theme import styles
from graphnet.errors import counted
from graphnet.formulas.operation import Formulas
from graphnet.graph import Operation
from graphnet.stepping.numbers import numbers_of

if TYPE_CHECKING:
    from graphnet.draw.scene.scene import Box
    from graphnet.graph import Node
    from graphnet.stepping.frames import Frames

_MOST_LINES = 50  # steps in the text, at either end
_MOST_OPERATIONS = 2  # of a folded box whose formulas are shown
_MOST_NAMES = 20  # nodes on the card of a larger one
_MOST_PARTS = 8  # readers on the card of a leaf

Edit = tuple[int, str]
"""The line at this place is replaced by this one."""


def page_of(frames: Frames) -> str:
    """The page as a text."""
    return _filled(page_template(_own("walk.html")), frames, range(len(frames)), _told(frames))


def notebook_of(frames: Frames) -> str:
    """The page inside a notebook's own; if it is too large, numbers and steps are left out."""
    inner = block_template(_own("walk.html"))
    told = _told(frames)
    last, every = len(frames) - 1, 1
    while len(frames.svg(last)) < MOST_BYTES and every <= 2 * len(frames):
        shown = [*range(0, last, every), last]
        note = _note(f"Only {len(shown):,} of {len(frames):,} steps are") if every > 1 else ""
        page = _filled(inner, frames, shown, told, note)
        if len(page.encode()) < MOST_BYTES:
            return page
        every *= 2
        told["numbers"] = {}
    return _note("None of the large pictures is")


def _told(frames: Frames) -> dict[str, Any]:
    """What the card can show: texts and numbers of each box."""
    step_of = {event.number: at for at, step in enumerate(frames.steps) for event in step}
    found = numbers_of(frames.events, [step_of[event.number] for event in frames.events])
    results = {box.key: box.nodes[-1] for box in frames.scene.boxes}  # a folded box: what it gives
    numbers = {
        key: [asdict(grid) for grid in found[node]]
        for key, node in results.items()
        if found.get(node)
    }
    return {"cards": cards(frames), "numbers": numbers}


def _note(what: str) -> str:
    """The note that not all steps are shown."""
    return (
        f'<p class="note">{what} here, to keep the notebook small: '
        "frames.html(&quot;walk.html&quot;) writes all, and walk.frames(depth=0) folds all "
        "modules.</p>"
    )


def _own(name: str) -> str:
    return asset(name, Path(__file__).parent)


def _filled(
    template: str, frames: Frames, numbers: Sequence[int], told: Mapping[str, Any], note: str = ""
) -> str:
    """A template with some of the frames in it."""
    captions = [frames.caption(number) for number in numbers]
    last = frames.svg(numbers[-1])
    data = {
        "edits": list(edits(chain([last], map(frames.svg, numbers)))),
        "captions": captions,
        "boxes": [frames.box(number) for number in numbers],
        "steps": list(numbers),
        **told,
    }
    parts = {
        "TITLE": "The walk, step by step",
        "KIND": "walk",
        "CSS": styles(_own("walk.css")),
        "NOTE": note,
        "CAPTION": escape(captions[-1]),
        "LAST": last,
        "STEPS": "".join(f"<li>{escape(caption)}</li>" for caption in captions),
        "DATA": safe_json(data),
        "SCRIPT": assets(SHARED_SCRIPTS, _own("walk.js")),
    }
    return filled(template, parts)


def edits(texts: Iterable[str]) -> Iterator[list[Edit]]:
    r"""What turns each text into the next, line by line; all have the same number of lines.

    >>> list(edits(["a\nb\nc", "a\nB\nC"]))
    [[(1, 'B'), (2, 'C')]]
    """
    for before, after in pairwise(text.split("\n") for text in texts):
        lines = enumerate(zip(before, after, strict=True))
        yield [(place, new) for place, (old, new) in lines if new != old]


def lines_of(frames: Frames) -> str:
    """The steps as a text; of very many, only the first and the last."""
    lines: list[str] = [frames.caption(number) for number in range(len(frames))]
    left_out = len(lines) - 2 * _MOST_LINES
    if left_out > 0:
        lines[_MOST_LINES:-_MOST_LINES] = [f"… {counted(left_out, 'step')} left out …"]
    return "\n".join(lines)


def cards(frames: Frames) -> dict[str, list[str]]:
    """For each box, what a click on it shows: its formulas, or its contents."""
    formulas = Formulas(frames.walk.graph, frames.walk.loss)
    return {box.key: _card_of(formulas, box) for box in frames.scene.boxes}


def _card_of(formulas: Formulas, box: Box) -> list[str]:
    """The card of a box: formulas of one node, or of the few operations of a layer, or names."""
    operations = [node for node in box.nodes if isinstance(node, Operation)]
    if len(box.nodes) == 1:
        return told_of(formulas, box.nodes[0])
    if len(operations) <= _MOST_OPERATIONS:
        return [line for node in operations for line in told_of(formulas, node)]
    return [formulas.graph.name_of(node) for node in box.nodes[:_MOST_NAMES]]


def told_of(formulas: Formulas, node: Node) -> list[str]:
    """What a node computes and sends on; for a leaf the sum of what it receives, and its parts."""
    lines = [formulas.forward(node), *formulas.backward(node)]
    if not isinstance(node, Operation):
        gradient = formulas.letters[node].gradient()
        places = dict.fromkeys(place for place, _ in formulas.parts.get(node, ()))
        for place in [*places][:_MOST_PARTS]:
            rules = formulas.backward(formulas.graph[place])
            lines += [line for line in rules if line.startswith((f"{gradient} =", f"{gradient}⁽"))]
    return lines
