"""Kernels: the text of a call for each operation, with the names of its inputs and options.

`out` writes into existing memory; `inplace` writes over the first input, if nothing reads it
any more. An operation that is not in the table runs its own rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.compile.targets.torch.fused_ops import FUSED, Copy
from graphnet.compile.targets.torch.kernel import COPY, Kernel
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
from graphnet.ops.rounding import Ceil, Floor, Round, Trunc
from graphnet.ops.softmaxes import LogSoftmax, Softmax
from graphnet.ops.trigonometry import (
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atan2,
    Atanh,
    Cosh,
    Sinh,
    Tan,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphnet.op import Op

    Kernels = dict[type[Op], Kernel]


_COMPARISONS = (Eq, Ne, Gt, Ge, Lt, Le)
_FUSED_WITH_NUMBERS = [each for each in FUSED if each.takes_numbers]
TAKE_NUMBERS = frozenset((Add, Sub, Mul, Div, Pow, *_COMPARISONS, *_FUSED_WITH_NUMBERS))
"""Operations whose kernels also take a Python number as their second input."""


def _same_name(ops: Iterable[type[Op]], arguments: str, inplace: str | None = None) -> Kernels:
    """Kernels that torch calls as the operations are called; `{name}` is that name."""
    return {
        op: Kernel(f"{op.name}({arguments})", inplace and inplace.replace("{name}", op.name))
        for op in ops
    }


_ELEMENTWISE = ("{x}, out={out}", "{x}.{name}_()")
KERNELS: Kernels = {
    **_same_name((Exp, Expm1, Log, Log1p, Sqrt, Rsqrt, Square, Reciprocal), *_ELEMENTWISE),
    **_same_name((Sin, Cos, Erf, Tanh, Sigmoid, Neg, Abs, Sign), *_ELEMENTWISE),
    **_same_name((Ceil, Floor, Round, Trunc, Tan, Cosh, Sinh), *_ELEMENTWISE),
    **_same_name((Acos, Acosh, Asin, Asinh, Atan, Atanh), *_ELEMENTWISE),
    **_same_name((Mul, Div, Pow), "{x}, {y}, out={out}", "{x}.{name}_({y})"),
    **_same_name(
        (Add, Sub), "{x}, {y}, alpha={alpha}, out={out}", "{x}.{name}_({y}, alpha={alpha})"
    ),
    **_same_name((*_COMPARISONS, Maximum, Minimum, Matmul, Bmm), "{x}, {y}, out={out}"),
    **_same_name((Sum, Amax, Amin), "{x}, {dims}, {keepdim}, out={out}"),
    **_same_name((Softmax, LogSoftmax), "{x}, {dim}, out={out}"),
    **_same_name((Gather, IndexSelect), "{x}, {dim}, {index}, out={out}"),
    Relu: Kernel("clamp_min({x}, 0, out={out})", "{x}.relu_()"),
    Clamp: Kernel("clamp({x}, {min}, {max}, out={out})", "{x}.clamp_({min}, {max})"),
    Atan2: Kernel("atan2({y}, {x}, out={out})"),
    PowScalar: Kernel("pow({x}, {exponent}, out={out})", "{x}.pow_({exponent})"),
    Where: Kernel("where({condition}, {x}, {y}, out={out})"),
    MaskedFill: Kernel(
        "{out}.copy_({x}).masked_fill_({mask}, {value})", "{x}.masked_fill_({mask}, {value})"
    ),
    Copy: COPY,
    **{each: each.as_kernel() for each in FUSED if each.out},
}


ARITHMETIC: Kernels = {
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
