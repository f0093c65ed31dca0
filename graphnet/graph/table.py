"""A graph as a table in walk order, one line for each node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from graphnet.errors import shape_text
from graphnet.graph.entry import dtype_text
from graphnet.graph.kinds import Operation
from graphnet.graph.node import Node
from graphnet.graph.parameter import Parameter

if TYPE_CHECKING:
    from graphnet.graph.nodelist import NodeList

_HEADER = ("#", "kind", "name", "computes", "shape", "parameters")
_WIDEST = 56  # characters of a column; a longer text is cut short


def node_table(graph: NodeList) -> str:
    """The whole list: place, kind, name, what is computed, shape, and number of parameters."""
    rows = [_HEADER, *(_row(graph, place, node) for place, node in enumerate(graph))]
    return text_table(rows, right=(0, 5))


def _row(graph: NodeList, place: int, node: Node) -> tuple[str, ...]:
    kind = "buffer" if isinstance(node, Parameter) and node.is_buffer else node.kind
    shape = shape_text(node.shape)
    if not node.dtype.is_floating_point:
        shape = f"{shape} {dtype_text(node.dtype)}"
    count = f"{node.top.numel():,}" if isinstance(node, Parameter) else ""
    return str(place), kind, graph.name_of(node), _formula(graph, node), shape, count


def _formula(graph: NodeList, node: Node) -> str:
    """The op and its arguments by name: tanh(0.linear)."""
    if not isinstance(node, Operation):
        return ""
    arguments = [graph.name_of(a) if isinstance(a, Node) else str(a) for a in node.args]
    return f"{node.op.name}({', '.join(arguments + node.op.chosen)})"


def text_table(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Rows of texts as a table of aligned columns; the first row is its header.

    >>> print(text_table([("name", "n"), ("a", "10"), ("long", "5")], right=[1]))
    name   n
    a     10
    long   5
    """
    cut = [
        [text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…" for text in r] for r in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cut, strict=True)]
    to_right = set(right)
    lines = (
        "  ".join(
            text.rjust(width) if place in to_right else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cut
    )
    return "\n".join(lines)
