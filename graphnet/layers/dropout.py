"""Dropout as layers: of elements, and of whole channels; and slopes that are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.layers.module import Module
from graphnet.ops.arguments import refuse_inplace
from graphnet.validation import require_numbers, require_range

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


class Dropout3d(Dropout):
    """In training, set each channel of a volume to 0 with probability p, else divide it by 1 - p.

    The arguments are those of `Dropout`. Shapes: (n, c, d, h, w) or (c, d, h, w).

    >>> from torch import empty
    >>> Dropout3d(1.0).forward(empty(1, 1, 1, 1, 2).fill_(3))
    tensor([[[[[0., 0.]]]]])
    """

    def build(self, x: Node) -> Node:
        """Append a mask and a product."""
        return ops.dropout3d(x, self.p, generator=self.generator)


class AlphaDropout(Dropout):
    """Dropout that keeps the mean and the variance of what selu gives: see `ops.alpha_dropout`.

    The arguments are those of `Dropout`. Shapes: any.

    >>> from torch import empty
    >>> AlphaDropout(1.0).forward(empty(2).fill_(3))
    tensor([0., 0.])
    """

    def build(self, x: Node) -> Node:
        """Append the choice and the rescaling."""
        return ops.alpha_dropout(x, self.p, generator=self.generator)


class FeatureAlphaDropout(Dropout):
    """`AlphaDropout` of whole channels: see `ops.feature_alpha_dropout`.

    The arguments are those of `Dropout`. Shapes: (n, c, ...).

    >>> from torch import empty
    >>> FeatureAlphaDropout(1.0).forward(empty(1, 1, 2).fill_(3))
    tensor([[[0., 0.]]])
    """

    def build(self, x: Node) -> Node:
        """Append the choice and the rescaling."""
        return ops.feature_alpha_dropout(x, self.p, generator=self.generator)


class RReLU(Module):
    """y = x where x > 0, else a x, with slopes a that are drawn in training: see `ops.rrelu`.

    Shapes: any.

    Args:
        lower: the least slope.
        upper: the largest; in evaluation it is the mean of both.
        inplace: must be False, since no operation writes to its input.
        generator: the source of random numbers; torch's default generator if None.

    Raises:
        RangeError: lower is above upper.
        GraphError: `inplace=True`, or a bound is not a number.

    >>> from torch import empty
    >>> RReLU(0.25, 0.75).eval().forward(empty(2).fill_(-8))
    tensor([-4., -4.])
    """

    def __init__(
        self,
        lower: float = 1 / 8,
        upper: float = 1 / 3,
        inplace: bool = False,
        *,
        generator: Generator | None = None,
    ) -> None:
        require_numbers(lower=lower, upper=upper)
        require_range("lower", lower, high=upper)
        refuse_inplace(inplace)
        self.lower, self.upper, self.generator = lower, upper, generator

    def build(self, x: Node) -> Node:
        """Append the slopes and the choice."""
        return ops.rrelu(x, self.lower, self.upper, generator=self.generator)

    def extra_repr(self) -> str:
        """The bounds."""
        return f"lower={self.lower}, upper={self.upper}"
