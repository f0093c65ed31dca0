"""Elementwise arithmetic with broadcasting; either operand may be a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from graphnet.errors import DtypeError
from graphnet.op import Broadcasting, Elementwise, Stepwise, T
from graphnet.ops.broadcasting import zeros_like
from graphnet.ops.dtypes import is_floating
from graphnet.validation import require_choice, require_numbers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["abs", "add", "div", "mul", "neg", "sign", "sub"]


class Add(Broadcasting):
    """z = x + a y, so dz/dx = 1 and dz/dy = a.  Shapes: any two that broadcast."""

    symbol = "+"
    infix = "+"
    alpha: float = 1

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y if self.alpha == 1 else x.add(y, alpha=self.alpha)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad

    def grad_y(self, grad: Tensor) -> Tensor:
        return grad if self.alpha == 1 else grad * self.alpha


def add(input: T | float, other: T | float, *, alpha: float = 1) -> T:
    """input + alpha other.

    Raises:
        DtypeError: alpha is not an integer, but the operands are.
        GraphError: alpha is not a number.

    >>> from torch import empty
    >>> add(empty(2).fill_(3), 4)
    tensor([7., 7.])
    """
    _require_alpha(alpha, input, other)
    if alpha != 1 and isinstance(input, int | float):
        return Add()(input, mul(other, alpha))
    return Add(alpha)(input, other)


class Sub(Broadcasting):
    """z = x - a y, so dz/dx = 1 and dz/dy = -a.  Shapes: any two that broadcast."""

    symbol = "-"
    infix = "−"
    alpha: float = 1

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x - y if self.alpha == 1 else x.sub(y, alpha=self.alpha)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad

    def grad_y(self, grad: Tensor) -> Tensor:
        return -grad if self.alpha == 1 else grad * -self.alpha


def sub(input: T | float, other: T | float, *, alpha: float = 1) -> T:
    """input - alpha other.

    Raises:
        DtypeError: alpha is not an integer, but the operands are.
        GraphError: alpha is not a number.

    >>> from torch import empty
    >>> sub(1, empty(2).fill_(3))
    tensor([-2., -2.])
    """
    _require_alpha(alpha, input, other)
    if alpha != 1 and isinstance(input, int | float):
        return Sub()(input, mul(other, alpha))
    return Sub(alpha)(input, other)


class Mul(Broadcasting):
    """z = x y, so dz/dx = y and dz/dy = x.  Shapes: any two that broadcast."""

    symbol = "×"
    infix = "⊙"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x * y

    def grad_x(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad * y

    def grad_y(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * x


def mul(input: T | float, other: T | float) -> T:
    """input times other, element by element.

    >>> from torch import empty
    >>> mul(empty(2).fill_(3), empty(2).fill_(4))
    tensor([12., 12.])
    """
    return Mul()(input, other)


class Div(Broadcasting):
    """z = x / y, so dz/dx = 1 / y and dz/dy = -x / y².  Shapes: any two that broadcast."""

    symbol = "÷"
    infix = "/"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x / y

    def grad_x(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad / y

    def grad_y(self, grad: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return -grad * ((x / y) / y)


class DivRounded(Stepwise):
    """z = x / y rounded down or towards zero, a step function: no gradient flows.

    Shapes: any two that broadcast.
    """

    symbol = "÷"
    rounding_mode: str

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.div(y, rounding_mode=self.rounding_mode)

    def trial(self, x: Tensor, y: Tensor) -> Tensor:
        return x * y  # same shape and dtype; trial tensors are zeros, which cannot divide


def div(input: T | float, other: T | float, *, rounding_mode: str | None = None) -> T:
    """input divided by other, element by element.

    Args:
        input: the dividend.
        other: the divisor; the two shapes broadcast.
        rounding_mode: None, "floor" (rounded down, as Python's //) or "trunc" (towards zero).

    Raises:
        RangeError: `rounding_mode` is anything else.

    >>> from torch import empty
    >>> div(1, empty(2).fill_(4))
    tensor([0.2500, 0.2500])
    >>> div(empty(2).fill_(-7), 2, rounding_mode="trunc")
    tensor([-3., -3.])
    """
    if rounding_mode is None:
        return Div()(input, other)
    require_choice("rounding_mode", rounding_mode, (None, "floor", "trunc"))
    if isinstance(input, int | float):
        input = add(zeros_like(cast("T", other)), input)
    return DivRounded(rounding_mode)(input, other)


class Neg(Elementwise):
    """y = -x, so dy/dx = -1.  Shapes: any."""

    symbol = "neg"

    def forward(self, x: Tensor) -> Tensor:
        return -x

    def grad_x(self, grad: Tensor) -> Tensor:
        return -grad


def neg(input: T) -> T:
    """The input with its sign changed.

    >>> from torch import empty
    >>> neg(empty(2).fill_(3))
    tensor([-3., -3.])
    """
    return Neg()(input)


class Abs(Elementwise):
    """y = |x|, so dy/dx = sign x, and 0 at the kink x = 0.  Shapes: any."""

    symbol = "|x|"

    def forward(self, x: Tensor) -> Tensor:
        return x.abs()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * x.sign()


def abs(input: T) -> T:
    """The absolute value of each element.

    >>> from torch import empty
    >>> abs(empty(2).fill_(-3))
    tensor([3., 3.])
    """
    return Abs()(input)


class Sign(Elementwise):
    """y = -1, 0 or 1 as x is negative, zero or positive; no gradient flows.  Shapes: any."""

    symbol = "sign"

    def forward(self, x: Tensor) -> Tensor:
        return x.sign()

    grad_x = None


def sign(input: T) -> T:
    """The sign of each element: -1, 0 or 1.

    >>> from torch import empty
    >>> sign(empty(2).fill_(-3))
    tensor([-1., -1.])
    """
    return Sign()(input)


def _require_alpha(alpha: float, *terms: object) -> None:
    """Refuse a factor that would turn a sum of integers into fractions."""
    require_numbers(alpha=alpha)
    integers = not any(isinstance(term, float) or is_floating(term) for term in terms)
    if isinstance(alpha, float) and integers:
        raise DtypeError(f"alpha must be an integer for integer operands; got {alpha!r}.")
