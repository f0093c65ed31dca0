"""Powers: either the base or the exponent may be a number."""

from __future__ import annotations

from math import inf, log, nan
from typing import TYPE_CHECKING

from graphnet.op import Broadcasting, Elementwise, T
from graphnet.ops.broadcasting import zeros_like

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["pow"]


class PowScalar(Elementwise):
    """y = xᵖ for a number p, so dy/dx = p xᵖ⁻¹, and 0 for p = 0 at every x.  Shapes: any."""

    symbol = "xᵖ"
    exponent: float

    def forward(self, x: Tensor) -> Tensor:
        return x**self.exponent

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        if self.exponent == 0:
            return zeros_like(grad)
        return grad * (self.exponent * x ** (self.exponent - 1))


class Pow(Broadcasting):
    """z = xʸ, so dz/dx = y xʸ⁻¹ and dz/dy = xʸ log x.  Shapes: any two that broadcast."""

    symbol = "xʸ"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x**y

    def grad_x(self, grad: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return (grad * (y * x ** (y - 1))).masked_fill(y.eq(0), 0.0)

    def grad_y(self, grad: Tensor, x: Tensor, y: Tensor, top: Tensor) -> Tensor:
        # x log x goes to 0 with x, but a product of its two limits would be NaN.
        return grad * (top * x.log()).masked_fill(x.eq(0) & (y >= 0), 0.0)


class Exponential(Elementwise):
    """z = bʸ for a number b, so dz/dy = bʸ log b.  Shapes: any."""

    symbol = "bʸ"
    base: float

    def forward(self, y: Tensor) -> Tensor:
        return self.base**y

    def grad_y(self, grad: Tensor, y: Tensor, top: Tensor) -> Tensor:
        if self.base == 0:
            return grad * (top * -inf).masked_fill(y >= 0, 0.0)
        return grad * (top * (log(self.base) if self.base > 0 else nan))


def pow(input: T | float, exponent: T | float) -> T:
    """The input to the power of the exponent, element by element; either may be a number.

    >>> from torch import empty
    >>> pow(empty(2).fill_(3), 2)
    tensor([9., 9.])
    """
    if isinstance(exponent, int | float):
        return PowScalar(exponent)(input)
    if isinstance(input, int | float):
        return Exponential(input)(exponent)
    return Pow()(input, exponent)
