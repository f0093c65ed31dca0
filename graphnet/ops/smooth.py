"""Activation functions without a kink: softplus, and products of x with a smooth gate."""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING

from graphnet.errors import RangeError
from graphnet.op import Op, T
from graphnet.ops.arguments import refuse_inplace, require_number
from graphnet.ops.comparison import where
from graphnet.ops.dtypes import refuse_whole_numbers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["gelu", "mish", "silu", "softplus"]


class Softplus(Op):
    """y = log (1 + exp βx) / β, so dy/dx = σ(βx); y = x where βx is above the threshold.

    Shapes: any.
    """

    symbol = "softplus"
    beta: float = 1.0
    threshold: float = 20.0

    def forward(self, x: Tensor) -> Tensor:
        refuse_whole_numbers(self, x)
        steep = x * self.beta
        return x.where(steep > self.threshold, steep.exp().log1p() / self.beta)

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        steep = x * self.beta
        return where(steep > self.threshold, grad, grad * steep.sigmoid())


def softplus(input: T, beta: float = 1.0, threshold: float = 20.0) -> T:
    """log (1 + exp βx) / β, a smooth form of relu; x itself where βx is above the threshold.

    Raises:
        DtypeError: the input holds whole numbers.
        GraphError: beta or threshold is not a number.

    >>> from torch import empty
    >>> softplus(empty(2).fill_(0))
    tensor([0.6931, 0.6931])
    """
    require_number(beta=beta, threshold=threshold)
    return Softplus(beta, threshold)(input)


class Silu(Op):
    """y = x σ(x), so dy/dx = σ + x σ (1 - σ).  Shapes: any."""

    symbol = "silu"

    def forward(self, x: Tensor) -> Tensor:
        refuse_whole_numbers(self, x)
        return x * x.sigmoid()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        gate = x.sigmoid()
        return grad * (gate * (1 + x * (1 - gate)))


def silu(input: T, inplace: bool = False) -> T:
    """x times the logistic function of x; also known as swish.

    Raises:
        DtypeError: the input holds whole numbers.
        GraphError: `inplace=True`: no operation writes to its input.

    Source: Elfwing, Uchibe and Doya, Sigmoid-Weighted Linear Units (2018).

    >>> from torch import empty
    >>> silu(empty(2).fill_(1))
    tensor([0.7311, 0.7311])
    """
    refuse_inplace(inplace)
    return Silu()(input)


class Mish(Op):
    """y = x tanh s for s = softplus x, so dy/dx = tanh s + x (1 - tanh² s) σ(x).  Shapes: any."""

    symbol = "mish"

    def forward(self, x: Tensor) -> Tensor:
        refuse_whole_numbers(self, x)
        return x * x.exp().log1p().tanh()

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        gate = softplus(x).tanh()
        return grad * (gate + x * (x.sigmoid() * (1 - gate * gate)))


def mish(input: T, inplace: bool = False) -> T:
    """x times tanh (softplus x).

    Raises:
        DtypeError: the input holds whole numbers.
        GraphError: `inplace=True`: no operation writes to its input.

    Source: Misra, Mish: A Self Regularized Non-Monotonic Activation Function (2020).

    >>> from torch import empty
    >>> mish(empty(2).fill_(1))
    tensor([0.8651, 0.8651])
    """
    refuse_inplace(inplace)
    return Mish()(input)


class Gelu(Op):
    """y = x Φ(x), so dy/dx = Φ + x φ, with the normal distribution Φ, φ.  Shapes: any."""

    symbol = "gelu"

    def forward(self, x: Tensor) -> Tensor:
        refuse_whole_numbers(self, x)
        return x * 0.5 * (1 + (x * sqrt(0.5)).erf())

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        below = 0.5 * (1 + (x * sqrt(0.5)).erf())
        density = (x * x * -0.5).exp() / sqrt(2 * pi)
        return grad * (below + x * density)


class GeluTanh(Op):
    """y = x (1 + t) / 2 for t = tanh (√(2/π) (x + 0.044715 x³)), close to x Φ(x).  Shapes: any."""

    symbol = "gelu"

    def forward(self, x: Tensor) -> Tensor:
        refuse_whole_numbers(self, x)
        return 0.5 * x * (1 + (sqrt(2 / pi) * (x + 0.044715 * (x * x * x))).tanh())

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        gate = (sqrt(2 / pi) * (x + 0.044715 * (x * x * x))).tanh()
        slope = sqrt(2 / pi) * (1 + 3 * 0.044715 * (x * x))
        return grad * (0.5 * (1 + gate) + 0.5 * x * ((1 - gate * gate) * slope))


def gelu(input: T, *, approximate: str = "none") -> T:
    """x times the share of the standard normal distribution that lies below x.

    Args:
        input: any shape.
        approximate: "none", or "tanh" for a formula that needs no error function.

    Raises:
        RangeError: `approximate` is another word.
        DtypeError: the input holds whole numbers.

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units (2016).

    >>> from torch import empty
    >>> gelu(empty(2).fill_(1))
    tensor([0.8413, 0.8413])
    """
    require_approximation(approximate)
    return Gelu()(input) if approximate == "none" else GeluTanh()(input)


def require_approximation(approximate: str) -> None:
    """Refuse a form of gelu that does not exist.

    Raises:
        RangeError: it is neither "none" nor "tanh".
    """
    if approximate not in ("none", "tanh"):
        raise RangeError(f"gelu: approximate is 'none' or 'tanh'; {approximate!r} came.")
