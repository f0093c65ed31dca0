"""Arithmetic, element by element, with broadcasting; a number may stand on either side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Op, T

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["abs", "add", "div", "mul", "neg", "sign", "sub"]

_BROADCAST_HINT = "Sizes must be equal, or one of them 1, counted from the last dimension."


class Add(Op):
    """z = x + y, so dz/dx = dz/dy = 1.  Shapes: any two that broadcast."""

    symbol = "+"
    hint = _BROADCAST_HINT
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad

    def grad_y(self, grad: Tensor) -> Tensor:
        return grad


def add(x: T | float, y: T | float) -> T:
    """x + y.

    >>> from torch import empty
    >>> add(empty(2).fill_(3), 4)
    tensor([7., 7.])
    """
    return Add()(x, y)


class Sub(Op):
    """z = x - y, so dz/dx = 1 and dz/dy = -1.  Shapes: any two that broadcast."""

    symbol = "-"
    hint = _BROADCAST_HINT
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x - y

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad

    def grad_y(self, grad: Tensor) -> Tensor:
        return -grad


def sub(x: T | float, y: T | float) -> T:
    """x - y.

    >>> from torch import empty
    >>> sub(1, empty(2).fill_(3))
    tensor([-2., -2.])
    """
    return Sub()(x, y)


class Mul(Op):
    """z = x y, so dz/dx = y and dz/dy = x.  Shapes: any two that broadcast."""

    symbol = "×"
    hint = _BROADCAST_HINT
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x * y

    def grad_x(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad * y

    def grad_y(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * x


def mul(x: T | float, y: T | float) -> T:
    """x times y, element by element.

    >>> from torch import empty
    >>> mul(empty(2).fill_(3), empty(2).fill_(4))
    tensor([12., 12.])
    """
    return Mul()(x, y)


class Div(Op):
    """z = x / y, so dz/dx = 1 / y and dz/dy = -x / y².  Shapes: any two that broadcast."""

    symbol = "÷"
    hint = _BROADCAST_HINT
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x / y

    def grad_x(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad / y

    def grad_y(self, grad: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return -grad * ((x / y) / y)


def div(x: T | float, y: T | float) -> T:
    """x divided by y, element by element.

    >>> from torch import empty
    >>> div(1, empty(2).fill_(4))
    tensor([0.2500, 0.2500])
    """
    return Div()(x, y)


class Neg(Op):
    """y = -x, so dy/dx = -1.  Shapes: any."""

    symbol = "neg"

    def forward(self, x: Tensor) -> Tensor:
        return -x

    def grad_x(self, grad: Tensor) -> Tensor:
        return -grad


def neg(x: T) -> T:
    """x with the other sign.

    >>> from torch import empty
    >>> neg(empty(2).fill_(3))
    tensor([-3., -3.])
    """
    return Neg()(x)


class Abs(Op):
    """y = |x|, so dy/dx = sign x, and 0 at the kink x = 0.  Shapes: any."""

    symbol = "|x|"

    def forward(self, x: Tensor) -> Tensor:
        return x.abs()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * x.sign()


def abs(x: T) -> T:
    """The absolute value of each element.

    >>> from torch import empty
    >>> abs(empty(2).fill_(-3))
    tensor([3., 3.])
    """
    return Abs()(x)


class Sign(Op):
    """y = -1, 0 or 1 as x is negative, zero or positive; no gradient flows.  Shapes: any."""

    symbol = "sign"

    def forward(self, x: Tensor) -> Tensor:
        return x.sign()

    grad_x = None


def sign(x: T) -> T:
    """The sign of each element: -1, 0 or 1.

    >>> from torch import empty
    >>> sign(empty(2).fill_(-3))
    tensor([-1., -1.])
    """
    return Sign()(x)
