"""A page to step through the frames of a walk: one file, without server or network.

The first frame stands in the page itself, and all events in a list, so that it reads well with
scripts off. The other frames are kept as what changes from each to the next.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphnet.draw.formulas import backward_formulas, forward_formula

if TYPE_CHECKING:
    from graphnet.draw.frames import Frames

Edit = tuple[int, int, list[str]]
"""Lines from the first to before the second place become these."""


def page_of(frames: Frames, whole: bool = True) -> str:
    """The page as a text.

    Args:
        frames: what it shows.
        whole: False for what stands inside a page that is there already, such as a notebook's.
    """
    svgs = list(frames)
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    parts = {
        "TITLE": "The walk, step by step",
        "FIRST": svgs[0] if svgs else "",
        "EVENTS": "".join(f"<li>{escape(str(event))}</li>" for event in frames.events),
        "DATA": _safe(
            {
                "edits": list(edits(svgs)),
                "captions": [_caption(frames, number) for number in range(len(frames))],
                "cards": cards(frames),
            }
        ),
    }
    body = template if whole else template.partition("<body>")[2].partition("</body>")[0]
    head, *pieces = body.split("{{")
    found = [piece.partition("}}") for piece in pieces]
    return head + "".join(parts[name] + rest for name, _, rest in found)


def edits(texts: list[str]) -> Iterator[list[Edit]]:
    r"""What makes each text out of the one before it, line by line, from the back to the front.

    >>> list(edits(["a\nb\nc", "a\nc\nd"]))
    [[(3, 3, ['d']), (1, 2, [])]]
    """
    for before, after in pairwise(texts):
        old, new = before.split("\n"), after.split("\n")
        changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        yield [
            (start, stop, new[first:last])
            for kind, start, stop, first, last in reversed(changes)
            if kind != "equal"
        ]


def cards(frames: Frames) -> dict[str, list[str]]:
    """For each box what is said when it is clicked: its formulas, or what is inside."""
    graph = frames.walk.graph
    found: dict[str, list[str]] = {}
    for box in frames.scene.boxes:
        if len(box.nodes) > 1:
            found[box.key] = [graph.name_of(node) for node in box.nodes[:20]]
        elif box.nodes and box.nodes[0].inputs:
            node = box.nodes[0]
            found[box.key] = [forward_formula(graph, node), *backward_formulas(graph, node)]
    return found


def _caption(frames: Frames, number: int) -> str:
    return f"Step {number + 1} of {len(frames)}: {frames.events[number]}"


def _safe(data: Any) -> str:
    """JSON that can stand in a page: no sign in it can end the script."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
