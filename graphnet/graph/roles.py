"""What a node is to its list: the loss, a parameter, a buffer, part of a derivative."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError
from graphnet.graph.entry import dtype_text
from graphnet.graph.node import Node
from graphnet.graph.nodes import Operation
from graphnet.graph.parameter import Parameter

if TYPE_CHECKING:
    from graphnet.graph.graph import Graph


def loss_of(nodes: Iterable[Node]) -> Node | None:
    """The single floating-point number that the last backward walk started from.

    Before such a walk it is the last one that is not part of a derivative; None if there is none.
    """
    operations = [node for node in nodes if isinstance(node, Operation)]
    walked = [node for node in operations if node.grad is not None]
    if walked and is_single(walked[-1]):  # nothing after its start has a gradient
        return walked[-1]
    singles = [node for node in operations if is_single(node) and not node.derived]
    return singles[-1] if singles else None


def checked_loss(graph: Graph, loss: Any) -> None:
    """Refuse a given loss that cannot be one.

    Raises:
        GraphError: it is not a node of this list, or not a single floating-point number.
    """
    if loss is None:
        return
    rule = "loss must be a node of this graph that is a single floating-point number, or None"
    if not isinstance(loss, Node):
        raise GraphError(f"{rule}; got {loss!r}. graph[name] and graph[place] are the nodes.")
    graph.index(loss)
    if not is_single(loss):
        raise GraphError(
            f"{rule}; got {loss!r} of {dtype_text(loss.dtype)}. Take its mean or sum, or name "
            "another node."
        )


def is_single(node: Node) -> bool:
    """True for one floating-point number, such as a loss."""
    return node.shape == () and node.dtype.is_floating_point


def kind_of(node: Node) -> str:
    """The kind of box for a node."""
    if isinstance(node, Parameter):
        return "buffer" if node.is_buffer else "parameter"
    if isinstance(node, Operation):
        return "gradient" if node.derived else "operation"
    return "input"
