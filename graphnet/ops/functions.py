"""Elementary functions of one variable, element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Op, T

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["exp", "log", "log1p", "sqrt"]


class Exp(Op):
    """y = eˣ, so dy/dx = y.  Shapes: any."""

    symbol = "exp"

    def forward(self, x: Tensor) -> Tensor:
        return x.exp()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad * top


def exp(x: T) -> T:
    """e to the power of each element.

    >>> from torch import empty
    >>> exp(empty(2).fill_(0))
    tensor([1., 1.])
    """
    return Exp()(x)


class Log(Op):
    """y = log x, the natural logarithm, so dy/dx = 1 / x.  Shapes: any."""

    symbol = "log"

    def forward(self, x: Tensor) -> Tensor:
        return x.log()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad / x


def log(x: T) -> T:
    """The natural logarithm of each element: -inf at 0, NaN below.

    >>> from torch import empty
    >>> log(empty(2).fill_(1))
    tensor([0., 0.])
    """
    return Log()(x)


class Log1p(Op):
    """y = log (1 + x), exact for small x too, so dy/dx = 1 / (1 + x).  Shapes: any."""

    symbol = "log1p"

    def forward(self, x: Tensor) -> Tensor:
        return x.log1p()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad / (x + 1)


def log1p(x: T) -> T:
    """The natural logarithm of 1 + x, exact for small x too.

    >>> from torch import empty
    >>> log1p(empty(2).fill_(0))
    tensor([0., 0.])
    """
    return Log1p()(x)


class Sqrt(Op):
    """y = √x, so dy/dx = 1 / (2 y).  Shapes: any."""

    symbol = "√"

    def forward(self, x: Tensor) -> Tensor:
        return x.sqrt()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad / (2 * top)


def sqrt(x: T) -> T:
    """The square root of each element: NaN below 0.

    >>> from torch import empty
    >>> sqrt(empty(2).fill_(9))
    tensor([3., 3.])
    """
    return Sqrt()(x)
