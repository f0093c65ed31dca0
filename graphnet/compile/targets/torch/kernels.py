"""Kernels: the line of torch code for each operation, with the names of its inputs and options.

`out` writes into existing memory; `inplace` writes over the first input, if nothing reads it
any more. An operation that is not in the table runs its own rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphnet.compile.targets.torch.fused_ops import FUSED, Copy
from graphnet.ops.activations import Identity, Relu, Sigmoid, Tanh
from graphnet.ops.arithmetic import Abs, Add, Div, Mul, Neg, Sign, Sub
from graphnet.ops.broadcasting import Expand, ExpandAs
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
from graphnet.ops.indexing import Index, Narrow
from graphnet.ops.joining import Section, Split
from graphnet.ops.limits import Clamp, Maximum, Minimum
from graphnet.ops.powers import Pow, PowScalar
from graphnet.ops.products import Bmm, Matmul
from graphnet.ops.reductions import Sum
from graphnet.ops.running import Column, Several, Sized
from graphnet.ops.shapes import Flatten, Permute, Reshape, ReshapeAs, Squeeze, Transpose, Unsqueeze
from graphnet.ops.softmaxes import LogSoftmax, Softmax
from graphnet.ops.unflatten import Unflatten

if TYPE_CHECKING:
    from graphnet.op import Op


class Kernel(NamedTuple):
    """The lines of one operation; `{op.dim}` stands for one of its options."""

    out: str
    inplace: str | None = None
    elementwise: bool = False
    """True if it may write over any of its inputs, not only the first."""


VIEWS: frozenset[type[Op]] = frozenset(
    {
        Identity,
        Expand,
        ExpandAs,
        Index,
        Narrow,
        Section,
        Split,
        Column,
        Sized,
        Several,
        Flatten,
        Permute,
        Reshape,
        ReshapeAs,
        Squeeze,
        Transpose,
        Unsqueeze,
        Unflatten,
    }
)
"""Operations that compute nothing, but view the same numbers in another way."""


def _one(name: str) -> Kernel:
    """A function of each element."""
    return Kernel(f"torch.{name}({{x}}, out={{out}})", f"{{x}}.{name}_()", True)


def _two(name: str) -> Kernel:
    """A function of two elements."""
    return Kernel(f"torch.{name}({{x}}, {{y}}, out={{out}})", f"{{x}}.{name}_({{y}})", True)


def _truth(name: str) -> Kernel:
    """A comparison."""
    return Kernel(f"torch.{name}({{x}}, {{y}}, out={{out}})")


def _along(name: str) -> Kernel:
    """A reduction over some dimensions."""
    return Kernel(f"torch.{name}({{x}}, {{op.dims}}, {{op.keepdim}}, out={{out}})")


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
    Relu: Kernel("{out}.copy_({x}).relu_()", "{x}.relu_()", True),
    Neg: _one("neg"),
    Abs: _one("abs"),
    Sign: _one("sign"),
    Add: Kernel(
        "torch.add({x}, {y}, alpha={op.alpha}, out={out})", "{x}.add_({y}, alpha={op.alpha})", True
    ),
    Sub: Kernel(
        "torch.sub({x}, {y}, alpha={op.alpha}, out={out})", "{x}.sub_({y}, alpha={op.alpha})", True
    ),
    Mul: _two("mul"),
    Div: _two("div"),
    Maximum: Kernel("torch.maximum({x}, {y}, out={out})", None, True),
    Minimum: Kernel("torch.minimum({x}, {y}, out={out})", None, True),
    Clamp: Kernel(
        "torch.clamp({x}, {op.min}, {op.max}, out={out})", "{x}.clamp_({op.min}, {op.max})"
    ),
    PowScalar: Kernel("torch.pow({x}, {op.exponent}, out={out})", "{x}.pow_({op.exponent})"),
    Pow: _two("pow"),
    Eq: _truth("eq"),
    Ne: _truth("ne"),
    Gt: _truth("gt"),
    Ge: _truth("ge"),
    Lt: _truth("lt"),
    Le: _truth("le"),
    Where: Kernel("torch.where({condition}, {x}, {y}, out={out})"),
    MaskedFill: Kernel(
        "{out}.copy_({x}).masked_fill_({mask}, {op.value})",
        "{x}.masked_fill_({mask}, {op.value})",
    ),
    Sum: _along("sum"),
    Amax: _along("amax"),
    Amin: _along("amin"),
    Softmax: Kernel("torch.softmax({x}, {op.dim}, out={out})"),
    LogSoftmax: Kernel("torch.log_softmax({x}, {op.dim}, out={out})"),
    Gather: Kernel("torch.gather({x}, {op.dim}, {index}, out={out})"),
    IndexSelect: Kernel("torch.index_select({x}, {op.dim}, {index}, out={out})"),
    Matmul: Kernel("torch.matmul({x}, {y}, out={out})"),
    Bmm: Kernel("torch.bmm({x}, {y}, out={out})"),
    Copy: Kernel("{out}.copy_({x})"),
    **{each: Kernel(each.out, each.inplace, each.elementwise) for each in FUSED if each.out},
}


ARITHMETIC = {
    Add: "{0} + {1}",
    Sub: "{0} - {1}",
    Mul: "{0} * {1}",
    Div: "{0} / {1}",
    Neg: "-{0}",
    Sqrt: "{0} ** 0.5",
    Square: "{0} * {0}",
}
"""How numbers are computed: in Python, before the tensors."""
