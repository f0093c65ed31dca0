"""Rules for arithmetic, functions, activations, comparisons and number types."""

from __future__ import annotations

import math
from typing import Any

import torch

from graphnet import ops
from graphnet.graph import Node
from graphnet.interop.rules.rule import RULES, SAME, convert, promoted, rule, unsupported
from graphnet.interop.sizes import as_node
from graphnet.ops.embedding import Detach

SAME |= {"abs", "sign", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square", "reciprocal"}
SAME |= {"sin", "cos", "erf", "tanh", "sigmoid", "relu", "neg", "leaky_relu", "selu", "hardtanh"}
SAME |= {"relu6", "softplus", "silu", "mish", "logical_not", "bitwise_not", "gelu"}
SAME |= {"floor", "ceil", "round", "trunc", "tan", "asin", "acos", "atan", "sinh", "cosh"}
SAME |= {"asinh", "acosh", "atanh", "atan2"}


def _binary(name: str) -> None:
    function = getattr(ops, name)

    def apply(_step: Any, input: Any, other: Any, **options: Any) -> Any:
        return function(*promoted(input, other), **options)

    RULES[name] = apply


for _name in ("mul", "pow", "eq", "ne", "lt", "le", "gt", "ge", "maximum", "minimum"):
    _binary(_name)
for _name in ("logical_and", "logical_or", "bitwise_and", "bitwise_or"):
    _binary(_name)
RULES["mul.default"] = RULES["mul"]


@rule("add", "sub", "rsub")
def add(step: Any, input: Any, other: Any, alpha: float = 1) -> Any:
    """input ± alpha · other."""
    x, y = promoted(input, other)
    if step.name == "rsub":
        x, y = (y, x) if alpha == 1 else (y, x * alpha)
        return ops.sub(x, y)
    function = ops.add if step.name == "add" else ops.sub
    if not isinstance(x, Node) and not isinstance(y, Node):
        return function(x, y * alpha)
    return function(x, y) if alpha == 1 else function(x, y, alpha=alpha)


@rule("div", "floor_divide", "true_divide")
def div(step: Any, input: Any, other: Any, rounding_mode: str | None = None) -> Any:
    """input / other, or rounded."""
    if step.name == "floor_divide":
        rounding_mode = "floor"
    x, y = promoted(input, other)
    if rounding_mode is None and step.dtype is not None:
        x, y = (convert(each, step.dtype) if _whole(each) else each for each in (x, y))
    return ops.div(x, y, rounding_mode=rounding_mode)


def _whole(value: Any) -> bool:
    return isinstance(value, Node) and not value.dtype.is_floating_point


@rule("remainder", "fmod")
def remainder(step: Any, input: Any, other: Any) -> Any:
    """The rest of a division, with the sign of the divisor, or for fmod of the dividend."""
    x, y = promoted(input, other)
    rounding = "floor" if step.name == "remainder" else "trunc"
    return ops.sub(x, ops.mul(ops.div(x, y, rounding_mode=rounding), y))


@rule("clamp", "clamp_min", "clamp_max", "clip")
def clamp(step: Any, input: Any, first: Any = None, second: Any = None, **named: Any) -> Any:
    """input between two limits."""
    low, high = named.get("min", first), named.get("max", second)
    if step.name == "clamp_max":
        low, high = None, named.get("max", first)
    return ops.clamp(input, as_node(low), as_node(high))


@rule("where")
def where(_step: Any, condition: Any, input: Any, other: Any) -> Any:
    """input where the condition is true, else other."""
    x, y = promoted(input, other)
    return ops.where(condition, x, y)


@rule("masked_fill")
def masked_fill(_step: Any, input: Any, mask: Any, value: Any) -> Any:
    """One value where the mask is true."""
    if isinstance(value, Node):
        return ops.where(mask, convert(value, input.dtype), input)
    return ops.masked_fill(input, mask, value)


@rule("logical_xor", "bitwise_xor")
def xor(step: Any, input: Any, other: Any) -> Any:
    """True where exactly one is; of integers, the bits that are set in exactly one."""
    if step.name == "logical_xor":
        return ops.ne(ops.ne(input, 0), ops.ne(other, 0))
    x, y = promoted(input, other)
    if step.dtype == torch.bool:
        return ops.ne(x, y)
    return ops.bitwise_or(x, y) - ops.bitwise_and(x, y)


@rule("__lshift__.Scalar", "__rshift__.Scalar")
@rule("bitwise_left_shift.Tensor_Scalar", "bitwise_right_shift.Tensor_Scalar")
def shift(step: Any, x: Any, places: int) -> Any:
    """Bits of integers moved: products with powers of 2, or quotients."""
    if "left" in step.name or "lshift" in step.name:
        return x * 2**places
    return ops.div(x, 2**places, rounding_mode="floor")


@rule("elu", "celu")
def elu(step: Any, x: Any, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Any:
    """x, or α (eˣ - 1) below 0."""
    if step.name == "celu":
        positive = ops.gt(x, 0)  # without the zeros, eˣ is infinite for large x
        below = ops.masked_fill(x, positive, 0.0) / alpha
        return ops.where(positive, x, ops.expm1(below) * alpha)
    if scale != 1 or input_scale != 1:
        raise unsupported("elu with another scale than 1")
    return ops.elu(x, alpha)


@rule("hardsigmoid", "hardswish")
def hardsigmoid(step: Any, x: Any) -> Any:
    """A line from 0 to 1 between -3 and 3; hardswish is its product with x."""
    gate = ops.hardtanh(x + 3, 0.0, 6.0) / 6
    return x * gate if step.name == "hardswish" else gate


@rule("log_sigmoid")
def log_sigmoid(_step: Any, x: Any) -> Any:
    """log σ(x) = -softplus(-x)."""
    return ops.neg(ops.softplus(ops.neg(x), 1.0, 40.0))


@rule("hardshrink", "softshrink", "threshold")
def shrink(step: Any, x: Any, lambd: float = 0.5, value: float = 0.0) -> Any:
    """x where it is large enough, else 0 or, for a threshold, a value."""
    if step.name == "threshold":
        return ops.masked_fill(x, ops.le(x, lambd), value)  # NaN stays
    if step.name == "softshrink":
        return x - ops.clamp(x, -lambd, lambd)
    return ops.masked_fill(x, ops.le(ops.abs(x), lambd), 0.0)


@rule("prelu")
def prelu(_step: Any, x: Any, weight: Any) -> Any:
    """x, or below 0 its multiple; one for each channel, or one for all."""
    if weight.ndim == 1 and x.ndim > 1 and weight.shape != (1,):
        weight = ops.reshape(weight, (-1, *[1] * (x.ndim - 2)))
    return ops.where(ops.gt(x, 0), x, ops.mul(x, weight))


@rule("glu")
def glu(_step: Any, x: Any, dim: int = -1) -> Any:
    """Half of x times the sigmoid of the other half."""
    first, second = ops.chunk(x, 2, dim)
    return first * ops.sigmoid(second)


@rule("addcmul", "addcdiv")
def addcmul(step: Any, x: Any, first: Any, second: Any, value: float = 1) -> Any:
    """x plus a multiple of a product, or of a quotient."""
    term = first * second if step.name == "addcmul" else first / second
    return x + (term if value == 1 else term * value)


@rule("lerp")
def lerp(_step: Any, x: Any, end: Any, weight: Any) -> Any:
    """x moved towards the end."""
    return x + (end - x) * weight


@rule("logit")
def logit(_step: Any, x: Any, eps: float | None = None) -> Any:
    """log(x / (1 - x))."""
    x = x if eps is None else ops.clamp(x, eps, 1 - eps)
    return ops.log(x / (1 - x))


@rule("rad2deg", "deg2rad")
def degrees(step: Any, x: Any) -> Any:
    """Angles in the other unit."""
    return x * (180 / math.pi if step.name == "rad2deg" else math.pi / 180)


# number types, and what changes nothing


@rule("to", "_to_copy", "type_as", "to.other")
def to(step: Any, x: Any, *args: Any, **_options: Any) -> Any:
    """x in the dtype of another tensor, or in that of the result."""
    return convert(x, args[0].dtype if args and isinstance(args[0], Node) else step.dtype)


@rule("positive", "resolve_conj", "resolve_neg")
def same(_step: Any, x: Any, *_args: Any, **_options: Any) -> Any:
    """x itself."""
    return x


@rule("detach")
def detach(_step: Any, x: Any) -> Any:
    """x, through which no gradient flows."""
    return Detach()(x)


@rule("copy")
def copy(_step: Any, x: Any, source: Any, _non_blocking: bool = False) -> Any:
    """The source, in the dtype and shape of x."""
    source = convert(source, x.dtype)
    return source if source.shape == x.shape else ops.expand_as(source, x)


@rule("fill", "zero", "full_like", "ones_like", "zeros_like", "empty_like")
def fill(step: Any, x: Any, value: Any = 0, **_options: Any) -> Any:
    """One value in the shape of x."""
    value = 1 if step.name == "ones_like" else value
    if isinstance(value, Node):
        return ops.expand_as(convert(value, x.dtype), x)
    zeros = convert(ops.zeros_like(x), step.dtype)
    if value in (0, 1):
        return zeros if value == 0 else convert(ops.ones_like(x), step.dtype)
    return ops.masked_fill(zeros, ops.eq(zeros, 0), value)


@rule("scalar_tensor", "lift_fresh")
def scalar(_step: Any, value: Any, **_options: Any) -> Any:
    """A number, which takes part as one."""
    return value
