"""Finds where the first NaN or infinity came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import NonFiniteError
from graphnet.graph.nodes import Operation

if TYPE_CHECKING:
    from graphnet.graph.node import Node
    from graphnet.graph.nodelist import NodeList


def first_non_finite(graph: NodeList) -> Node | None:
    """The first node in walk order with NaN or inf in its value; None if there is none.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((1,), name="x")
    >>> y = x.log().exp()
    >>> value = graph.forward(x=empty(1).fill_(-1))
    >>> first_non_finite(graph)
    <operation 1 'log' (1,)>
    """
    for node in graph:
        if node.computed and node.dtype.is_floating_point and not node.top.isfinite().all():
            return node
    return None


def non_finite_error(graph: NodeList, what: str) -> NonFiniteError:
    """The error for a value that is NaN or infinite: which node was first, and why.

    Args:
        graph: the graph after that walk.
        what: what was found, for the start of the message.
    """
    node = first_non_finite(graph)
    if node is None:
        return NonFiniteError(f"{what}, though every value in the graph is finite.")
    ranges = "; ".join(range_of(graph, source) for source in node.inputs)
    origin = f", computed by {node.op.name} from {ranges}" if isinstance(node, Operation) else ""
    return NonFiniteError(
        f"{what}. The first value that is not finite belongs to node {graph.index(node)} "
        f"{graph.name_of(node)!r}{origin}. The parameters are as they were before this step. "
        "A smaller learning rate, or inputs in a smaller range, may help."
    )


def range_of(graph: NodeList, node: Node) -> str:
    """A node with its smallest and its largest value."""
    top = node.top
    if not top.numel():
        return f"{graph.name_of(node)!r} (empty)"
    return f"{graph.name_of(node)!r} from {float(top.min()):.3g} to {float(top.max()):.3g}"
