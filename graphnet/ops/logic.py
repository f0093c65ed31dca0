"""And, or, not, on booleans or on the bits of integers. No gradient flows through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Elementwise, Stepwise, T

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["bitwise_and", "bitwise_not", "bitwise_or", "logical_and", "logical_not", "logical_or"]


class LogicalAnd(Stepwise):
    """z = (x and y), true where both are.  Shapes: any two that broadcast."""

    symbol = "∧"
    infix = "∧"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.logical_and(y)


def logical_and(input: T, other: T) -> T:
    """Where both are true.

    >>> from torch import empty
    >>> logical_and(empty(2).fill_(3) > 2, empty(2).fill_(3) > 4)
    tensor([False, False])
    """
    return LogicalAnd()(input, other)


class LogicalOr(Stepwise):
    """z = (x or y), true where one or both are.  Shapes: any two that broadcast."""

    symbol = "∨"
    infix = "∨"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.logical_or(y)


def logical_or(input: T, other: T) -> T:
    """Where one or both are true.

    >>> from torch import empty
    >>> logical_or(empty(2).fill_(3) > 2, empty(2).fill_(3) > 4)
    tensor([True, True])
    """
    return LogicalOr()(input, other)


class LogicalNot(Elementwise):
    """y = (not x), true where x is false.  Shapes: any."""

    symbol = "¬"

    def forward(self, x: Tensor) -> Tensor:
        return x.logical_not()

    grad_x = None


def logical_not(input: T) -> T:
    """Where the input is false; for numbers, where x is 0.

    >>> from torch import empty
    >>> logical_not(empty(2).fill_(3) > 2)
    tensor([False, False])
    """
    return LogicalNot()(input)


class BitwiseAnd(Stepwise):
    """z = x & y: booleans, or the bits of integers.  Shapes: any two that broadcast."""

    symbol = "&"
    infix = "∧"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x & y


def bitwise_and(input: T | int, other: T | int) -> T:
    """Where both are true; for integers, the bits set in both.

    >>> from torch import empty
    >>> bitwise_and(empty(2).fill_(6).long(), 3)
    tensor([2, 2])
    """
    return BitwiseAnd()(input, other)


class BitwiseOr(Stepwise):
    """z = x | y: booleans, or the bits of integers.  Shapes: any two that broadcast."""

    symbol = "|"
    infix = "∨"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x | y


def bitwise_or(input: T | int, other: T | int) -> T:
    """Where one or both are true; for integers, the bits set in either.

    >>> from torch import empty
    >>> bitwise_or(empty(2).fill_(6).long(), 3)
    tensor([7, 7])
    """
    return BitwiseOr()(input, other)


class BitwiseNot(Elementwise):
    """y = ~x: booleans, or the bits of integers, inverted.  Shapes: any."""

    symbol = "~"

    def forward(self, x: Tensor) -> Tensor:
        return x.bitwise_not()

    grad_x = None


def bitwise_not(input: T) -> T:
    """Where the input is false; for integers, the inverted bits: x becomes -x - 1.

    >>> from torch import empty
    >>> bitwise_not(empty(2).fill_(6).long())
    tensor([-7, -7])
    """
    return BitwiseNot()(input)
