"""Derivatives as nodes: the backward walk, appended to the list instead of computed.

The rules are the same. Given nodes, they append nodes, so a derivative can be drawn, computed for
another batch, and differentiated again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.errors import GraphError, ShapeError, shape_text
from graphnet.graph.edges import Use, uses
from graphnet.graph.nodes import Operation

if TYPE_CHECKING:
    from graphnet.graph.node import Node


def append_gradients(
    nodes: Sequence[Node], target: Node, sources: Sequence[Node], seed: Node | None
) -> list[Node]:
    """Append the derivatives of the target with respect to each source, and return their nodes.

    `nodes` are the ancestors of the target in walk order.
    """
    grads: dict[Node, Node] = {target: _seed(target, seed)}
    for operation, paths in reversed(_paths(nodes, sources)):
        if operation not in grads:
            continue
        for use in paths:
            part = use.derivative(grads[operation])
            whole = grads.get(use.source)
            grads[use.source] = part if whole is None else ops.add(whole, part)
    return [grads[source] if source in grads else ops.zeros_like(source) for source in sources]


def reached(nodes: Sequence[Node], target: Node) -> set[Node]:
    """The nodes to which a gradient of the target flows back.

    `nodes` are its ancestors in walk order. A node that is read only for its shape is not reached.
    """
    found = {target}
    for node in reversed(nodes):
        if isinstance(node, Operation) and node in found:
            found.update(use.source for use in uses(node))
    return found


def _paths(nodes: Sequence[Node], sources: Sequence[Node]) -> list[tuple[Operation, list[Use]]]:
    """The operations between the sources and the target, with the inputs that lead to a source."""
    reached = set(sources)
    paths = []
    for node in nodes:
        if isinstance(node, Operation):
            leading = [use for use in uses(node) if use.source in reached]
            if leading:
                reached.add(node)
                paths.append((node, leading))
    return paths


def _seed(target: Node, seed: Node | None) -> Node:
    """The derivative to start from: 1 for a scalar, else the one given."""
    if seed is None:
        refuse_non_scalar(target, target.shape)
        return ops.ones_like(target)
    if seed.shape != target.shape:
        raise ShapeError(
            f"grad must have the shape of {target}, the node to differentiate, "
            f"{shape_text(target.shape)}; got {shape_text(seed.shape)}."
        )
    return seed


def refuse_non_scalar(target: Node, shape: tuple[int | None, ...]) -> None:
    """Refuse to start a backward walk without a gradient, unless the target is a scalar.

    Raises:
        GraphError: the node is not a scalar.
    """
    if shape != ():
        raise GraphError(
            f"{target} has the shape {shape_text(shape)}, so it needs a gradient to start "
            "from: grad=..., of that shape. Only a scalar, such as a loss, needs none."
        )
