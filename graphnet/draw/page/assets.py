"""Templates, styles and scripts lie beside the Python files; a page is all of them in one text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SHARED_SCRIPTS = ("theme.js", "viewport.js")

MOST_BYTES = 280_000
"""The most bytes of a page put in a notebook, which keeps everything it shows."""


def asset(name: str, folder: Path | None = None) -> str:
    """The text of a file beside this one, or in another folder of the package."""
    return (folder or Path(__file__).parent).joinpath(name).read_text(encoding="utf-8")


def assets(names: tuple[str, ...], *own: str) -> str:
    """Shared files, by their names, and then the texts of a page's own."""
    return "".join([*map(asset, names), *own])


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with its places filled; what is put in is not searched for places again.

    >>> filled("<b>{{A}}</b>{{B}}", {"A": "{{B}}", "B": "!"})
    '<b>{{B}}</b>!'
    """
    head, *pieces = template.split("{{")
    found = [piece.partition("}}") for piece in pieces]
    return head + "".join(parts[name] + rest for name, _, rest in found)


def page_template(inside: str) -> str:
    """The template of a page with this inside."""
    return asset("frame.html").replace("{{BLOCK}}", block_template(inside, ""))


def block_template(inside: str, embedded: str = " data-embedded") -> str:
    """What a notebook gets of it: the block with its styles and scripts, for its own page."""
    return asset("block.html").replace("{{INSIDE}}", inside).replace("{{EMBEDDED}}", embedded)


def safe_json(data: Any) -> str:
    r"""JSON that can stand in a page: no character in it can end the script.

    >>> safe_json({"name": "</script>"})
    '{"name":"\\u003c/script>"}'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
