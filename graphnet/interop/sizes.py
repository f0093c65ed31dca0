"""Sizes that depend on the batch: formulas of the sizes of nodes, as torch's symbolic integers are.

>>> import graphnet as gn
>>> x = gn.Graph().input((None, 3), name="x")
>>> twice = size_of(x, 0) * 2
>>> twice.formula([x])
('*', ('size', 0, 0), 2)
>>> size_of(x, 1) * 2
6
"""

from __future__ import annotations

from typing import Any

from graphnet import ops
from graphnet.errors import ShapeError
from graphnet.ops.sizes import Arange, ExpandTo, Formula, Full, ReshapeTo, Slice

_OPS = {"+": ops.add, "-": ops.sub, "*": ops.mul}


class Extent:
    """A size that is not known before a tensor is fed."""

    def __init__(self, sign: str, first: Any, second: Any) -> None:
        self.sign, self.first, self.second = sign, first, second

    def __repr__(self) -> str:
        return "<a size that depends on the batch>"

    def formula(self, nodes: list[Any]) -> Formula:
        """The formula for `graphnet.ops.sizes`; the nodes that it reads are appended to a list."""
        if self.sign == "size":
            if not any(self.first is node for node in nodes):
                nodes.append(self.first)
            place = next(place for place, node in enumerate(nodes) if node is self.first)
            return ("size", place, self.second)
        return (self.sign, formula_of(self.first, nodes), formula_of(self.second, nodes))

    def node(self) -> Any:
        """The size as a node that holds an integer."""
        if self.sign == "size":
            return ops.size(self.first, self.second)
        first, second = (as_node(each) for each in (self.first, self.second))
        if self.sign == "//":
            return ops.div(first, second, rounding_mode="floor")
        if self.sign == "%":
            return first - ops.div(first, second, rounding_mode="floor") * second
        return _OPS[self.sign](first, second)

    def __add__(self, other: Any) -> Any:
        return Extent("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return Extent("+", other, self)

    def __sub__(self, other: Any) -> Any:
        return Extent("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return Extent("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return Extent("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return Extent("*", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return Extent("//", self, other)

    def __mod__(self, other: Any) -> Any:
        return Extent("%", self, other)


def size_of(x: Any, dim: int) -> Any:
    """A size of a node: an integer if it is known, else an `Extent`."""
    known = x.shape[dim]
    return Extent("size", x, dim % x.ndim) if known is None else known


def formula_of(size: Any, nodes: list[Any]) -> Formula:
    """An integer itself, or the formula of an extent."""
    return size.formula(nodes) if isinstance(size, Extent) else int(size)


def as_node(size: Any) -> Any:
    """A size as an operand: a number, or a node."""
    return size.node() if isinstance(size, Extent) else size


def is_known(sizes: Any) -> bool:
    """True if all sizes are numbers."""
    return not any(isinstance(each, Extent) for each in sizes)


def reshaped(x: Any, sizes: Any, shape: Any) -> Any:
    """x in a shape that may hold extents.

    Args:
        x: the node.
        sizes: the sizes as given.
        shape: what is known of the result, with None for sizes that depend on the batch.
    """
    if shape is not None and not is_known(sizes) and shape.count(None) == 1:
        sizes = [-1 if size is None else size for size in shape]
    if is_known(sizes):
        return ops.reshape(x, tuple(sizes))
    nodes: list[Any] = []
    formulas = tuple(formula_of(each, nodes) for each in sizes)
    return ReshapeTo(formulas)(x, *nodes)


def expanded(x: Any, sizes: Any) -> Any:
    """x repeated to sizes that may be extents."""
    if is_known(sizes):
        return ops.expand(x, tuple(sizes))
    front = len(sizes) - x.ndim
    kept = [
        -1 if place >= front and x.shape[place - front] is None else size
        for place, size in enumerate(sizes)
    ]
    if is_known(kept):
        return ops.expand(x, tuple(kept))
    nodes: list[Any] = []
    return ExpandTo(tuple(formula_of(each, nodes) for each in kept))(x, *nodes)


def sliced(x: Any, dim: int, part: tuple[Any, Any, Any]) -> Any:
    """A range of a dimension whose ends may be extents."""
    nodes: list[Any] = []
    start, stop = (None if each is None else formula_of(each, nodes) for each in part[:2])
    return Slice(dim % x.ndim, start, stop, part[2] or 1)(x, *nodes)


def full(sizes: Any, value: float, dtype: Any, like: Any = None) -> Any:
    """One value in a shape that holds extents, on the device of what they are sizes of.

    If there are none, a node says the device.
    """
    nodes: list[Any] = [] if like is None else [like]
    formulas = tuple(formula_of(each, nodes) for each in sizes)
    return Full(formulas, value, dtype)(*nodes)


def arange(start: Any, end: Any, step: Any, dtype: Any) -> Any:
    """Integers from `start` to before `end`, whose number depends on the batch.

    Raises:
        ShapeError: the start or the step is not an integer.
    """
    if not isinstance(start, int) or not isinstance(step, int) or step < 1:
        raise ShapeError(
            "arange to a size that is not known must start at an integer and take steps of 1 or "
            f"more; got a start of {start!r} and steps of {step!r}"
        )
    count = (end - start + step - 1) // step if step != 1 else end - start if start else end
    nodes: list[Any] = []
    return Arange(formula_of(count, nodes), dtype, start, step)(*nodes)
