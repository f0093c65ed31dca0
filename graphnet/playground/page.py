"""The page of a playground: one file, and the policy that allows nothing but what is in it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphnet.compile.targets.js import program as js
from graphnet.compile.targets.js.program import printed, source_of
from graphnet.console_text import printable
from graphnet.draw.page.assets import SHARED_SCRIPTS, asset, filled
from graphnet.draw.page.theme import styles
from graphnet.errors import GraphError
from graphnet.files import replace_file
from graphnet.playground.description import description_of
from graphnet.playground.generator import CALLED, generator_of
from graphnet.playground.images import images_of
from graphnet.playground.views import View, views_of

if TYPE_CHECKING:
    from graphnet.compile.targets.js.program import PrintedProgram
    from graphnet.playground.generator import Generator
    from graphnet.playground.task import Task

_FOLDER = Path(__file__).parent
_PRINTER = Path(js.__file__).parent

SCRIPTS = (
    *("tools.js", "rows.js", "learner.js", "evaluator.js", "runs.js", "loop.js", "layers.js"),
    *("dense.js", "chain.js", "app.js", "controls.js", "network.js", "structure.js"),
    *("written.js", "grids.js", "card.js", "surface.js", "pad.js", "images.js", "table.js"),
    *("curves.js", "weights.js", "python.js", "link.js", "keys.js", "start.js"),
)
"""The scripts of the page, in their order; the first half of them knows no page."""

OF_IMAGES = ("pad.js", "images.js")
OF_DENSE = ("layers.js", "chain.js", "structure.js")
"""Those that only some pages need."""


def write_page(task: Task, file: str | PathLike[str]) -> Path:
    """Write the page of a task; returns its path.

    Raises:
        GraphError: the file cannot be written, or something has no form in JavaScript.
    """
    path = _checked_path(file)
    return write_content(page_of(task), path)


def write_content(page: str, file: str | PathLike[str]) -> Path:
    """Write a page to a file; returns its path.

    Raises:
        GraphError: the file cannot be written.
    """
    path = _checked_path(file)
    try:
        replace_file(path, page.encode())
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
    program = printed_program(task)
    task = replace(task, is_open=program.is_open)
    views, generator = views_of(task), generator_of(task)
    css = styles(asset("page.css", _FOLDER))
    names = _needed(task, generator)
    scripts = [guarded(_source(program, generator)), _scripts(names)]
    parts = {
        "TITLE": escape(printable(task.title)),
        "POLICY": policy([css, *map(_style_of, views)], scripts),
        "CSS": css,
        "VIEWS": "".join(map(_stage, views)),
        "DATA": inert(description_of(task, program, views, generator)),
        "PROGRAM": scripts[0],
        "SCRIPT": scripts[1],
    }
    return filled(asset("page.html", _FOLDER), parts)


def _source(program: PrintedProgram, generator: Generator | None) -> str:
    """The list in JavaScript, and the parts of its relatives."""
    if generator is None:
        return program.source
    return source_of([program, *generator.programs], CALLED) + "\n" + generator.source


def printed_program(task: Task) -> PrintedProgram:
    """The list in JavaScript.

    Raises:
        GraphError: an operation has no form there.
    """
    shapes = {node.name: (task.batch_size, *rows.shape[1:]) for node, rows in task.train.items()}
    outputs = [] if task.output is None else [task.output]
    return printed(task.graph, task.loss, task.optimizer, shapes, outputs)


def policy(styles: Iterable[str], scripts: Iterable[str]) -> str:
    """The Content-Security-Policy: only these styles and scripts, no others, and no network.

    >>> policy([], ["a()"]).split("; ")[1]
    "script-src 'sha256-qVpDBgj7bpq5hMAcGp3AOc79J3Y1Z4HvySTwKrWDoy4='"
    """
    rules = [
        "default-src 'none'",
        f"script-src {_hashes(scripts)}",
        f"style-src {_hashes(styles)}",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules)


def _hashes(texts: Iterable[str]) -> str:
    digests = (b64encode(sha256(text.encode()).digest()).decode("ascii") for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def guarded(script: str) -> str:
    r"""A script that can stand in a page: nothing in its strings and comments can end it.

    >>> print(guarded('// </script>'))
    // <\/script>
    """
    return script.replace("</", "<\\/").replace("<!--", "<\\!--")


def inert(data: Any) -> str:
    r"""JSON that can stand in a page; in ASCII, since a name may hold half a character.

    >>> inert({"</script>": 1})
    '{"\\u003c/script>":1}'
    """
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _needed(task: Task, generator: Generator | None) -> list[str]:
    """The scripts of a page, without those of what it does not show."""
    left_out = {*(() if images_of(task) else OF_IMAGES), *(() if generator else OF_DENSE)}
    return [name for name in SCRIPTS if name not in left_out]


def _scripts(names: Iterable[str]) -> str:
    """The scripts of the page; a block keeps their names apart from those of the program."""
    shared = [asset(name) for name in SHARED_SCRIPTS]
    random = asset("random.js", _PRINTER)
    own = [asset(name, _FOLDER) for name in names]
    return guarded("\n".join(['"use strict";', "{", random, *shared, *own, "}", ""]))


def _style_of(view: View) -> str:
    """The style sheet in a picture, which has one."""
    return view.svg.partition("<style>")[2].partition("</style>")[0]


def _stage(view: View) -> str:
    return f'<div class="stage" data-view="{view.id}">{view.svg}</div>'
