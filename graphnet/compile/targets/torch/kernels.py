"""Kernels: the text of a call for each operation, with the names of its inputs and options.

`out` writes into existing memory; `inplace` writes over the first input, if nothing reads it
any more. An operation that is not in the table runs its own rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphnet.compile.targets.torch import fused_ops as fused
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


class Kernel(NamedTuple):
    """The text of a call.

    Attributes:
        out: a template; `{x}` stands for an input, `{dim}` for an option, `{out}` for the result.
        inplace: the same where the result is written over the first input.
        function: the function of torch, or of `namespace.FUNCTIONS`, that it calls.
    """

    out: str
    inplace: str | None = None
    function: str | None = None

    @property
    def reads_first(self) -> bool:
        """True if it reads all inputs before it writes, element by element."""
        return not self.out.startswith("{out}.")


def function(name: str, arguments: str, inplace: str | None = None) -> Kernel:
    """A kernel that calls a function, which writes its result."""
    return Kernel(f"{name}({arguments})", inplace, name)


def making(name: str, arguments: str) -> Kernel:
    """A kernel that calls a function, which makes a new tensor."""
    return Kernel(f"{{out}} = {name}({arguments})", function=name)


COPY = Kernel("{out}.copy_({x})")
ZERO = Kernel("{out}.zero_()")
RULE = Kernel("{out} = {rule}({arguments})")
"""The forward rule of an operation itself: it makes a new tensor, or a view of an input."""


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
    {Add, Sub, Mul, Div, Pow, Eq, Ne, Gt, Ge, Lt, Le, fused.AddScaled}
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
    fused.Copy: COPY,
    fused.AddScaled: function("add", "{x}, {y}, alpha={a}, out={out}", "{x}.add_({y}, alpha={a})"),
    fused.Addcmul: function(
        "addcmul", "{x}, {u}, {v}, value={a}, out={out}", "{x}.addcmul_({u}, {v}, value={a})"
    ),
    fused.Addcdiv: function(
        "addcdiv", "{x}, {u}, {v}, value={a}, out={out}", "{x}.addcdiv_({u}, {v}, value={a})"
    ),
    fused.Lerp: function("lerp", "{x}, {y}, {a}, out={out}", "{x}.lerp_({y}, {a})"),
    fused.LogSoftmaxGrad: function(
        "log_softmax_backward", "{grad}, {y}, {dim}, {y}.dtype, out={out}"
    ),
    fused.ReluGrad: function("relu_backward", "{grad}, {y}, 0, grad_input={out}"),
    fused.SigmoidGrad: function("sigmoid_backward", "{grad}, {y}, grad_input={out}"),
    fused.TanhGrad: function("tanh_backward", "{grad}, {y}, grad_input={out}"),
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
