"""Activation functions, element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Op, T

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["identity", "relu", "sigmoid", "tanh"]


class Identity(Op):
    """y = x, so dy/dx = 1.  Shapes: any."""

    symbol = "id"

    def forward(self, x: Tensor) -> Tensor:
        return x

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad


def identity(x: T) -> T:
    """x itself.

    >>> from torch import empty
    >>> identity(empty(2).fill_(3))
    tensor([3., 3.])
    """
    return Identity()(x)


class Tanh(Op):
    """y = tanh x, so dy/dx = 1 - y².  Shapes: any."""

    symbol = "tanh"

    def forward(self, x: Tensor) -> Tensor:
        return x.tanh()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad * (1 - top * top)


def tanh(x: T) -> T:
    """The hyperbolic tangent of each element, between -1 and 1.

    >>> from torch import empty
    >>> tanh(empty(2).fill_(0))
    tensor([0., 0.])
    """
    return Tanh()(x)


class Sigmoid(Op):
    """y = 1 / (1 + e⁻ˣ), so dy/dx = y (1 - y).  Shapes: any."""

    symbol = "σ"

    def forward(self, x: Tensor) -> Tensor:
        return x.sigmoid()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad * (top * (1 - top))


def sigmoid(x: T) -> T:
    """The logistic function of each element, between 0 and 1.

    >>> from torch import empty
    >>> sigmoid(empty(2).fill_(0))
    tensor([0.5000, 0.5000])
    """
    return Sigmoid()(x)


class Relu(Op):
    """y = max(x, 0), so dy/dx = 1 where y > 0, else 0, also at the kink x = 0.  Shapes: any."""

    symbol = "relu"

    def forward(self, x: Tensor) -> Tensor:
        return x.relu()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad.masked_fill(top <= 0, 0.0)


def relu(x: T) -> T:
    """Each element where it is positive, else 0.

    >>> from torch import empty
    >>> relu(empty(2).fill_(-3))
    tensor([0., 0.])
    """
    return Relu()(x)
