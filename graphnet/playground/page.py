"""The page of a playground: one file, and the policy that allows nothing but what is in it."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphnet.draw.page.assets import asset, filled, safe_json
from graphnet.draw.page.theme import styles
from graphnet.errors import GraphError
from graphnet.files import replace_file
from graphnet.playground.description import description_of
from graphnet.playground.views import View, views_of

if TYPE_CHECKING:
    from graphnet.playground.task import Task

_FOLDER = Path(__file__).parent

SCRIPTS = (
    *("tools.js", "rows.js", "learner.js", "evaluator.js", "runs.js", "loop.js"),
    *("app.js", "controls.js", "network.js", "card.js", "surface.js"),
    *("table.js", "curves.js", "keys.js", "start.js"),
)
"""The scripts of the page, in their order; the first half of them knows no page."""


def write_page(task: Task, file: str | PathLike[str]) -> Path:
    """Write the page of a task; returns its path.

    Raises:
        GraphError: the file cannot be written, or something has no form in JavaScript.
    """
    path = _checked_path(file)
    content = page_of(task).encode()
    try:
        replace_file(path, content)
    except OSError as error:
        raise GraphError(
            f"The page cannot be written to {str(path)!r}: {error.strerror or error}."
        ) from error
    return path


def _checked_path(file: Any) -> Path:
    """The path of a page; a wrong one is refused before anything is computed."""
    if not isinstance(file, str | PathLike):
        raise GraphError(f"file must be the path of a page, such as 'disk.html'; got {file!r}.")
    path = Path(file)
    if path.suffix.lower() not in (".html", ".htm"):
        raise GraphError(f"A playground is a page, such as 'disk.html'; got {path.name!r}.")
    if not path.resolve().parent.is_dir():
        raise GraphError(f"The folder {str(path.resolve().parent)!r} of the page does not exist.")
    return path


def page_of(task: Task) -> str:
    """The page as a text."""
    program = printed(task)
    views = views_of(task)
    data = description_of(task, program, views)
    css = styles(asset("viewport.css", _FOLDER), asset("page.css", _FOLDER))
    scripts = [guarded(program.source), _scripts()]
    parts = {
        "TITLE": escape(data["title"]),
        "POLICY": policy([css, *map(_style_of, views)], scripts),
        "CSS": css,
        "VIEWS": "".join(map(_stage, views)),
        "DATA": safe_json(data),
        "PROGRAM": scripts[0],
        "SCRIPT": scripts[1],
    }
    return filled(asset("page.html", _FOLDER), parts)
