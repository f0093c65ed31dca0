"""Rounding: floor, ceil, round and trunc, which are flat between their steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Elementwise, T
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ceil", "floor", "round", "trunc"]


class Floor(Elementwise):
    """y = ⌊x⌋, the largest integer that is not above x; no gradient flows.  Shapes: any."""

    symbol = "⌊x⌋"

    def forward(self, x: Tensor) -> Tensor:
        return x.floor()

    grad_x = None


def floor(input: T) -> T:
    """Each element rounded down; its derivative is 0.

    >>> from torch import empty
    >>> floor(empty(2).fill_(-1.5))
    tensor([-2., -2.])
    """
    return Floor()(input)


class Ceil(Elementwise):
    """y = ⌈x⌉, the smallest integer that is not below x; no gradient flows.  Shapes: any."""

    symbol = "⌈x⌉"

    def forward(self, x: Tensor) -> Tensor:
        return x.ceil()

    grad_x = None


def ceil(input: T) -> T:
    """Each element rounded up; its derivative is 0.

    >>> from torch import empty
    >>> ceil(empty(2).fill_(1.5))
    tensor([2., 2.])
    """
    return Ceil()(input)


class Trunc(Elementwise):
    """y = x without its fraction; no gradient flows.  Shapes: any."""

    symbol = "trunc"

    def forward(self, x: Tensor) -> Tensor:
        return x.trunc()

    grad_x = None


def trunc(input: T) -> T:
    """Each element rounded towards zero; its derivative is 0.

    >>> from torch import empty
    >>> trunc(empty(2).fill_(-1.5))
    tensor([-1., -1.])
    """
    return Trunc()(input)


class Round(Elementwise):
    """y = the integer nearest to x, the even one of two; no gradient flows.  Shapes: any."""

    symbol = "round"

    def forward(self, x: Tensor) -> Tensor:
        return x.round()

    grad_x = None


def round(input: T, *, decimals: int = 0) -> T:
    """Each element rounded to the nearest integer, halves to the even one; its derivative is 0.

    Args:
        input: any shape.
        decimals: how many decimals are kept; -1 rounds to tens.

    Raises:
        GraphError: `decimals` is not an integer.

    >>> from torch import empty
    >>> round(empty(2).fill_(2.5)), round(empty(2).fill_(0.125), decimals=2)
    (tensor([2., 2.]), tensor([0.1200, 0.1200]))
    """
    decimals = require_integer("decimals", decimals)
    if decimals == 0 or not input.dtype.is_floating_point:
        return Round()(input)
    scale = 10.0 ** abs(decimals)  # a negative power of ten would not be exact
    return Round()(input * scale) / scale if decimals > 0 else Round()(input / scale) * scale
