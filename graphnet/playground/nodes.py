"""What a page knows of a node: its line of the list, and its formulas."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from graphnet.console_text import printable
from graphnet.graph import Operation
from graphnet.graph.entry import dtype_text
from graphnet.graph.roles import kind_of
from graphnet.stepping.page import told_of

if TYPE_CHECKING:
    from graphnet.formulas.operation import Formulas
    from graphnet.graph import Node

_MOST_NUMBERS = 200_000  # of a tensor in an operation with formulas: its rules run on zeros


def node_of(formulas: Formulas, node: Node) -> dict[str, Any]:
    """One line of the list."""
    graph = formulas.graph
    value, gradient = _formulas_of(formulas, node)
    name = graph.name_of(node)
    shown = printable(name)
    return {
        "name": shown,
        **({} if shown == name else {"key": name}),
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
