"""Elementwise activation functions: tanh, sigmoid, and those with a kink."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from graphnet.errors import RangeError
from graphnet.op import Elementwise, T, View
from graphnet.op_rules import Bounds
from graphnet.ops.arguments import refuse_inplace
from graphnet.ops.arithmetic import mul
from graphnet.ops.comparison import where, zero_where
from graphnet.ops.dims import require_tensors
from graphnet.ops.dtypes import integer_bound, is_floating, refuse_booleans, refuse_integers
from graphnet.ops.limits import clamp
from graphnet.validation import require_numbers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["elu", "hardtanh", "identity", "leaky_relu", "relu", "relu6", "selu", "sigmoid", "tanh"]

_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


class Identity(View):
    """y = x, so dy/dx = 1.  Shapes: any."""

    symbol = "id"

    def forward(self, x: Tensor) -> Tensor:
        return x

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad


def identity(input: T) -> T:
    """The input itself.

    >>> from torch import empty
    >>> identity(empty(2).fill_(3))
    tensor([3., 3.])
    """
    return Identity()(input)


class Tanh(Elementwise):
    """y = tanh x, so dy/dx = 1 - y².  Shapes: any."""

    symbol = "tanh"

    def forward(self, x: Tensor) -> Tensor:
        return x.tanh()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad * (1 - top * top)

    def bounds(self) -> Bounds:
        return Bounds(-1, 1)


def tanh(input: T) -> T:
    """The hyperbolic tangent of each element, between -1 and 1.

    >>> from torch import empty
    >>> tanh(empty(2).fill_(0))
    tensor([0., 0.])
    """
    return Tanh()(input)


class Sigmoid(Elementwise):
    """y = 1 / (1 + e⁻ˣ), so dy/dx = y (1 - y).  Shapes: any."""

    symbol = "σ"

    def forward(self, x: Tensor) -> Tensor:
        return x.sigmoid()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return grad * (top * (1 - top))

    def bounds(self) -> Bounds:
        return Bounds(0, 1)


def sigmoid(input: T) -> T:
    """The logistic function of each element, between 0 and 1.

    >>> from torch import empty
    >>> sigmoid(empty(2).fill_(0))
    tensor([0.5000, 0.5000])
    """
    return Sigmoid()(input)


class Relu(Elementwise):
    """y = max(x, 0), so dy/dx = 1 where y > 0, else 0, including the kink x = 0.  Shapes: any."""

    symbol = "relu"

    def forward(self, x: Tensor) -> Tensor:
        return x.relu()

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        return zero_where(grad, top <= 0)

    def bounds(self) -> Bounds:
        return Bounds(0, inf, reached=True)


def relu(input: T, inplace: bool = False) -> T:
    """Each element if positive, else 0.

    Raises:
        GraphError: `inplace=True`: no operation writes to its input.

    >>> from torch import empty
    >>> relu(empty(2).fill_(-3))
    tensor([0., 0.])
    """
    refuse_inplace(inplace)
    return Relu()(input)


class LeakyRelu(Elementwise):
    """y = x where x > 0, else s x, so dy/dx = 1 or s; s at the kink x = 0.  Shapes: any."""

    symbol = "leaky"
    composite = True
    negative_slope: float = 0.01

    def forward(self, x: Tensor) -> Tensor:
        refuse_integers(self, x)
        return where(x > 0, x, x * self.negative_slope)

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return where(x > 0, grad, grad * self.negative_slope)


def leaky_relu(input: T, negative_slope: float = 0.01, inplace: bool = False) -> T:
    """Each element if positive, else its product with the slope.

    Raises:
        DtypeError: the input holds integers.
        GraphError: the slope is not a number, or `inplace=True`.

    >>> from torch import empty
    >>> leaky_relu(empty(2).fill_(-4), 0.25)
    tensor([-1., -1.])
    """
    require_numbers(negative_slope=negative_slope)
    refuse_inplace(inplace)
    return LeakyRelu(negative_slope)(input)


class Elu(Elementwise):
    """y = x where x > 0, else a (eˣ - 1), so dy/dx = 1 or a eˣ; a at x = 0.  Shapes: any.

    Where x is NaN, so is dy/dx. In torch it is 1 for the last few elements of a tensor, which
    another kernel computes, and NaN for all others.
    """

    symbol = "elu"
    composite = True
    alpha: float = 1.0

    def forward(self, x: Tensor) -> Tensor:
        refuse_integers(self, x)
        return where(x > 0, x, x.expm1() * self.alpha)

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        # Without the zeros, eˣ is infinite for large x, and spoils the second derivative.
        slope = self.alpha * zero_where(x, x >= 0).exp()
        return where(x > 0, grad, grad * slope)


def elu(input: T, alpha: float = 1.0, inplace: bool = False) -> T:
    """Each element if positive, else alpha (eˣ - 1).

    Raises:
        DtypeError: the input holds integers.
        GraphError: alpha is not a number, or `inplace=True`.

    Source: Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by
    Exponential Linear Units (2016).

    >>> from torch import empty
    >>> elu(empty(2).fill_(-1000), alpha=2)
    tensor([-2., -2.])
    """
    require_numbers(alpha=alpha)
    refuse_inplace(inplace)
    return Elu(alpha)(input)


def selu(input: T, inplace: bool = False) -> T:
    """s elu(x, a) with s = 1.0507 and a = 1.6733: keeps mean 0 and variance 1 between layers.

    Raises:
        DtypeError: the input holds integers.
        GraphError: `inplace=True`: no operation writes to its input.

    Source: Klambauer et al., Self-Normalizing Neural Networks (2017), equation 2.

    >>> from torch import empty
    >>> selu(empty(2).fill_(1))
    tensor([1.0507, 1.0507])
    """
    return mul(_SELU_SCALE, elu(input, _SELU_ALPHA, inplace))


def hardtanh(input: T, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> T:
    """Each element, limited to `min_val` and `max_val`; no gradient flows at the limits.

    Nor does any flow at a NaN, as in `clamp`; in torch a gradient flows through NaNs among the last
    few elements of a tensor, which another kernel computes.

    For an integer input, the bounds are cut to integers too.

    Raises:
        RangeError: `min_val` is greater than `max_val`, or a bound for integers is infinite.
        DtypeError: the input holds booleans.
        GraphError: a bound is not a number, or `inplace=True`.

    >>> from torch import empty
    >>> hardtanh(empty(2).fill_(-3))
    tensor([-1., -1.])
    """
    require_tensors("hardtanh", input)
    require_numbers(min_val=min_val, max_val=max_val)
    refuse_inplace(inplace)
    if min_val > max_val:
        raise RangeError(
            f"hardtanh: min_val must not be greater than max_val; got min_val={min_val!r} and "
            f"max_val={max_val!r}."
        )
    if not is_floating(input):
        refuse_booleans("hardtanh", input)
        min_val, max_val = integer_bound(min_val), integer_bound(max_val)
    return clamp(input, min_val, max_val)


def relu6(input: T, inplace: bool = False) -> T:
    """Each element, limited to 0 and 6; no gradient flows at the limits.

    Raises:
        DtypeError: the input holds booleans.
        GraphError: `inplace=True`: no operation writes to its input.

    >>> from torch import empty
    >>> relu6(empty(2).fill_(8))
    tensor([6., 6.])
    """
    return hardtanh(input, 0, 6, inplace)
