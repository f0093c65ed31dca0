"""Dropout as layers: of elements, and of whole channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.layers.module import Module
from graphnet.ops.arguments import refuse_inplace
from graphnet.validation import require_range

if TYPE_CHECKING:
    from torch import Generator

    from graphnet.graph import Node


class Dropout(Module):
    """In training, set each element to 0 with probability p, else divide it by 1 - p.

    The layer follows its own mode: set it by `module.train()` and `module.eval()`, or for all
    modules of a graph by `graph.train()` and `graph.eval()`.
    Shapes: any.

    Args:
        p: the probability of dropping.
        inplace: must be False, since no operation writes to its input.
        generator: the source of random numbers; torch's default generator if None.

    Raises:
        RangeError: p lies outside [0, 1].
        GraphError: `inplace=True`, or p is not a number.

    >>> from torch import empty
    >>> Dropout(1.0).forward(empty(2).fill_(3))
    tensor([0., 0.])
    """

    def __init__(
        self, p: float = 0.5, inplace: bool = False, *, generator: Generator | None = None
    ) -> None:
        require_range("p", p, high=1)
        refuse_inplace(inplace)
        self.p, self.generator = p, generator

    def build(self, x: Node) -> Node:
        """Append a mask and a product."""
        return ops.dropout(x, self.p, generator=self.generator)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


class Dropout1d(Dropout):
    """In training, set each channel of a series to 0 with probability p, else divide it by 1 - p.

    The arguments are those of `Dropout`. Shapes: (n, c, w) or (c, w).

    >>> from torch import empty
    >>> Dropout1d(1.0).forward(empty(1, 2).fill_(3))
    tensor([[0., 0.]])
    """

    def build(self, x: Node) -> Node:
        """Append a mask and a product."""
        return ops.dropout1d(x, self.p, generator=self.generator)


class Dropout2d(Dropout):
    """In training, set each channel of an image to 0 with probability p, else divide it by 1 - p.

    The arguments are those of `Dropout`. Shapes: (n, c, h, w).

    >>> from torch import empty
    >>> Dropout2d(1.0).forward(empty(1, 1, 1, 2).fill_(3))
    tensor([[[[0., 0.]]]])
    """

    def build(self, x: Node) -> Node:
        """Append a mask and a product."""
        return ops.dropout2d(x, self.p, generator=self.generator)
