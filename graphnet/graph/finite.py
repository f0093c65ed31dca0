"""Finds where the first NaN or infinity came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import NonFiniteError
from graphnet.graph.nodes import Input, Operation

if TYPE_CHECKING:
    from graphnet.graph.node import Node
    from graphnet.graph.nodelist import NodeList

LOOK_AT_DATA = (
    "look at the data that are fed here: isfinite() shows which of them to repair or leave out."
)
"""The way out if the first value that is not finite is that of an input."""


def non_finite_error(graph: NodeList, what: str) -> NonFiniteError:
    """The error for a value that is NaN or infinite: which node was first, and why.

    Args:
        graph: the graph after that walk.
        what: what was found, for the start of the message.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> y = graph.input((1,), name="x").log().exp()
    >>> value = graph.forward(x=empty(1).fill_(-1))
    >>> print(str(non_finite_error(graph, "y is NaN"))[:69])
    y is NaN. The first value that is not finite belongs to node 1 'log',
    """
    computed = (each for each in graph if each.computed and each.dtype.is_floating_point)
    node = next((each for each in computed if not each.top.isfinite().all()), None)
    if node is None:
        return NonFiniteError(f"{what}, though every value in the graph is finite.")
    ranges = "; ".join(range_of(graph, source) for source in node.inputs)
    origin = f", computed by {node.op.name} from {ranges}" if isinstance(node, Operation) else ""
    way_out = "A smaller learning rate, or inputs in a smaller range, may help."
    if isinstance(node, Input):
        way_out = LOOK_AT_DATA.capitalize()
    return NonFiniteError(
        f"{what}. The first value that is not finite belongs to node {graph.index(node)} "
        f"{graph.name_of(node)!r}{origin}. The parameters are as they were before this step. "
        f"{way_out}"
    )


def range_of(graph: NodeList, node: Node) -> str:
    """A node with its smallest and its largest value."""
    top = node.top
    if not top.numel():
        return f"{graph.name_of(node)!r} (empty)"
    return f"{graph.name_of(node)!r} from {float(top.min()):.3g} to {float(top.max()):.3g}"
