"""Expressions in JavaScript: a scalar as text.

JavaScript computes in float64. What a node computes on its way is not rounded to float32 in
between, only what is stored: that is closer to the exact numbers than torch's float32, by no more
than torch's own rounding. It is rounded where a decision hangs on it: in comparisons, and where a
number becomes an integer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isinf, isnan
from struct import error as too_large
from struct import pack, unpack
from typing import cast

import torch

from graphnet.compile.lower.primitives import COMPARED
from graphnet.compile.lower.scalars import Call, Number, Scalar
from graphnet.compile.targets.printing.expressions import Expressions, bare, may_wrap

ARRAYS = {
    torch.float32: "Float32Array",
    torch.float64: "Float64Array",
    torch.int64: "Int32Array",
    torch.int32: "Int32Array",
    torch.int8: "Int8Array",
    torch.uint8: "Uint8Array",
    torch.bool: "Uint8Array",
}
"""The array that values of a dtype are kept in; integers of 64 bits have 32 here."""

OPERATORS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "fmod": "%",
    "eq": "===",
    "ne": "!==",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "and": "&",
    "or": "|",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "mod_int": "%",
}

_MATH = """
abs acos acosh asin asinh atan atan2 atanh ceil cos cosh exp expm1 floor log log1p sin sinh sqrt tan
tanh trunc
"""
MATH = {name: f"Math.{name}" for name in _MATH.split()}
MATH |= {"maximum": "Math.max", "minimum": "Math.min"}
"""The functions that JavaScript has."""

PRELUDE = {
    "copysign": "copySign",
    "erf": "erf",
    "pow": "power",
    "rint": "roundHalfToEven",
    "sign": "sign",
}
"""Those of the prelude."""

DECISIVE = COMPARED | {"ceil", "floor", "trunc", "rint", "fmod"}
"""What needs numbers as they are in their dtype."""


def number(value: float, dtype: torch.dtype) -> str:
    """A plain number."""
    if dtype is torch.bool:
        return str(int(bool(value)))
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < 2**53 and not (value == 0 and str(value)[0] == "-"):
        return str(int(value))
    return repr(float(value))


def rounded(value: float) -> float:
    """The number of float32 next to a number.

    >>> rounded(0.1)
    0.10000000149011612
    """
    try:
        return cast("float", unpack("f", pack("f", value))[0])
    except (OverflowError, too_large):
        return float("inf") if value > 0 else float("-inf")


def wrapped(text: str, dtype: torch.dtype) -> str:
    """An integer that begins anew where its dtype ends, as in torch.

    >>> wrapped("x + 1", torch.int64), wrapped("x + 1", torch.uint8)
    ('((x + 1) | 0)', '((x + 1) & 255)')
    """
    if dtype is torch.int8:
        return f"((({text}) << 24) >> 24)"
    return f"(({text}) & 255)" if dtype is torch.uint8 else f"(({text}) | 0)"


@dataclass
class JSExpressions(Expressions):
    """The text of scalars inside one nest of loops in JavaScript.

    Attributes:
        named: the names of scalars that become local variables, by their ids.
    """

    named: dict[int, str] = field(default_factory=dict)

    def number(self, scalar: Number) -> str:
        """A plain number."""
        return number(scalar.value, scalar.dtype)

    def declared(self, scalar: Scalar, name: str) -> str:
        """The declaration of a local variable, up to its value."""
        return f"const {name}"

    def name(self, scalar: Scalar) -> str:
        """The name of a local variable."""
        return self.named.get(id(scalar), super().name(scalar))

    def is_local(self, scalar: Scalar, count: int) -> bool:
        """True for what is read twice or has a name."""
        return count > 1 or id(scalar) in self.named

    def call(self, call: Call) -> str:
        """A function of other scalars, in parentheses if it is an operator."""
        function, of = call.function, call.args[0].dtype
        args = [self._argument(call, arg) for arg in call.args]
        if function == "convert":
            return _converted(call.dtype, of, args[0])
        if function == "select":
            return f"({args[0]} ? {args[1]} : {args[2]})"
        if function == "not":
            return f"(!{args[0]})"
        if function in ("neg", "bitwise_not"):
            text = f"-{args[0]}" if function == "neg" else f"~{args[0]}"
            return f"({text})" if of.is_floating_point else wrapped(text, of)
        if function in ("add", "sub", "mul") and may_wrap(call):
            is_long = function == "mul" and of in (torch.int32, torch.int64)
            if is_long:
                return f"Math.imul({', '.join(map(bare, args))})"
            return wrapped(f"{args[0]} {OPERATORS[function]} {args[1]}", of)
        if function == "div_int":
            return f"Math.trunc({args[0]} / {args[1]})"
        if function in OPERATORS:
            x, y = (_inside(function, *each) for each in zip((0, 1), call.args, args, strict=True))
            if function == "add" and y.startswith("-") and _is_product(call.args[1]):
                return f"({x} - {y[1:]})"
            return f"({x} {OPERATORS[function]} {y})"
        return self._function(function, args)

    def _argument(self, call: Call, arg: Scalar) -> str:
        """An argument, as a number of its dtype where that matters."""
        is_decisive = call.function in DECISIVE
        to_integer = call.function == "convert" and call.dtype is not torch.float32
        if arg.dtype is torch.float32 and (is_decisive or to_integer):
            if isinstance(arg, Number):
                return number(rounded(arg.value), arg.dtype)
            if isinstance(arg, Call):
                return f"Math.fround({bare(self.part(arg))})"
        text = self.part(arg)
        return f"+{text}" if is_decisive and arg.dtype is torch.bool else text

    def _function(self, function: str, args: list[str]) -> str:
        if function in PRELUDE:
            self.used.add(PRELUDE[function])
        name = PRELUDE.get(function) or MATH[function]
        return f"{name}({', '.join(map(bare, args))})"


def _is_product(scalar: Scalar) -> bool:
    return isinstance(scalar, Call) and scalar.function in ("mul", "div")


def _inside(function: str, place: int, arg: Scalar, text: str) -> str:
    """An operand, without parentheses where it is computed first anyway."""
    inner = arg.function if isinstance(arg, Call) else ""
    sums = function in ("add", "sub")
    if (sums or function in COMPARED) and inner in ("mul", "div"):
        return bare(text)
    first = {"add": ("add", "sub"), "sub": ("add", "sub"), "mul": ("mul", "div", "neg")}
    first["div"] = first["mul"]
    return bare(text) if place == 0 and inner in first.get(function, ()) else text


def _converted(to: torch.dtype, of: torch.dtype, text: str) -> str:
    if to is torch.bool:
        return f"({text} !== 0)"
    if of is torch.bool:
        return f"(+{text})"
    if to.is_floating_point:
        return f"Math.fround({bare(text)})" if of is torch.float64 else text
    return wrapped(bare(text), to)
