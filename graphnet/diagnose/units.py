"""Units through which no gradient passes: dead ones, and values where an operation is flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Operation

__all__ = ["dead_units", "saturated_share"]

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
    rectifies = node.op.name == "relu" or _bounds(node)[:1] == (0,)
    if not rectifies or top.ndim < 2 or top.shape[0] < EXAMPLES:
        return 0, 0
    channel = 1 if top.ndim == 4 else top.ndim - 1
    units = top.movedim(channel, 0).flatten(1)
    return int((units == 0).all(1).sum()), len(units)


def saturated_share(node: Operation) -> float:
    """The share of values where a sigmoid, tanh, hardtanh or relu6 is flat; 0 for other ops."""
    flat = _flat(node)
    return 0.0 if flat is None else float(flat.double().mean())


def _flat(node: Operation) -> Tensor | None:
    top = node.top
    if node.op.name == "tanh":
        return (1 - top * top) / 4 < FLAT * (1 - FLAT)
    if node.op.name == "sigmoid":
        return top * (1 - top) < FLAT * (1 - FLAT)
    if not (bounds := _bounds(node)):
        return None
    low, high = bounds
    # Zeros of a relu6 are as common as those of a relu.
    return top >= high if low == 0 else (top <= low) | (top >= high)


def _bounds(node: Operation) -> tuple[float, ...]:
    """Both bounds of a hardtanh or a relu6, which are a clamp; none for other operations."""
    if node.op.name != "clamp" or not node.dtype.is_floating_point:
        return ()
    options = node.op.options
    bounds = tuple(options[name] for name in ("min", "max") if options.get(name) is not None)
    return bounds if len(bounds) == 2 else ()
