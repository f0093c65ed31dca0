"""How many floating-point operations a node takes, forward and backward, counted from its shape.

What an operation takes is a fact of its op: see `Op.flops`.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from graphnet.graph import Operation
from graphnet.graph.edges import uses
from graphnet.graph.shape_inference import UNKNOWN_SIZES

if TYPE_CHECKING:
    from graphnet.graph import Node

Sizes = tuple[int, ...]


def sizes_of(node: Node) -> Sizes:
    """The sizes of a node: those of its value, with 1 for each size that is not known yet.

    >>> import graphnet as gn
    >>> sizes_of(gn.Graph().input((None, 6), name="x").reshape(-1, 3))
    (2, 3)
    """
    if node.computed:
        return tuple(node.top.shape)
    trials = node.spec.trials
    one = trials[UNKNOWN_SIZES.index(1)] if len(trials) == len(UNKNOWN_SIZES) else trials[0]
    return one or tuple(1 if size is None else size for size in node.shape)


def forward_flops(node: Node) -> int:
    """The floating-point operations of computing a node once."""
    return node.op.flops(*_shapes(node)) if isinstance(node, Operation) else 0


def multiply_adds(node: Node) -> int:
    """The products that computing a node once adds up; 0 if it is no product of tensors.

    >>> import graphnet as gn
    >>> graph = gn.Graph()
    >>> multiply_adds(gn.Linear(3, 5)(graph.input((2, 3), name="x")))
    30
    """
    if not isinstance(node, Operation) or not node.op.contraction:
        return 0
    added = prod(sizes_of(node)) if node.op.inputs[-1] == "bias" else 0
    return (forward_flops(node) - added) // 2


def backward_flops(node: Node) -> int:
    """The floating-point operations of sending a node's gradient back to its inputs."""
    if not isinstance(node, Operation):
        return 0
    places = [use.place for use in uses(node) if use.source.requires_grad]
    return sum(node.op.backward_flops(place, *_shapes(node)) for place in places)


def _shapes(node: Operation) -> list[Sizes]:
    """The shape of a node, then those of its inputs."""
    return [sizes_of(each) for each in (node, *node.inputs)]
