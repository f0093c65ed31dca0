"""What a page knows of its list: the nodes with their formulas, the rows, the settings."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from graphnet.console_text import printable
from graphnet.formulas.operation import Formulas
from graphnet.graph import Operation
from graphnet.graph.entry import dtype_text
from graphnet.graph.roles import kind_of
from graphnet.playground.encoding import encoded
from graphnet.playground.views import View, mapped
from graphnet.stepping.page import told_of

if TYPE_CHECKING:
    from graphnet.compile.targets.js.program import PrintedProgram
    from graphnet.graph import Node
    from graphnet.playground.task import Rows, Task

_MOST_NUMBERS = 200_000  # of a tensor in an operation with formulas: its rules run on zeros


def description_of(task: Task, program: PrintedProgram, views: list[View]) -> dict[str, Any]:
    """All that the scripts of a page read, as values for JSON.

    Args:
        task: what is trained.
        program: its printed form.
        views: the pictures.
    """
    graph = task.graph
    formulas = Formulas(graph, task.loss)
    return {
        "title": printable(task.title),
        "nodes": [_node(formulas, node) for node in graph],
        "loss": graph.index(task.loss),
        "output": None if task.output is None else graph.index(task.output),
        "inputs": [graph.index(node) for node in task.inputs],
        "targets": [graph.index(node) for node in task.targets],
        "maps": [graph.index(node) for node in mapped(task)],
        "plane": task.plane is not None,
        "classes": None if task.classes is None else vars(task.classes),
        "train": _rows(task.train),
        "test": _rows(task.test) if task.test else None,
        "open": program.is_open,
        "state": {
            graph.name_of(node): encoded(node.top, graph.name_of(node))
            for node in graph.parameters()
            if graph.name_of(node) in program.parameters
        },
        "numbers": program.numbers,
        "optimizer": type(task.optimizer).__name__,
        "views": [view.data for view in views],
        "settings": {"batch": task.batch_size, "seed": task.seed, "noise": 0},
    }


def _rows(rows: Rows) -> dict[str, Any]:
    """The tensors of each input, by its name."""
    return {node.name: encoded(each, node.name) for node, each in rows.items()}


def _node(formulas: Formulas, node: Node) -> dict[str, Any]:
    """One line of the list."""
    graph = formulas.graph
    value, gradient = _formulas_of(formulas, node)
    return {
        "name": printable(graph.name_of(node)),
        "kind": kind_of(node),
        "op": node.op.symbol or type(node.op).__name__ if isinstance(node, Operation) else "",
        "inputs": [graph.index(each) for each in node.inputs],
        "shape": ["batch" if size is None else size for size in node.shape],
        "dtype": dtype_text(node.dtype),
        "flows": node.requires_grad,
        "value": value,
        "gradient": gradient,
    }


def _formulas_of(formulas: Formulas, node: Node) -> tuple[str, list[str]]:
    """What a node computes, and what it sends back; nothing for large tensors."""
    read = [node, *node.inputs]
    if any(prod(size or 1 for size in each.shape) > _MOST_NUMBERS for each in read):
        return "", []
    value, *gradient = told_of(formulas, node)
    return value, gradient
