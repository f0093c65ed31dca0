"""Rows that are pictures: their sizes, and the weights that look at them first."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, Any

from graphnet.graph import Operation
from graphnet.ops.convolution import Conv2d, Conv2dBias
from graphnet.ops.products import Linear, LinearMap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from graphnet.graph import Node
    from graphnet.playground.task import Task

MOST_PIXELS = 96
"""Of a picture along each side."""
MOST_FILTERS = 64
"""Of the first layer that are shown."""

_LEAST_FLAT = 64  # numbers of a flat row that may be a picture
_LOOKED_AT = 200  # rows
_GREYS = 256  # different numbers in pictures of 8 bits


def images_of(task: Task) -> dict[str, Any] | None:
    """What the page knows of pictures; None if the rows are none.

    Pictures have the shape (1 or 3, height, width); or they are squares (side, side), or flat rows
    of as many numbers, with no more than 256 different ones, as those of 8 bits have.
    """
    if len(task.inputs) != 1 or task.output is None:
        return None
    (node,) = task.inputs
    rows = task.train[node]
    size = _size_of(rows)
    if size is None:
        return None
    channels, height, width = size
    return {
        "input": task.graph.index(node),
        "channels": channels,
        "height": height,
        "width": width,
        "low": float(rows.min()),
        "high": float(rows.max()),
        "filters": next(_filters(task, node, size), None),
    }


def _size_of(rows: Tensor) -> tuple[int, int, int] | None:
    """Channels, height and width of pictures."""
    if not rows.dtype.is_floating_point:
        return None
    if rows.ndim == 4:
        channels, height, width = rows.shape[1:]
        fits = channels in (1, 3) and 1 < min(height, width) <= max(height, width) <= MOST_PIXELS
        return (channels, height, width) if fits else None
    count = rows[0].numel() if rows.ndim in (2, 3) else 0
    side = isqrt(count)
    if count < _LEAST_FLAT or side**2 != count or side > MOST_PIXELS:
        return None
    if rows.ndim == 3 and rows.shape[1] != side:
        return None
    return (1, side, side) if len(rows[:_LOOKED_AT].unique()) <= _GREYS else None


def _filters(task: Task, source: Node, picture: tuple[int, int, int]) -> Iterator[dict[str, Any]]:
    """The weights of the first layers that read pictures, or views of them."""
    reached = {source}
    for node in task.graph:
        if not isinstance(node, Operation) or node.inputs[0] not in reached:
            continue
        if node.op.view:
            reached.add(node)
        elif isinstance(node.op, Linear | LinearMap | Conv2d | Conv2dBias):
            weight = node.inputs[1]
            shape = [size or 1 for size in weight.shape]
            is_dense = isinstance(node.op, Linear | LinearMap)
            channels, height, width = picture if is_dense else shape[1:]
            yield {
                "node": task.graph.index(weight),
                "count": min(MOST_FILTERS, shape[0] * channels),
                "height": height,
                "width": width,
            }
