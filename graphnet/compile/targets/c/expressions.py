"""Expressions in C: a scalar as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isinf, isnan

import torch

from graphnet.compile.lower.scalars import Call, Load, Number, Scalar, loads
from graphnet.compile.targets.printing.expressions import Expressions, bare, may_wrap

TYPES = {
    torch.float32: "float",
    torch.float64: "double",
    torch.int64: "int64_t",
    torch.int32: "int32_t",
    torch.int8: "int8_t",
    torch.uint8: "uint8_t",
    torch.bool: "bool",
}

OPERATORS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "and": "&",
    "or": "|",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "div_int": "/",
    "mod_int": "%",
}

UNSIGNED = {"int64_t": "uint64_t", "int32_t": "uint32_t"}
"""The types without a sign of those in which C computes; shorter ones it computes as int."""

WRITTEN_OUT = frozenset({"exp", "expm1", "tanh", "log", "log1p"})
"""The functions of float that the prelude has; others are those of the C library."""

TOO_LARGE = 2.0**128 - 2.0**103
"""From this number on, float is infinite: a constant in C must not be out of range."""


def number(value: float, dtype: torch.dtype) -> str:
    """A plain number."""
    if dtype is torch.bool:
        return "true" if value else "false"
    if not dtype.is_floating_point:
        if value == -(2**63):  # its digits without the sign are no number of 64 bits
            return "INT64_MIN"
        return str(int(value)) if -(2**31) < value < 2**31 else f"INT64_C({int(value)})"
    is_single = dtype is torch.float32
    if isnan(value):
        return "NAN" if is_single else "(double)NAN"
    if isinf(value) or (is_single and abs(value) >= TOO_LARGE):
        name = "INFINITY" if value > 0 else "-INFINITY"
        return name if is_single else f"(double){name}"
    return f"{float(value)!r}f" if is_single else repr(float(value))


def wrapped(sign: str, x: str, y: str, kind: str) -> str:
    """A sum, difference or product of integers that begins anew where its type ends.

    So torch computes. In C, what is too large for a type with a sign is undefined.

    >>> wrapped("+", "x", "1", "int64_t"), wrapped("*", "x", "y", "uint8_t")
    ('(int64_t)((uint64_t)x + (uint64_t)1)', '(uint8_t)(x * y)')
    """
    of = UNSIGNED.get(kind)
    return f"({kind})({x} {sign} {y})" if of is None else f"({kind})(({of}){x} {sign} ({of}){y})"


@dataclass
class CExpressions(Expressions):
    """The text of scalars inside one nest of loops in C."""

    _chosen: set[int] = field(default_factory=set)

    def number(self, scalar: Number) -> str:
        """A plain number."""
        return number(scalar.value, scalar.dtype)

    def declared(self, scalar: Scalar, name: str) -> str:
        """The declaration of a local variable, up to its value."""
        return f"const {TYPES[scalar.dtype]} {name}"

    def is_local(self, scalar: Scalar, count: int) -> bool:
        """True for what is computed twice, and for reads at computed places or in a choice.

        Those come before anything is chosen: a read that depends on a condition is no vector, or
        one that gcc 12 gets wrong where its numbers do not lie side by side.
        """
        if isinstance(scalar, Load):
            return bool(scalar.place.terms) or id(scalar) in self._chosen
        return count > 1

    def call(self, call: Call) -> str:
        """A function of other scalars, in parentheses if it is an operator."""
        function, of = call.function, call.args[0].dtype
        if function == "select":
            self._chosen.update(id(each) for arm in call.args[1:] for each in loads(arm))
        args = [self.part(arg) for arg in call.args]
        if function in ("add", "sub", "mul", "neg") and may_wrap(call):
            x, y = args if function != "neg" else ("0", args[0])
            return wrapped(OPERATORS.get(function, "-"), x, y, TYPES[of])
        if function in OPERATORS:
            return f"({args[0]} {OPERATORS[function]} {args[1]})"
        if function == "neg":
            return f"(-{args[0]})"
        if function == "not":
            return f"(!{args[0]})"
        if function == "bitwise_not":
            return f"({TYPES[of]})(~{args[0]})"
        if function == "select":
            return f"({args[0]} ? {args[1]} : {args[2]})"
        if function == "convert":
            return self._converted(call.dtype, of, args[0])
        return self._function(function, of, args)

    def _converted(self, to: torch.dtype, of: torch.dtype, text: str) -> str:
        if to is torch.bool:
            return f"({text} != 0)"
        if to.is_floating_point or not of.is_floating_point:
            return f"({TYPES[to]}){text}"
        name = f"{TYPES[to]}_of_{TYPES[of]}"
        self.used.add(name)
        return f"{name}({bare(text)})"

    def _function(self, function: str, of: torch.dtype, args: list[str]) -> str:
        kind = TYPES[of]
        arguments = ", ".join(map(bare, args))
        if function in ("maximum", "minimum", "sign"):
            name = f"{function}_{kind}"
        elif function == "abs":
            name = {"float": "fabsf", "double": "fabs"}.get(kind, f"abs_{kind}")
        elif of is torch.float32:
            name = f"{function}_float" if function in WRITTEN_OUT else f"{function}f"
        else:
            name = function
        self.used.add(name)
        return f"{name}({arguments})"
