"""Units through which no gradient passes: dead ones, and values where an operation is flat."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphnet.graph import Operation
    from graphnet.op_rules import Bounds

EXAMPLES = 8  # fewer say nothing about a unit: half of all are 0 for one example
FLAT = 0.01  # a sigmoid this close to 0 or 1 is saturated, a tanh twice this close to -1 or 1


def dead_units(node: Operation) -> tuple[int, int]:
    """How many units of a relu or a relu6 are 0 for every example, and how many there are.

    Both are 0 for another operation, and for too few examples.

    >>> import graphnet as gn
    >>> from torch import ones
    >>> graph = gn.Graph()
    >>> y = graph.input((None, 3), name="x").relu()
    >>> value = graph.forward(x=-ones(10, 3))
    >>> dead_units(y)
    (3, 3)
    """
    top = node.top
    if not rectifies(node) or top.ndim < 2 or top.shape[0] < EXAMPLES:
        return 0, 0
    channel = 1 if top.ndim == 4 else top.ndim - 1
    units = top.movedim(channel, 0).flatten(1)
    return int((units == 0).all(1).sum()), len(units)


def saturated_share(node: Operation) -> float:
    """The share of values where a sigmoid, tanh, hardtanh or relu6 is flat; 0 for other ops."""
    bounds = _bounds(node)
    if bounds is None or bounds.high == inf:
        return 0.0
    top, (low, high, reached) = node.top, bounds
    if not reached:
        height = (top - low) / (high - low)
        flat = height * (1 - height) < FLAT * (1 - FLAT)
    else:  # zeros of a relu6 are as common as those of a relu
        flat = top >= high if low == 0 else (top <= low) | (top >= high)
    return float(flat.double().mean())


def rectifies(node: Operation) -> bool:
    """True for relu and relu6."""
    bounds = _bounds(node)
    return bounds is not None and bounds.rectifies


def _bounds(node: Operation) -> Bounds | None:
    """What the values of an activation lie between; a clamp of integers is none."""
    return node.op.bounds() if node.dtype.is_floating_point else None
