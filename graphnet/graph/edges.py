"""One input of one operation, and how a gradient flows back to it, as a tensor or as nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from graphnet.errors import GraphError, ShapeError, shape_text
from graphnet.graph.node import Node
from graphnet.graph.nodes import Literal, Mode, Operation, as_argument
from graphnet.ops import sum_as

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op_rules import Rule


class Use:
    """The use of a node, the source, as one input of an operation."""

    __slots__ = ("function", "op", "operation", "place", "reads", "source")

    def __init__(self, operation: Operation, place: int, rule: Rule) -> None:
        self.operation = operation
        self.op, self.place = operation.op, place
        self.source = cast("Node", operation.sources[place])
        self.function = rule.function
        # Where the rule finds what it reads: entries of the list, and a field of each.
        fields = [
            (source, "walked" if isinstance(source, Mode) else "top")
            for source in operation.sources
        ]
        found = self.op.read(rule, place, fields, (operation, "grad"), (operation, "top"))
        self.reads = [(Literal(each), "top") if isinstance(each, int) else each for each in found]

    def gradient(self) -> Tensor:
        """What this use contributes to the gradient of its source."""
        grad: Tensor = self.function(self.op, *[getattr(entry, at) for entry, at in self.reads])
        if grad is None:
            raise GraphError(self._nothing())
        shape = self.source.top.shape
        if grad.shape == shape:
            return grad
        if not self.op.broadcasts:
            raise ShapeError(self._wrong_shape(tuple(grad.shape), tuple(shape)))
        return grad.sum_to_size(shape)

    def derivative(self, grad: Node) -> Node:
        """The same as nodes: append what computes the contribution from the gradient `grad`."""
        values = [grad if at == "grad" else as_argument(entry) for entry, at in self.reads]
        result: Node = self.function(self.op, *values)
        if result is None:
            raise GraphError(self._nothing())
        if self.op.broadcasts and self._may_be_broadcast(result):
            return sum_as(result, self.source)
        if not self.op.broadcasts and not _may_agree(result.shape, self.source.shape):
            raise ShapeError(self._wrong_shape(result.shape, self.source.shape))
        return result

    def _may_be_broadcast(self, result: Node) -> bool:
        """True unless the shapes known so far show that the result has the source's shape."""
        if result.ndim != self.source.ndim:
            return True
        others = [node for node in self.operation.inputs if node is not self.source]
        sizes = zip(reversed(result.shape), reversed(self.source.shape), strict=True)
        return any(
            actual != expected
            or (actual is None and any(_size_from_end(other, place) != 1 for other in others))
            for place, (actual, expected) in enumerate(sizes)
            if place >= self.op.core_dims
        )

    def _nothing(self) -> str:
        """The message for a rule that returns nothing."""
        return (
            f"The derivative of {self.operation} by its input {self.source} is None: the rule in "
            f"{type(self.op).__name__} returns nothing. If there is no derivative, write "
            "`grad_... = None` in the class."
        )

    def _wrong_shape(self, actual: tuple[int | None, ...], expected: tuple[int | None, ...]) -> str:
        """The message for a rule whose result does not have the shape of its input."""
        return (
            f"The derivative of {self.operation} by its input {self.source} must have the shape "
            f"of the input, {shape_text(expected)}; got {shape_text(actual)}. Correct the rule in "
            f"{type(self.op).__name__}, or set `broadcasts = True` there if its inputs broadcast."
        )


def uses(operation: Operation) -> list[Use]:
    """The inputs of an operation through which it can be differentiated, in order."""
    sources = operation.sources
    rules = operation.op.rules_for(len(sources))
    return [
        Use(operation, place, rule)
        for place, (source, rule) in enumerate(zip(sources, rules, strict=True))
        if rule and isinstance(source, Node) and source.dtype.is_floating_point
    ]


def _size_from_end(node: Node, place: int) -> int | None:
    """A size counted from the last dimension; 1 where a node has fewer dimensions."""
    return node.shape[-1 - place] if place < node.ndim else 1


def _may_agree(shape: tuple[int | None, ...], other: tuple[int | None, ...]) -> bool:
    """False if two shapes, as far as they are known, differ."""
    return len(shape) == len(other) and all(
        a is None or b is None or a == b for a, b in zip(shape, other, strict=True)
    )
