"""What a page knows of its list: the nodes with their formulas, the rows, the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.console_text import printable
from graphnet.formulas.operation import Formulas
from graphnet.graph.entry import dtype_text
from graphnet.playground.encoding import encoded
from graphnet.playground.images import images_of
from graphnet.playground.nodes import node_of
from graphnet.playground.program import in_python
from graphnet.playground.views import MOST_UNITS, View, mapped

if TYPE_CHECKING:
    from graphnet.compile.targets.js.program import PrintedProgram
    from graphnet.playground.generator import Generator
    from graphnet.playground.task import Rows, Task


def description_of(
    task: Task, program: PrintedProgram, views: list[View], generator: Generator | None
) -> dict[str, Any]:
    """All that the scripts of a page read, as values for JSON.

    Args:
        task: what is trained.
        program: its printed form.
        views: the pictures.
        generator: what makes other networks of its kind.
    """
    graph = task.graph
    formulas = Formulas(graph, task.loss)
    return {
        "title": printable(task.title),
        "nodes": [node_of(formulas, node) for node in graph],
        "loss": graph.index(task.loss),
        "output": None if task.output is None else graph.index(task.output),
        "inputs": [graph.index(node) for node in task.inputs],
        "targets": [graph.index(node) for node in task.targets],
        "maps": [graph.index(node) for node in mapped(task)],
        "most_maps": MOST_UNITS,
        "image": images_of(task),
        "plane": task.plane is not None,
        "classes": None if task.classes is None else vars(task.classes),
        "train": _rows(task.train),
        "test": _rows(task.test) if task.test else None,
        "left_out": task.left_out,
        "open": program.is_open,
        "state": {
            graph.name_of(node): encoded(node.top, graph.name_of(node))
            for node in graph.parameters()
            if graph.name_of(node) in program.parameters
        },
        "weights": _weights(task, program),
        "module": None if task.model is None else repr(task.model),
        "numbers": program.numbers,
        "python": in_python(task),
        "generator": None if generator is None else generator.data,
        "optimizer": type(task.optimizer).__name__,
        "views": [view.data for view in views],
        "settings": {"batch": task.batch_size, "seed": task.seed, "noise": 0},
    }


def _weights(task: Task, program: PrintedProgram) -> list[dict[str, Any]]:
    """Each tensor of a file of weights, with its name there and in the list; others as they are."""
    names = {node: task.graph.name_of(node) for node in task.graph.parameters()}
    state = {name: node for node, name in names.items()}
    if task.model is not None:
        kept = task.model.state_dict()
        state = {key: node for key, node in task.model.named_state() if key in kept}
    found = []
    for key, node in state.items():
        name = names.get(node)
        name = name if name in program.parameters else None
        numbers = None if name else encoded(node.top, key)
        size = {"shape": [*node.top.shape], "dtype": dtype_text(node.dtype)}
        found.append({"key": key, "node": name, **size, "numbers": numbers})
    return found


def _rows(rows: Rows) -> dict[str, Any]:
    """The tensors of each input, by its name."""
    return {node.name: encoded(each, node.name) for node, each in rows.items()}
