"""Kernels: the text of a call for each operation, with the names of its inputs and options.

`out` writes into existing memory; `inplace` writes over the first input, if nothing reads it
any more. An operation that is not in the table runs its own rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.compile.targets.torch.fused_ops import FUSED, Copy
from graphnet.compile.targets.torch.kernel import COPY, Kernel, function
from graphnet.ops.activations import Relu, Sigmoid, Tanh
from graphnet.ops.arithmetic import Abs, Add, Div, Mul, Neg, Sign, Sub
from graphnet.ops.comparison import Eq, Ge, Gt, Le, Lt, MaskedFill, Ne, Where
from graphnet.ops.extremes import Amax, Amin
from graphnet.ops.functions import (
    Cos,
    Erf,
    Exp,
    Expm1,
    Log,
    Log1p,
    Reciprocal,
    Rsqrt,
    Sin,
    Sqrt,
    Square,
)
from graphnet.ops.gathering import Gather, IndexSelect
from graphnet.ops.limits import Clamp, Maximum, Minimum
from graphnet.ops.powers import Pow, PowScalar
from graphnet.ops.products import Bmm, Matmul
from graphnet.ops.reductions import Sum
from graphnet.ops.softmaxes import LogSoftmax, Softmax

if TYPE_CHECKING:
    from graphnet.op import Op


def _one(name: str) -> Kernel:
    """A function of each element."""
    return function(name, "{x}, out={out}", f"{{x}}.{name}_()")


def _two(name: str) -> Kernel:
    """A function of two elements."""
    return function(name, "{x}, {y}, out={out}", f"{{x}}.{name}_({{y}})")


def _truth(name: str) -> Kernel:
    """A comparison."""
    return function(name, "{x}, {y}, out={out}")


def _along(name: str) -> Kernel:
    """A reduction over some dimensions."""
    return function(name, "{x}, {dims}, {keepdim}, out={out}")


TAKE_NUMBERS: frozenset[type[Op]] = frozenset(
    {
        Add,
        Sub,
        Mul,
        Div,
        Pow,
        Eq,
        Ne,
        Gt,
        Ge,
        Lt,
        Le,
        *(each for each in FUSED if each.takes_numbers),
    }
)
"""Operations whose kernels also take a Python number as their second input."""


KERNELS: dict[type[Op], Kernel] = {
    Exp: _one("exp"),
    Expm1: _one("expm1"),
    Log: _one("log"),
    Log1p: _one("log1p"),
    Sqrt: _one("sqrt"),
    Rsqrt: _one("rsqrt"),
    Square: _one("square"),
    Reciprocal: _one("reciprocal"),
    Sin: _one("sin"),
    Cos: _one("cos"),
    Erf: _one("erf"),
    Tanh: _one("tanh"),
    Sigmoid: _one("sigmoid"),
    Relu: Kernel("{out}.copy_({x}).relu_()", "{x}.relu_()"),
    Neg: _one("neg"),
    Abs: _one("abs"),
    Sign: _one("sign"),
    Add: function("add", "{x}, {y}, alpha={alpha}, out={out}", "{x}.add_({y}, alpha={alpha})"),
    Sub: function("sub", "{x}, {y}, alpha={alpha}, out={out}", "{x}.sub_({y}, alpha={alpha})"),
    Mul: _two("mul"),
    Div: _two("div"),
    Maximum: function("maximum", "{x}, {y}, out={out}"),
    Minimum: function("minimum", "{x}, {y}, out={out}"),
    Clamp: function("clamp", "{x}, {min}, {max}, out={out}", "{x}.clamp_({min}, {max})"),
    PowScalar: function("pow", "{x}, {exponent}, out={out}", "{x}.pow_({exponent})"),
    Pow: _two("pow"),
    Eq: _truth("eq"),
    Ne: _truth("ne"),
    Gt: _truth("gt"),
    Ge: _truth("ge"),
    Lt: _truth("lt"),
    Le: _truth("le"),
    Where: function("where", "{condition}, {x}, {y}, out={out}"),
    MaskedFill: Kernel(
        "{out}.copy_({x}).masked_fill_({mask}, {value})",
        "{x}.masked_fill_({mask}, {value})",
    ),
    Sum: _along("sum"),
    Amax: _along("amax"),
    Amin: _along("amin"),
    Softmax: function("softmax", "{x}, {dim}, out={out}"),
    LogSoftmax: function("log_softmax", "{x}, {dim}, out={out}"),
    Gather: function("gather", "{x}, {dim}, {index}, out={out}"),
    IndexSelect: function("index_select", "{x}, {dim}, {index}, out={out}"),
    Matmul: function("matmul", "{x}, {y}, out={out}"),
    Bmm: function("bmm", "{x}, {y}, out={out}"),
    Copy: COPY,
    **{each: each.as_kernel() for each in FUSED if each.out},
}


ARITHMETIC: dict[type[Op], Kernel] = {
    Add: Kernel("{out} = {x} + {y}"),
    Sub: Kernel("{out} = {x} - {y}"),
    Mul: Kernel("{out} = {x} * {y}"),
    Div: Kernel("{out} = {x} / {y}"),
    Neg: Kernel("{out} = -{x}"),
    Sqrt: Kernel("{out} = {x} ** 0.5"),
    Square: Kernel("{out} = {x} * {x}"),
}
"""How numbers are computed: in Python, before the tensors."""


def may_overwrite(op: Op) -> bool:
    """True for an elementwise operation whose kernel may write over any of its inputs."""
    kernel = KERNELS.get(type(op))
    return op.elementwise and kernel is not None and kernel.reads_first
