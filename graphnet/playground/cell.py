"""A page in the cell of a notebook: a frame that holds the whole page, without a server.

The frame is sandboxed: scripts run and files can be taken away, and nothing else. It reads nothing
of the notebook around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from graphnet.playground.page import page_of, write_content, write_page
from graphnet.playground.task import task_of_graph
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from graphnet.graph import Graph
    from graphnet.playground.task import Task

LEAST_HEIGHT = 200


@dataclass(frozen=True)
class Cell:
    """A page of the playground that a notebook shows.

    Attributes:
        page: the page as a text.
        title: its title.
        height: of its frame, in pixels.
    """

    page: str
    title: str
    height: int

    def save(self, file: str | PathLike[str]) -> Path:
        """Write the page to a file; returns its path.

        Raises:
            GraphError: the file cannot be written.
        """
        return write_content(self.page, file)

    def __repr__(self) -> str:
        return f"<playground {self.title!r}: a notebook shows it, .save(file) writes it>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="{escape(self.title)}" srcdoc="{escape(self.page)}" '
            'sandbox="allow-scripts allow-downloads" '
            f'style="width:100%;height:{self.height}px;border:0;display:block"></iframe>'
        )


def cell_or_file(task: Task, file: str | PathLike[str] | None, height: Any) -> Cell | Path:
    """The page of a task in a file, or without one for a notebook.

    Raises:
        RangeError: the height is less than 200 pixels.
        GraphError: the file cannot be written, or an operation has no form in JavaScript.
    """
    require_integer("height", height, LEAST_HEIGHT)
    if file is not None:
        return write_page(task, file)
    return Cell(page_of(task), task.title, int(height))


def page_of_list(
    graph: Graph,
    loss: Any,
    data: Any,
    optimizer: Any,
    file: str | PathLike[str] | None,
    *,
    output: Any = None,
    test: Any = None,
    batch_size: int = 32,
    seed: int = 0,
    title: str = "",
    height: int = 640,
) -> Cell | Path:
    """What `graph.playground` makes."""
    settings = {"batch_size": batch_size, "seed": seed, "title": title}
    task = task_of_graph(graph, loss, data, optimizer, test, output, **settings)
    return cell_or_file(task, file, height)
