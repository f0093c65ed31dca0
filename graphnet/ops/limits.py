"""Limits: the larger or smaller of two values, and values clamped between two bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.errors import GraphError
from graphnet.op import Broadcasting, Elementwise, T
from graphnet.op_rules import Bounds
from graphnet.ops.comparison import where, zero_where
from graphnet.ops.dtypes import promoted

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["clamp", "maximum", "minimum"]


class Maximum(Broadcasting):
    """z = max(x, y): the gradient flows to the larger, or half to each if they are equal.

    Shapes: any two that broadcast.
    """

    symbol = "max"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.maximum(y)

    def grad_x(self, grad: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return zero_where(where(x.eq(y), grad / 2, grad), x < y)

    def grad_y(self, grad: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return zero_where(where(x.eq(y), grad / 2, grad), x > y)


def maximum(input: T, other: T) -> T:
    """The larger of the two, element by element; NaN where either is NaN.

    Different dtypes are first converted to the one to which torch promotes them.

    >>> from torch import empty
    >>> maximum(empty(2).fill_(3), empty(2).fill_(-3))
    tensor([3., 3.])
    """
    return cast("T", Maximum()(*_promoted(input, other)))


class Minimum(Broadcasting):
    """z = min(x, y): the gradient flows to the smaller, or half to each if they are equal.

    Shapes: any two that broadcast.
    """

    symbol = "min"

    grad_x = Maximum.grad_y  # the gradient goes where that of a maximum does not
    grad_y = Maximum.grad_x

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.minimum(y)


def minimum(input: T, other: T) -> T:
    """The smaller of the two, element by element; NaN where either is NaN.

    Different dtypes are first converted to the one to which torch promotes them.

    >>> from torch import empty
    >>> minimum(empty(2).fill_(3), empty(2).fill_(-3))
    tensor([-3., -3.])
    """
    return cast("T", Minimum()(*_promoted(input, other)))


class Clamp(Elementwise):
    """y = x clamped between two numbers; dy/dx is 1 strictly between, else 0.  Shapes: any."""

    symbol = "clamp"
    min: float | None
    max: float | None

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(self.min, self.max)

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        if self.min is not None:
            grad = where(x > self.min, grad, 0.0)
        if self.max is not None:
            grad = where(x < self.max, grad, 0.0)
        return grad

    def bounds(self) -> Bounds | None:
        if self.min is None or self.max is None:
            return None  # more often part of a formula than an activation
        return Bounds(self.min, self.max, reached=True)


class ClampBetween(Broadcasting):
    """y = min(max(x, low), high): the gradient flows to the one of the three that y equals.

    If x equals a bound, half of it flows to each. If the bounds are equal or in the wrong order,
    the choice is torch's.  Shapes: any three that broadcast.
    """

    symbol = "clamp"

    def forward(self, x: Tensor, low: Tensor, high: Tensor) -> Tensor:
        return x.clamp(low, high)

    def grad_x(self, grad: Tensor, x: Tensor, low: Tensor, high: Tensor) -> Tensor:
        tie = (x.eq(low) | x.eq(high)) & (low < high)
        return zero_where(where(tie, grad / 2, grad), (x < low) | (x > high))

    def grad_low(self, grad: Tensor, x: Tensor, low: Tensor, high: Tensor) -> Tensor:
        half = where(x.eq(low) & (low < high), grad / 2, 0.0)
        return where((x < low) & (low <= high), grad, half)

    def grad_high(self, grad: Tensor, x: Tensor, low: Tensor, high: Tensor) -> Tensor:
        half = where(x.eq(high) & (low < high), grad / 2, 0.0)
        return where((low > high) | ((x > high) & (low <= high)), grad, half)


def clamp(input: T, min: T | float | None = None, max: T | float | None = None) -> T:
    """Each element, limited to `min` and `max`: two numbers, or two tensors.

    Where the input equals a bound, the gradient is 0 for a number; for a tensor, half flows to
    each. This is torch 2.15's rule; in torch 2.13 all of it flows to the input in both cases.
    Different dtypes are first converted to the one to which torch promotes them.

    Raises:
        GraphError: no bound is given, or one is a number and the other a tensor.

    >>> from torch import empty
    >>> clamp(empty(2).fill_(3), max=2)
    tensor([2., 2.])
    >>> clamp(empty(2).fill_(3), empty(2).fill_(4))
    tensor([4., 4.])
    """
    given = [bound for bound in (min, max) if bound is not None]
    numbers = [isinstance(bound, int | float) for bound in given]
    if not given or len(set(numbers)) > 1:
        raise GraphError(
            "clamp takes min or max or both, two numbers or two tensors; "
            f"got min={min!r} and max={max!r}."
        )
    if numbers[0]:
        return Clamp(cast("float | None", min), cast("float | None", max))(input)
    if max is None:
        return maximum(input, cast("T", min))
    if min is None:
        return minimum(input, cast("T", max))
    return cast("T", ClampBetween()(*_promoted(input, min, max)))


def _promoted(*values: Any) -> tuple[Any, ...]:
    """Tensors and nodes in one dtype; numbers stay as they are."""
    return promoted(*values) if all(hasattr(each, "dtype") for each in values) else values
