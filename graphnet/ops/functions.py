"""Elementary functions of one variable, element by element."""

from __future__ import annotations

from math import pi
from math import sqrt as root
from typing import TYPE_CHECKING

from graphnet.op import Elementwise, T

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "cos",
    "erf",
    "exp",
    "expm1",
    "log",
    "log1p",
    "reciprocal",
    "rsqrt",
    "sin",
    "sqrt",
    "square",
]


class Exp(Elementwise):
    """y = eˣ, so dy/dx = y.  Shapes: any."""

    symbol = "exp"

    def forward(self, x: Tensor) -> Tensor:
        return x.exp()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad * top


def exp(input: T) -> T:
    """e to the power of each element.

    >>> from torch import empty
    >>> exp(empty(2).fill_(0))
    tensor([1., 1.])
    """
    return Exp()(input)


class Expm1(Elementwise):
    """y = eˣ - 1, exact for small x too, so dy/dx = y + 1.  Shapes: any."""

    symbol = "eˣ-1"

    def forward(self, x: Tensor) -> Tensor:
        return x.expm1()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad * (top + 1)


def expm1(input: T) -> T:
    """e to the power of each element, less 1; exact for small x too.

    >>> from torch import empty
    >>> expm1(empty(2).fill_(0))
    tensor([0., 0.])
    """
    return Expm1()(input)


class Log(Elementwise):
    """y = log x, the natural logarithm, so dy/dx = 1 / x.  Shapes: any."""

    symbol = "log"

    def forward(self, x: Tensor) -> Tensor:
        return x.log()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad / x


def log(input: T) -> T:
    """The natural logarithm of each element: -inf at 0, NaN below.

    >>> from torch import empty
    >>> log(empty(2).fill_(1))
    tensor([0., 0.])
    """
    return Log()(input)


class Log1p(Elementwise):
    """y = log (1 + x), exact for small x too, so dy/dx = 1 / (1 + x).  Shapes: any."""

    symbol = "log1p"

    def forward(self, x: Tensor) -> Tensor:
        return x.log1p()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad / (x + 1)


def log1p(input: T) -> T:
    """The natural logarithm of 1 + x, exact for small x too.

    >>> from torch import empty
    >>> log1p(empty(2).fill_(0))
    tensor([0., 0.])
    """
    return Log1p()(input)


class Sqrt(Elementwise):
    """y = √x, so dy/dx = 1 / (2 y).  Shapes: any."""

    symbol = "√"

    def forward(self, x: Tensor) -> Tensor:
        return x.sqrt()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad / (2 * top)


def sqrt(input: T) -> T:
    """The square root of each element: NaN below 0.

    >>> from torch import empty
    >>> sqrt(empty(2).fill_(9))
    tensor([3., 3.])
    """
    return Sqrt()(input)


class Rsqrt(Elementwise):
    """y = 1 / √x, so dy/dx = -y³ / 2.  Shapes: any."""

    symbol = "1/√"

    def forward(self, x: Tensor) -> Tensor:
        return x.rsqrt()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad * (-0.5 * (top * top * top))


def rsqrt(input: T) -> T:
    """1 over the square root of each element: infinite at 0, NaN below.

    >>> from torch import empty
    >>> rsqrt(empty(2).fill_(4))
    tensor([0.5000, 0.5000])
    """
    return Rsqrt()(input)


class Square(Elementwise):
    """y = x², so dy/dx = 2 x.  Shapes: any."""

    symbol = "x²"

    def forward(self, x: Tensor) -> Tensor:
        return x.square()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * (2 * x)


def square(input: T) -> T:
    """Each element times itself.

    >>> from torch import empty
    >>> square(empty(2).fill_(-3))
    tensor([9., 9.])
    """
    return Square()(input)


class Reciprocal(Elementwise):
    """y = 1 / x, so dy/dx = -y².  Shapes: any."""

    symbol = "1/x"

    def forward(self, x: Tensor) -> Tensor:
        return x.reciprocal()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return -grad * (top * top)


def reciprocal(input: T) -> T:
    """1 over each element: infinite at 0.

    >>> from torch import empty
    >>> reciprocal(empty(2).fill_(4))
    tensor([0.2500, 0.2500])
    """
    return Reciprocal()(input)


class Sin(Elementwise):
    """y = sin x, so dy/dx = cos x.  Shapes: any."""

    symbol = "sin"

    def forward(self, x: Tensor) -> Tensor:
        return x.sin()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * x.cos()


def sin(input: T) -> T:
    """The sine of each element, an angle in radians.

    >>> from torch import empty
    >>> sin(empty(2).fill_(0))
    tensor([0., 0.])
    """
    return Sin()(input)


class Cos(Elementwise):
    """y = cos x, so dy/dx = -sin x.  Shapes: any."""

    symbol = "cos"

    def forward(self, x: Tensor) -> Tensor:
        return x.cos()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return -grad * x.sin()


def cos(input: T) -> T:
    """The cosine of each element, an angle in radians.

    >>> from torch import empty
    >>> cos(empty(2).fill_(0))
    tensor([1., 1.])
    """
    return Cos()(input)


class Erf(Elementwise):
    """y = 2/√π ∫₀ˣ exp(-t²) dt, so dy/dx = 2/√π exp(-x²).  Shapes: any.

    Where x² overflows, the second derivative is 0, the limit; in torch 2.13 it is NaN.
    """

    symbol = "erf"

    def forward(self, x: Tensor) -> Tensor:
        return x.erf()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * (2 / root(pi) * (-(x * x)).exp())


def erf(input: T) -> T:
    """The error function of each element, between -1 and 1.

    >>> from torch import empty
    >>> erf(empty(2).fill_(0))
    tensor([0., 0.])
    """
    return Erf()(input)
