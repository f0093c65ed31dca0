"""Trigonometric and hyperbolic functions and their inverses; sin, cos and tanh are elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Broadcasting, Elementwise, T

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cosh", "sinh", "tan"]


class Tan(Elementwise):
    """y = tan x, so dy/dx = 1 + y².  Shapes: any."""

    symbol = "tan"

    def forward(self, x: Tensor) -> Tensor:
        return x.tan()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad * (top * top + 1)


def tan(input: T) -> T:
    """The tangent of each element, an angle in radians.

    >>> from torch import empty
    >>> tan(empty(2).fill_(0))
    tensor([0., 0.])
    """
    return Tan()(input)


class Asin(Elementwise):
    """y = arcsin x, so dy/dx = 1 / √(1 - x²).  Shapes: any."""

    symbol = "asin"

    def forward(self, x: Tensor) -> Tensor:
        return x.asin()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * (1 - x * x).rsqrt()


def asin(input: T) -> T:
    """The angle in [-π/2, π/2] whose sine each element is; NaN outside [-1, 1].

    >>> from torch import empty
    >>> asin(empty(2).fill_(1))
    tensor([1.5708, 1.5708])
    """
    return Asin()(input)


class Acos(Elementwise):
    """y = arccos x, so dy/dx = -1 / √(1 - x²).  Shapes: any."""

    symbol = "acos"

    def forward(self, x: Tensor) -> Tensor:
        return x.acos()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return -grad * (1 - x * x).rsqrt()


def acos(input: T) -> T:
    """The angle in [0, π] whose cosine each element is; NaN outside [-1, 1].

    >>> from torch import empty
    >>> acos(empty(2).fill_(1))
    tensor([0., 0.])
    """
    return Acos()(input)


class Atan(Elementwise):
    """y = arctan x, so dy/dx = 1 / (1 + x²).  Shapes: any."""

    symbol = "atan"

    def forward(self, x: Tensor) -> Tensor:
        return x.atan()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad / (x * x + 1)


def atan(input: T) -> T:
    """The angle between -π/2 and π/2 whose tangent each element is.

    >>> from torch import empty
    >>> atan(empty(2).fill_(1))
    tensor([0.7854, 0.7854])
    """
    return Atan()(input)


class Atan2(Broadcasting):
    """z = the angle of the point (y, x), so dz/dy = x / (x² + y²), dz/dx = -y / (x² + y²).

    At the origin the derivatives are 0, as in torch.  Shapes: any two that broadcast.
    """

    symbol = "atan2"

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        return y.atan2(x)

    def grad_y(self, grad: Tensor, y: Tensor, x: Tensor) -> Tensor:
        return grad * self._inverse(y, x) * x

    def grad_x(self, grad: Tensor, y: Tensor, x: Tensor) -> Tensor:
        return grad * self._inverse(y, x) * -y

    def _inverse(self, y: Tensor, x: Tensor) -> Tensor:
        """1 / (x² + y²), and 0 at the origin."""
        square = x * x + y * y
        return square.reciprocal().masked_fill(square.eq(0), 0.0)


def atan2(input: T, other: T) -> T:
    """The angle from -π to π of the point with the height `input` and the width `other`.

    Shapes: any two that broadcast.

    >>> from torch import empty
    >>> atan2(empty(2).fill_(1), empty(2).fill_(-1))
    tensor([2.3562, 2.3562])
    """
    return Atan2()(input, other)


class Sinh(Elementwise):
    """y = sinh x = (eˣ - e⁻ˣ) / 2, so dy/dx = cosh x.  Shapes: any."""

    symbol = "sinh"

    def forward(self, x: Tensor) -> Tensor:
        return x.sinh()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * x.cosh()


def sinh(input: T) -> T:
    """The hyperbolic sine of each element.

    >>> from torch import empty
    >>> sinh(empty(2).fill_(0))
    tensor([0., 0.])
    """
    return Sinh()(input)


class Cosh(Elementwise):
    """y = cosh x = (eˣ + e⁻ˣ) / 2, so dy/dx = sinh x.  Shapes: any."""

    symbol = "cosh"

    def forward(self, x: Tensor) -> Tensor:
        return x.cosh()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * x.sinh()


def cosh(input: T) -> T:
    """The hyperbolic cosine of each element.

    >>> from torch import empty
    >>> cosh(empty(2).fill_(0))
    tensor([1., 1.])
    """
    return Cosh()(input)


class Asinh(Elementwise):
    """y = arsinh x, so dy/dx = 1 / √(x² + 1).  Shapes: any."""

    symbol = "asinh"

    def forward(self, x: Tensor) -> Tensor:
        return x.asinh()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * (x * x + 1).rsqrt()


def asinh(input: T) -> T:
    """The number whose hyperbolic sine each element is.

    >>> from torch import empty
    >>> asinh(empty(2).fill_(0))
    tensor([0., 0.])
    """
    return Asinh()(input)


class Acosh(Elementwise):
    """y = arcosh x, so dy/dx = 1 / √(x² - 1).  Shapes: any."""

    symbol = "acosh"

    def forward(self, x: Tensor) -> Tensor:
        return x.acosh()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * (x * x - 1).rsqrt()


def acosh(input: T) -> T:
    """The positive number whose hyperbolic cosine each element is; NaN below 1.

    >>> from torch import empty
    >>> acosh(empty(2).fill_(1))
    tensor([0., 0.])
    """
    return Acosh()(input)


class Atanh(Elementwise):
    """y = artanh x, so dy/dx = 1 / (1 - x²).  Shapes: any."""

    symbol = "atanh"

    def forward(self, x: Tensor) -> Tensor:
        return x.atanh()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad / (1 - x * x)


def atanh(input: T) -> T:
    """The number whose hyperbolic tangent each element is; NaN outside [-1, 1].

    >>> from torch import empty
    >>> atanh(empty(2).fill_(0))
    tensor([0., 0.])
    """
    return Atanh()(input)
