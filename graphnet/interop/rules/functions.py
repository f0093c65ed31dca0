"""Rules for functions that are made of others: logarithms, rest, NaN and infinity."""

from __future__ import annotations

import math
from typing import Any

import torch

from graphnet import ops
from graphnet.graph import Node
from graphnet.interop.rules.rule import convert, promoted, rule


def _floating(step: Any, x: Any) -> Any:
    """An operand in the dtype of the result, since integers have floating results."""
    return convert(x, step.dtype) if isinstance(x, Node) else x


@rule("log2", "log10")
def log2(step: Any, x: Any) -> Any:
    """The logarithm to another base than e."""
    return ops.log(_floating(step, x)) / math.log(2 if step.name == "log2" else 10)


@rule("exp2", "special_exp2")
def exp2(step: Any, x: Any) -> Any:
    """2 to the power of x."""
    return ops.pow(2.0, _floating(step, x))


@rule("erfc", "special_erfc")
def erfc(step: Any, x: Any) -> Any:
    """1 - erf(x), so what is far below the rounding of 1 becomes 0."""
    return 1 - ops.erf(_floating(step, x))


@rule("sinc", "special_sinc")
def sinc(step: Any, x: Any) -> Any:
    """sin(πx) / (πx), which is 1 at 0."""
    angle = _floating(step, x) * math.pi
    zero = ops.eq(angle, 0)
    angle = ops.masked_fill(angle, zero, 1.0)
    return ops.masked_fill(ops.sin(angle) / angle, zero, 1.0)


@rule("frac")
def frac(_step: Any, x: Any) -> Any:
    """What follows the point."""
    return x - ops.trunc(x)


@rule("sgn")
def sgn(_step: Any, x: Any) -> Any:
    """-1, 0 or 1."""
    return ops.sign(x)


@rule("logaddexp")
def logaddexp(_step: Any, x: Any, y: Any) -> Any:
    """log(eˣ + eʸ); the difference of equal infinities is taken as 0."""
    x, y = promoted(x, y)
    difference = ops.masked_fill(x - y, ops.eq(x, y), 0.0)
    return ops.maximum(x, y) + ops.log1p(ops.exp(ops.neg(ops.abs(difference))))


@rule("hypot")
def hypot(_step: Any, x: Any, y: Any) -> Any:
    """The hypotenuse of a right triangle."""
    x, y = promoted(x, y)
    unit = ops.detach(ops.maximum(ops.abs(x), ops.abs(y)))  # so that no square overflows
    unit = ops.masked_fill(unit, ops.logical_or(ops.eq(unit, 0), ops.eq(unit, math.inf)), 1.0)
    return ops.sqrt(ops.square(x / unit) + ops.square(y / unit)) * unit


@rule("xlogy")
def xlogy(step: Any, x: Any, y: Any) -> Any:
    """x log(y), which is 0 where x is 0; no gradient flows to y there."""
    x, y = promoted(x, y)
    x = x if isinstance(x, Node) else ops.ones_like(y) * x
    y = y if isinstance(y, Node) else ops.ones_like(x) * y
    infinite = ops.logical_or(ops.le(y, 0), ops.eq(y, math.inf))
    y = ops.masked_fill(y, ops.logical_and(ops.eq(x, 0), infinite), 1)
    return _floating(step, x) * ops.log(_floating(step, y))


@rule("fmax", "fmin")
def fmax(step: Any, x: Any, y: Any) -> Any:
    """The greater or the smaller, or the one that is not NaN."""
    x, y = promoted(x, y)
    chosen = (ops.ge if step.name == "fmax" else ops.le)(x, y)
    return ops.where(ops.logical_or(chosen, ops.ne(y, y)), x, y)


@rule("isnan")
def isnan(_step: Any, x: Any) -> Any:
    """True where x is not a number."""
    return ops.ne(x, x)


@rule("isinf", "isposinf", "isneginf")
def isinf(step: Any, x: Any) -> Any:
    """True where x is infinite."""
    if step.name == "isinf":
        return ops.eq(ops.abs(x), math.inf)
    return ops.eq(x, math.inf if step.name == "isposinf" else -math.inf)


@rule("nan_to_num")
def nan_to_num(_step: Any, x: Any, nan: Any = None, posinf: Any = None, neginf: Any = None) -> Any:
    """Numbers in the place of NaN and infinity, through which no gradient flows."""
    if not x.dtype.is_floating_point:
        return x
    limit = torch.finfo(x.dtype)
    for is_one, value in (
        (ops.ne(x, x), 0.0 if nan is None else nan),
        (ops.eq(x, math.inf), limit.max if posinf is None else posinf),
        (ops.eq(x, -math.inf), limit.min if neginf is None else neginf),
    ):
        x = ops.masked_fill(x, is_one, value)
    return x
