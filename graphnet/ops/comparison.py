"""Comparisons, and the choice between two values. No gradient flows to a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.errors import GraphError, ShapeError
from graphnet.op import Broadcasting, Stepwise, T
from graphnet.ops.branchless import chosen, filled
from graphnet.ops.dims import described
from graphnet.ops.dtypes import cast_to, is_floating, require_booleans
from graphnet.ops.logic import logical_not
from graphnet.validation import require_numbers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["eq", "ge", "gt", "le", "lt", "masked_fill", "ne", "where"]


class Eq(Stepwise):
    """z = (x is equal to y), true or false.  Shapes: any two that broadcast."""

    symbol = "="
    infix = "="

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.eq(y)


def eq(input: T, other: T | float) -> T:
    """Where both are equal; `==` of two nodes instead tests whether they are the same object.

    >>> from torch import empty
    >>> eq(empty(2).fill_(3), 3)
    tensor([True, True])
    """
    return Eq()(input, other)


class Ne(Stepwise):
    """z = (x differs from y), true or false.  Shapes: any two that broadcast."""

    symbol = "≠"
    infix = "≠"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.ne(y)


def ne(input: T, other: T | float) -> T:
    """Where both differ.

    >>> from torch import empty
    >>> ne(empty(2).fill_(3), 3)
    tensor([False, False])
    """
    return Ne()(input, other)


class Gt(Stepwise):
    """z = (x > y), true or false.  Shapes: any two that broadcast."""

    symbol = ">"
    infix = ">"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.gt(y)


def gt(input: T, other: T | float) -> T:
    """Where the input is greater than the other.

    >>> from torch import empty
    >>> gt(empty(2).fill_(3), 2)
    tensor([True, True])
    """
    return Gt()(input, other)


class Ge(Stepwise):
    """z = (x ≥ y), true or false.  Shapes: any two that broadcast."""

    symbol = "≥"
    infix = "≥"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.ge(y)


def ge(input: T, other: T | float) -> T:
    """Where the input is greater than or equal to the other.

    >>> from torch import empty
    >>> ge(empty(2).fill_(3), 3)
    tensor([True, True])
    """
    return Ge()(input, other)


class Lt(Stepwise):
    """z = (x < y), true or false.  Shapes: any two that broadcast."""

    symbol = "<"
    infix = "<"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.lt(y)


def lt(input: T, other: T | float) -> T:
    """Where the input is less than the other.

    >>> from torch import empty
    >>> lt(empty(2).fill_(3), 3)
    tensor([False, False])
    """
    return Lt()(input, other)


class Le(Stepwise):
    """z = (x ≤ y), true or false.  Shapes: any two that broadcast."""

    symbol = "≤"
    infix = "≤"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.le(y)


def le(input: T, other: T | float) -> T:
    """Where the input is less than or equal to the other.

    >>> from torch import empty
    >>> le(empty(2).fill_(3), 3)
    tensor([True, True])
    """
    return Le()(input, other)


class Where(Broadcasting):
    """z = x where the condition is true, else y; the gradient flows back to the chosen one.

    Shapes: any three that broadcast.
    """

    symbol = "where"
    structural = True

    def forward(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return chosen(condition, x, y)

    grad_condition = None

    def grad_x(self, grad: Tensor, condition: Tensor) -> Tensor:
        return where(condition, grad, 0.0)

    def grad_y(self, grad: Tensor, condition: Tensor) -> Tensor:
        return zero_where(grad, condition)


def where(condition: T, input: T | float, other: T | float) -> T:
    """The input where the condition is true, else the other; either may be a number.

    Raises:
        DtypeError: the condition does not hold booleans.
        GraphError: the condition is Python's True or False.

    >>> from torch import empty
    >>> where(empty(2).fill_(3) > 2, 1.0, empty(2).fill_(0))
    tensor([1., 1.])
    """
    _require_condition("where", condition)
    if not isinstance(input, int | float):
        return Where()(condition, input, other)
    if isinstance(other, int | float):
        zero = 0 if isinstance(input, int) and isinstance(other, int) else 0.0
        # Filling needs a tensor: the product has the dtype that torch chooses.
        return cast("T", masked_fill(cast("Any", condition) * zero + other, condition, input))
    if is_floating(other):
        return masked_fill(other, condition, input)
    return Where()(logical_not(condition), other, input)  # finds the dtype of both


class MaskedFill(Broadcasting):
    """y = value where the mask is true, else x: no gradient flows where it is filled.

    Shapes: any two that broadcast.
    """

    symbol = "fill"
    structural = True
    value: float

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return filled(x, mask, self.value)

    def grad_x(self, grad: Tensor, mask: Tensor) -> Tensor:
        return zero_where(grad, mask)

    grad_mask = None


zero_where = MaskedFill(0.0)
"""x, and 0 where the mask is true: for derivatives."""


def masked_fill(input: T, mask: T, value: T | float) -> T:
    """The input with a number wherever the mask is true.

    The number may be a tensor without dimensions, which then gets a gradient.

    Raises:
        DtypeError: the mask does not hold booleans.
        ShapeError: the value is a tensor with dimensions.
        GraphError: the mask is Python's True or False, or the value is not a number.

    >>> from torch import empty
    >>> x = empty(2).fill_(3)
    >>> masked_fill(x, x > 2, 0)
    tensor([0., 0.])
    """
    _require_condition("masked_fill", mask)
    if hasattr(value, "ndim"):
        number: Any = value
        if number.ndim:
            raise ShapeError(
                "masked_fill: the value must be one number, without dimensions; got "
                f"{described(number)}. Use ops.where(mask, value, input)."
            )
        return Where()(mask, cast_to(number, input.dtype), input)
    if not isinstance(value, bool):  # it fills booleans
        require_numbers(value=value)
    return MaskedFill(value)(input, mask)


def _require_condition(name: str, condition: object) -> None:
    """Refuse anything but a condition; Python's True or False is most likely `node == other`."""
    if isinstance(condition, bool):
        raise GraphError(
            f"The condition must be a tensor or a node; got {condition}. Compare two nodes by "
            "node.eq(other) and node.ne(other): `==` tests whether they are the same object."
        )
    require_booleans(name, condition)
