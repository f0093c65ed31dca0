"""Comparisons, and the choice between two values. No gradient flows to a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.errors import GraphError
from graphnet.op import Op, T
from graphnet.ops.logic import logical_not

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["eq", "ge", "gt", "le", "lt", "masked_fill", "ne", "where"]


class Eq(Op):
    """z = (x is equal to y), true or false.  Shapes: any two that broadcast."""

    symbol = "="
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.eq(y)

    grad_x = None
    grad_y = None


def eq(x: T, y: T | float) -> T:
    """Where x equals y. Two nodes are compared by this function: `==` asks if they are one object.

    >>> from torch import empty
    >>> eq(empty(2).fill_(3), 3)
    tensor([True, True])
    """
    return Eq()(x, y)


class Ne(Op):
    """z = (x differs from y), true or false.  Shapes: any two that broadcast."""

    symbol = "≠"
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.ne(y)

    grad_x = None
    grad_y = None


def ne(x: T, y: T | float) -> T:
    """Where x differs from y.

    >>> from torch import empty
    >>> ne(empty(2).fill_(3), 3)
    tensor([False, False])
    """
    return Ne()(x, y)


class Gt(Op):
    """z = (x > y), true or false.  Shapes: any two that broadcast."""

    symbol = ">"
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x > y

    grad_x = None
    grad_y = None


def gt(x: T, y: T | float) -> T:
    """Where x is greater than y.

    >>> from torch import empty
    >>> gt(empty(2).fill_(3), 2)
    tensor([True, True])
    """
    return Gt()(x, y)


class Ge(Op):
    """z = (x ≥ y), true or false.  Shapes: any two that broadcast."""

    symbol = "≥"
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x >= y

    grad_x = None
    grad_y = None


def ge(x: T, y: T | float) -> T:
    """Where x is greater than y or equal to it.

    >>> from torch import empty
    >>> ge(empty(2).fill_(3), 3)
    tensor([True, True])
    """
    return Ge()(x, y)


class Lt(Op):
    """z = (x < y), true or false.  Shapes: any two that broadcast."""

    symbol = "<"
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x < y

    grad_x = None
    grad_y = None


def lt(x: T, y: T | float) -> T:
    """Where x is less than y.

    >>> from torch import empty
    >>> lt(empty(2).fill_(3), 3)
    tensor([False, False])
    """
    return Lt()(x, y)


class Le(Op):
    """z = (x ≤ y), true or false.  Shapes: any two that broadcast."""

    symbol = "≤"
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x <= y

    grad_x = None
    grad_y = None


def le(x: T, y: T | float) -> T:
    """Where x is less than y or equal to it.

    >>> from torch import empty
    >>> le(empty(2).fill_(3), 3)
    tensor([True, True])
    """
    return Le()(x, y)


class Where(Op):
    """z = x where the condition is true, else y; the gradient takes the same way back.

    Shapes: any three that broadcast.
    """

    symbol = "where"
    broadcasts = True

    def forward(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return x.where(condition, y)

    grad_condition = None

    def grad_x(self, grad: Tensor, condition: Tensor) -> Tensor:
        return where(condition, grad, 0.0)

    def grad_y(self, grad: Tensor, condition: Tensor) -> Tensor:
        return grad.masked_fill(condition, 0.0)


def where(condition: T, x: T | float, y: T | float) -> T:
    """x where the condition is true, else y; x and y may be numbers.

    Raises:
        GraphError: the condition is Python's True or False.

    >>> from torch import empty
    >>> where(empty(2).fill_(3) > 2, 1.0, empty(2).fill_(0))
    tensor([1., 1.])
    """
    _refuse_bool(condition)
    if not isinstance(x, int | float):
        return Where()(condition, x, y)
    if isinstance(y, int | float):
        zero = 0 if isinstance(x, int) and isinstance(y, int) else 0.0
        # A tensor is needed to fill: the product has the number type that torch chooses.
        return cast("T", masked_fill(cast("Any", condition) * zero + y, condition, x))
    if cast("Any", y).dtype.is_floating_point:
        return masked_fill(y, condition, x)
    return Where()(logical_not(condition), y, x)  # finds the number type of both


class MaskedFill(Op):
    """y = value where the mask is true, else x: no gradient flows through what was filled.

    Shapes: any two that broadcast.
    """

    symbol = "fill"
    broadcasts = True
    value: float

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return x.masked_fill(mask, self.value)

    def grad_x(self, grad: Tensor, mask: Tensor) -> Tensor:
        return grad.masked_fill(mask, 0.0)

    grad_mask = None


def masked_fill(x: T, mask: T, value: float) -> T:
    """x with a number in every place where the mask is true.

    >>> from torch import empty
    >>> x = empty(2).fill_(3)
    >>> masked_fill(x, x > 2, 0)
    tensor([0., 0.])
    """
    _refuse_bool(mask)
    return MaskedFill(value)(x, mask)


def _refuse_bool(condition: object) -> None:
    """Refuse Python's True or False in place of a tensor: most likely `node == other`."""
    if isinstance(condition, bool):
        raise GraphError(
            f"The condition came as {condition}, one value for all. Two nodes are compared by "
            "node.eq(other) and node.ne(other): `==` asks whether they are one object."
        )
