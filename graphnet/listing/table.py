"""A list as a table in walk order with rails, one line for each node: what `print(graph)` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.console_text import printable, text_table
from graphnet.errors import shape_text
from graphnet.graph import Node, Operation, Parameter
from graphnet.graph.entry import dtype_text
from graphnet.graph.roles import kind_of, loss_of
from graphnet.listing.norm import norm
from graphnet.listing.rails import drawn

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph.nodelist import NodeList

HEADER = ("", "#", "kind", "name", "computes", "shape", "parameters", "bytes", "|top|", "|grad|")
ALWAYS = 6  # columns that are shown even if they are empty
RIGHT = ("#", "parameters", "bytes", "|top|", "|grad|")


def node_table(graph: NodeList) -> str:
    """The whole list: place, kind, name, what is computed, shape, parameters, bytes and norms.

    The rails mark the loss by ◎. The bytes are those of value and gradient, |top| and |grad| are
    their Euclidean norms; empty columns are left out.

    >>> import graphnet as gn
    >>> graph = gn.Graph()
    >>> y = graph.input((3,), name="x").tanh()
    >>> print(node_table(graph))
       #  kind       name  computes  shape
    ○  0  input      x               (3,)
    ●  1  operation  tanh  tanh(x)   (3,)
    """
    nodes = list(graph)
    places = {node: place for place, node in enumerate(nodes)}
    kinds = [kind_of(node) for node in nodes]
    loss = loss_of(nodes)
    marks = ["loss" if node is loss else kind for node, kind in zip(nodes, kinds, strict=True)]
    sources = [dict.fromkeys(places[source] for source in node.inputs) for node in nodes]
    walked_back = any(isinstance(node, Operation) and node.grad is not None for node in nodes)
    rows = [
        (rails, str(place), kind, *_row(graph, node, node.grad if walked_back else None))
        for place, (rails, kind, node) in enumerate(
            zip(drawn(marks, sources), kinds, nodes, strict=True)
        )
    ]
    shown = [at for at in range(len(HEADER)) if at < ALWAYS or any(row[at] for row in rows)]
    table = [[row[at] for at in shown] for row in (HEADER, *rows)]
    return text_table(table, right=[place for place, at in enumerate(shown) if HEADER[at] in RIGHT])


def _row(graph: NodeList, node: Node, grad: Tensor | None) -> tuple[str, ...]:
    """The line of a node, from its name on."""
    shape = shape_text(node.shape)
    if not node.dtype.is_floating_point:
        shape = f"{shape} {dtype_text(node.dtype)}"
    numbers = f"{node.top.numel():,}" if isinstance(node, Parameter) else ""
    tensors = [node.top if node.computed else None, grad]
    held = sum(each.numel() * each.element_size() for each in tensors if each is not None)
    texts = map(printable, (graph.name_of(node), computed(graph, node)))
    return *texts, shape, numbers, f"{held:,}" if held else "", *map(_norm, tensors)


def computed(graph: NodeList, node: Node) -> str:
    """The op and its arguments by name: tanh(0.linear)."""
    if not isinstance(node, Operation):
        return ""
    arguments = [graph.name_of(a) if isinstance(a, Node) else str(a) for a in node.args]
    return f"{node.op.name}({', '.join(arguments + node.op.chosen)})"


def _norm(tensor: Tensor | None) -> str:
    """The Euclidean norm as a short text; nothing if there are no numbers."""
    return "" if tensor is None or not tensor.dtype.is_floating_point else f"{norm(tensor):.3g}"
