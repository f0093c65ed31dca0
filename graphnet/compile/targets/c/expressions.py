"""Expressions in C: a scalar as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isinf, isnan
from typing import cast

import torch

from graphnet.compile.lower.scalars import Call, Load, Number, Place, Position, Scalar, loads

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
class Expressions:
    """The text of scalars inside one nest of loops.

    Attributes:
        address: the text of the memory at a place.
        position: the text of the position along an axis.
        used: the functions of the prelude that are called; grows.
        lines: the local variables that the text needs; grows.
    """

    address: Callable[[Place, Expressions], str]
    position: Callable[[int], str]
    used: set[str]
    lines: list[str] = field(default_factory=list)
    _names: dict[int, str] = field(default_factory=dict)
    _counts: Counter[int] = field(default_factory=Counter)

    def text(self, scalar: Scalar) -> str:
        """A scalar as text; what it reads twice becomes a local variable."""
        self._count(scalar)
        return _bare(self._text(scalar))

    def term(self, scalar: Scalar) -> str:
        """A scalar as text, in parentheses if it is not a single name or call."""
        self._count(scalar)
        return self._text(scalar)

    def part(self, scalar: Scalar) -> str:
        """A scalar as text, inside another that has been counted."""
        return self._text(scalar)

    def _count(self, scalar: Scalar) -> None:
        waiting = [scalar]
        while waiting:
            each = waiting.pop()
            self._counts[id(each)] += 1
            if self._counts[id(each)] == 1:
                waiting += each.parts()

    def _text(self, scalar: Scalar) -> str:
        if isinstance(scalar, Number):
            return number(scalar.value, scalar.dtype)
        if isinstance(scalar, Position):
            return self.position(scalar.axis)
        if id(scalar) in self._names:
            return self._names[id(scalar)]
        if isinstance(scalar, Load):
            text = self.address(scalar.place, self)
            # Read before anything is chosen: a read that depends on a condition is no vector.
            return self._local(scalar, text) if scalar.place.terms else text
        made = self._call(cast("Call", scalar))
        return self._local(scalar, made) if self._counts[id(scalar)] > 1 else made

    def _local(self, scalar: Scalar, text: str) -> str:
        """The name of a local variable."""
        name = self._names[id(scalar)] = f"t{len(self.lines)}"
        self.lines.append(f"const {TYPES[scalar.dtype]} {name} = {_bare(text)};")
        return name

    def _call(self, call: Call) -> str:
        function, of = call.function, call.args[0].dtype
        args = [self._text(arg) for arg in call.args]
        if function in ("add", "sub", "mul", "neg") and _may_wrap(call):
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
        return f"{name}({_bare(text)})"

    def _function(self, function: str, of: torch.dtype, args: list[str]) -> str:
        kind = TYPES[of]
        arguments = ", ".join(map(_bare, args))
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


def _may_wrap(call: Call) -> bool:
    """True for integers, unless they are made of positions in loops: those are small."""
    return not call.args[0].dtype.is_floating_point and next(loads(call), None) is not None


def _bare(text: str) -> str:
    """An expression without the parentheses around all of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text
