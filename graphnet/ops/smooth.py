"""Activation functions without a kink: softplus, and products of x with a smooth gate.

Short floating dtypes are computed in float32 and rounded once, as in torch: a gate near 0 or 1
leaves few digits of bfloat16, and x³ overflows in float16 from x = 41 on. Where x² overflows, the
second derivative of gelu is 0, the limit; in torch 2.13 it is NaN, and so is mish's above 104.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING

from graphnet.op import Elementwise, T
from graphnet.ops.arguments import refuse_inplace
from graphnet.ops.comparison import where
from graphnet.ops.dtypes import narrowed, refuse_integers, widened
from graphnet.validation import require_choice, require_numbers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["gelu", "mish", "silu", "softplus"]


class Softplus(Elementwise):
    """y = log (1 + exp βx) / β, so dy/dx = σ(βx); y = x where βx is above the threshold.

    Shapes: any.
    """

    symbol = "softplus"
    composite = True
    beta: float = 1.0
    threshold: float = 20.0

    def forward(self, x: Tensor) -> Tensor:
        refuse_integers(self, x)
        wide = widened(x)
        steep = wide * self.beta
        # log (1 + eˢ) = max(s, 0) + log (1 + exp -|s|): no exponential overflows.
        smooth = (steep.clamp(min=0) + (-steep.abs()).exp().log1p()) / self.beta
        return narrowed(wide.where(steep > self.threshold, smooth), x)

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        steep = widened(x) * self.beta
        wide = widened(grad)
        return narrowed(where(steep > self.threshold, wide, wide * steep.sigmoid()), x)


def softplus(input: T, beta: float = 1.0, threshold: float = 20.0) -> T:
    """log (1 + exp βx) / β, a smooth form of relu; x itself where βx is above the threshold.

    Raises:
        DtypeError: the input holds integers.
        GraphError: beta or threshold is not a number.

    >>> from torch import empty
    >>> softplus(empty(2).fill_(0))
    tensor([0.6931, 0.6931])
    """
    require_numbers(beta=beta, threshold=threshold)
    return Softplus(beta, threshold)(input)


class Silu(Elementwise):
    """y = x σ(x), so dy/dx = σ + x σ (1 - σ).  Shapes: any."""

    symbol = "silu"
    composite = True

    def forward(self, x: Tensor) -> Tensor:
        refuse_integers(self, x)
        wide = widened(x)
        return narrowed(wide * wide.sigmoid(), x)

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        wide = widened(x)
        gate = wide.sigmoid()
        return narrowed(widened(grad) * (gate * (1 + wide * (1 - gate))), x)


def silu(input: T, inplace: bool = False) -> T:
    """x times the logistic function of x; also known as swish.

    Raises:
        DtypeError: the input holds integers.
        GraphError: `inplace=True`: no operation writes to its input.

    Source: Elfwing, Uchibe and Doya, Sigmoid-Weighted Linear Units (2018).

    >>> from torch import empty
    >>> silu(empty(2).fill_(1))
    tensor([0.7311, 0.7311])
    """
    refuse_inplace(inplace)
    return Silu()(input)


class Mish(Elementwise):
    """y = x tanh s for s = softplus x, so dy/dx = tanh s + x (1 - tanh² s) σ(x).  Shapes: any."""

    symbol = "mish"
    composite = True

    def forward(self, x: Tensor) -> Tensor:
        refuse_integers(self, x)
        wide = widened(x)
        return narrowed(wide * wide.exp().log1p().tanh(), x)

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        wide = widened(x)
        gate = softplus(wide).tanh()
        slope = gate + wide * (wide.sigmoid() * (1 - gate * gate))
        return narrowed(widened(grad) * slope, x)


def mish(input: T, inplace: bool = False) -> T:
    """x times tanh (softplus x).

    Raises:
        DtypeError: the input holds integers.
        GraphError: `inplace=True`: no operation writes to its input.

    Source: Misra, Mish: A Self Regularized Non-Monotonic Activation Function (2020).

    >>> from torch import empty
    >>> mish(empty(2).fill_(1))
    tensor([0.8651, 0.8651])
    """
    refuse_inplace(inplace)
    return Mish()(input)


class Gelu(Elementwise):
    """y = x Φ(x), so dy/dx = Φ + x φ, with the normal distribution Φ, φ.  Shapes: any."""

    symbol = "gelu"
    composite = True

    def forward(self, x: Tensor) -> Tensor:
        refuse_integers(self, x)
        wide = widened(x)
        return narrowed(wide * 0.5 * (1 + (wide * sqrt(0.5)).erf()), x)

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        wide = widened(x)
        below = 0.5 * (1 + (wide * sqrt(0.5)).erf())
        density = (wide * wide * -0.5).exp() / sqrt(2 * pi)
        return narrowed(widened(grad) * (below + wide * density), x)


class GeluTanh(Elementwise):
    """y = x (1 + t) / 2 for t = tanh (√(2/π) (x + 0.044715 x³)), close to x Φ(x).  Shapes: any."""

    symbol = "gelu"
    composite = True

    def forward(self, x: Tensor) -> Tensor:
        refuse_integers(self, x)
        wide = widened(x)
        return narrowed(0.5 * wide * (1 + _cubic(wide).tanh()), x)

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        wide = widened(x)
        gate = _cubic(wide).tanh()
        slope = sqrt(2 / pi) * (1 + 3 * 0.044715 * (wide * wide))
        both = 0.5 * (1 + gate) + 0.5 * wide * ((1 - gate * gate) * slope)
        return narrowed(widened(grad) * both, x)


def _cubic(x: Tensor) -> Tensor:
    """√(2/π) (x + 0.044715 x³)."""
    return sqrt(2 / pi) * (x + 0.044715 * (x * x * x))


APPROXIMATIONS = ("none", "tanh")
"""The forms of gelu: exact, and by a tanh."""


def gelu(input: T, *, approximate: str = "none") -> T:
    """x times the probability that a standard normal variable is below x.

    Args:
        input: any shape.
        approximate: "none", or "tanh" for a formula that needs no error function.

    Raises:
        RangeError: `approximate` is neither.
        DtypeError: the input holds integers.

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units (2016).

    >>> from torch import empty
    >>> gelu(empty(2).fill_(1))
    tensor([0.8413, 0.8413])
    """
    require_choice("approximate", approximate, APPROXIMATIONS)
    return Gelu()(input) if approximate == "none" else GeluTanh()(input)
