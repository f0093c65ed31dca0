"""Primitives: the operations on scalars that every printer must know.

All other elementwise operations, those of a user too, are made of these: their rules say how.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.lower.scalars import (
    Call,
    Load,
    NotLowered,
    Scalar,
    as_scalar,
    call,
    common_dtype,
    converted,
    loads,
    select,
)
from graphnet.errors import GraphError
from graphnet.ops import (
    activations,
    arithmetic,
    comparison,
    functions,
    limits,
    logic,
    powers,
    rounding,
    trigonometry,
)
from graphnet.ops.dtypes import Convert

if TYPE_CHECKING:
    from graphnet.op import Op

Rule = Callable[..., Scalar]


def applied(op: Op, arguments: tuple[Any, ...]) -> Scalar:
    """The scalar that an elementwise operation gives.

    Raises:
        NotLowered: the operation is not elementwise, or is made of something that is not.
    """
    rule = PRIMITIVES.get(type(op))
    if rule is not None:
        return rule(op, *arguments)
    if not op.elementwise:
        raise NotLowered(op.name)
    try:
        made = op.forward(*arguments)
    except (AttributeError, TypeError, GraphError, NotLowered) as error:
        raise NotLowered(f"{op.name}: {error}") from None
    if not isinstance(made, Scalar):
        raise NotLowered(op.name)
    return made


def _function(name: str) -> Rule:
    """A function of floating-point numbers: integers are converted first, as torch does."""

    def rule(op: Op, x: Scalar) -> Scalar:
        return call(name, _floating(x))

    return rule


def _floating(x: Scalar) -> Scalar:
    return x if x.dtype.is_floating_point else converted(x, torch.get_default_dtype())


def _arithmetic(name: str) -> Rule:
    """A sum or difference, in which the second term may have a factor."""

    def rule(op: Any, x: Any, y: Any) -> Scalar:
        scaled = y * op.alpha if not isinstance(y, Scalar) else call("mul", y, op.alpha)
        return call(name, x, y if op.alpha == 1 else scaled)

    return rule


def _compared(name: str) -> Rule:
    def rule(op: Op, x: Any, y: Any) -> Scalar:
        return call(name, x, y, dtype=torch.bool)

    return rule


def _logical(name: str) -> Rule:
    def rule(op: Op, x: Scalar, y: Scalar) -> Scalar:
        return call(name, converted(x, torch.bool), converted(y, torch.bool))

    return rule


def _bitwise(name: str) -> Rule:
    def rule(op: Op, x: Scalar, y: Scalar) -> Scalar:
        is_bool = x.dtype is y.dtype is torch.bool
        return call(name if is_bool else f"bitwise_{name}", x, y)

    return rule


def _divided(op: Any, x: Any, y: Any) -> Scalar:
    common = common_dtype((x, y))
    to = common if common.is_floating_point else torch.get_default_dtype()
    if (exact := _shared(y)) is not None and exact.dtype.itemsize > to.itemsize:
        return call("mul", converted(x, to), converted(call("div", 1.0, exact), to))
    return call("div", *(converted(a, to) if isinstance(a, Scalar) else float(a) for a in (x, y)))


def _shared(x: Any) -> Load | None:
    """The one number in memory that all elements read as x; None if there is none.

    If it has more digits than they have, its reciprocal is as good as itself, and a product takes
    a tenth of the time of a quotient.
    """
    if isinstance(x, Call) and x.function == "convert" and x.dtype.is_floating_point:
        (x,) = x.args
    if not isinstance(x, Load) or x.place.terms or any(x.place.slot.strides):
        return None
    return x


def _divided_rounded(op: Any, x: Any, y: Any) -> Scalar:
    """A quotient rounded down, or towards zero."""
    common = common_dtype((x, y))
    if not common.is_floating_point:
        raise NotLowered("integer division")
    if op.rounding_mode == "trunc":
        return call("trunc", call("div", x, y))
    return _floor_of_quotient(*(converted(as_scalar(each, common), common) for each in (x, y)))


def _floor_of_quotient(x: Scalar, y: Scalar) -> Scalar:
    """Python's x // y, by the remainder: the quotient may be rounded up to the next integer."""
    quotient, rest = call("div", x, y), call("fmod", x, y)
    crosses = _bools("and", rest.ne(0), _bools("ne", rest < 0, y < 0))
    whole = call("div", call("sub", x, rest), y)
    whole = select(crosses, call("sub", whole, 1), whole)
    floor = call("floor", whole)
    floor = select(call("sub", whole, floor) > 0.5, call("add", floor, 1), floor)
    signed = select(whole.ne(0), floor, call("copysign", 0, quotient))
    return select(y.eq(0), quotient, signed)


def _bools(name: str, x: Any, y: Any) -> Scalar:
    return call(name, x, y, dtype=torch.bool)


def _power(op: Any, x: Any, exponent: Any) -> Scalar:
    if not common_dtype((x, exponent)).is_floating_point:
        raise NotLowered("integer powers")
    return call("pow", x, exponent)


def _power_of_number(op: Any, x: Scalar) -> Scalar:
    """x to a fixed power; what has a name is called by it."""
    if op.exponent in _POWERS:
        return _POWERS[op.exponent](x)
    if not x.dtype.is_floating_point and isinstance(op.exponent, int) and op.exponent > 0:
        return _repeated_product(x, op.exponent)
    return _power(op, x, float(op.exponent) if x.dtype.is_floating_point else op.exponent)


def _repeated_product(x: Scalar, count: int) -> Scalar:
    """x multiplied by itself, in few products."""
    half = x if count < 4 else _repeated_product(x, count // 2)
    square = call("mul", half, half) if count > 1 else x
    return call("mul", square, x) if count % 2 and count > 1 else square


_POWERS: dict[float, Callable[[Scalar], Scalar]] = {
    0: lambda x: as_scalar(1, x.dtype),
    1: lambda x: x,
    2: lambda x: call("mul", x, x),
    3: lambda x: call("mul", call("mul", x, x), x),
    0.5: lambda x: call("sqrt", _floating(x)),
    -1: lambda x: call("div", 1.0, _floating(x)),
}


def _maximum(op: Op, x: Any, y: Any) -> Scalar:
    return call("maximum", x, y)


def _minimum(op: Op, x: Any, y: Any) -> Scalar:
    return call("minimum", x, y)


def _clamped(op: Any, x: Scalar, low: Any = None, high: Any = None) -> Scalar:
    """Between two limits; NaN stays NaN."""
    low = op.min if low is None else low
    high = op.max if high is None else high
    if low is not None:
        x = call("maximum", x, low)
    return x if high is None else call("minimum", x, high)


def _clamped_between(op: Any, x: Scalar, low: Any, high: Any) -> Scalar:
    return call("minimum", call("maximum", x, low), high)


def _where(op: Op, condition: Any, x: Any, y: Any) -> Scalar:
    return select(condition, x, y)


def _masked(op: Any, x: Scalar, mask: Scalar) -> Scalar:
    value = float(op.value) if x.dtype.is_floating_point else op.value
    return select(mask, value, x)


def _sigmoid(op: Op, x: Scalar) -> Scalar:
    return call("div", 1.0, call("add", 1.0, call("exp", call("neg", _floating(x)))))


def _rounded(name: str) -> Rule:
    """A rounding; integers stay as they are."""

    def rule(op: Op, x: Scalar) -> Scalar:
        return call(name, x) if x.dtype.is_floating_point else x

    return rule


def _angle(op: Op, y: Any, x: Any) -> Scalar:
    common = common_dtype((y, x))
    to = common if common.is_floating_point else torch.get_default_dtype()
    return call("atan2", *(converted(as_scalar(each, to), to) for each in (y, x)))


PRIMITIVES: dict[type[Op], Rule] = {
    activations.Relu: lambda op, x: call("maximum", x, 0),
    activations.Sigmoid: _sigmoid,
    activations.Tanh: _function("tanh"),
    arithmetic.Abs: lambda op, x: call("abs", x),
    arithmetic.Add: _arithmetic("add"),
    arithmetic.Div: _divided,
    arithmetic.DivRounded: _divided_rounded,
    arithmetic.Mul: lambda op, x, y: call("mul", x, y),
    arithmetic.Neg: lambda op, x: call("neg", x),
    arithmetic.Sign: lambda op, x: call("sign", x),
    arithmetic.Sub: _arithmetic("sub"),
    comparison.Eq: _compared("eq"),
    comparison.Ge: _compared("ge"),
    comparison.Gt: _compared("gt"),
    comparison.Le: _compared("le"),
    comparison.Lt: _compared("lt"),
    comparison.MaskedFill: _masked,
    comparison.Ne: _compared("ne"),
    comparison.Where: _where,
    Convert: lambda op, x: converted(x, cast("Any", op).dtype),
    functions.Cos: _function("cos"),
    functions.Erf: _function("erf"),
    functions.Exp: _function("exp"),
    functions.Expm1: _function("expm1"),
    functions.Log: _function("log"),
    functions.Log1p: _function("log1p"),
    functions.Reciprocal: lambda op, x: call("div", 1.0, _floating(x)),
    functions.Rsqrt: lambda op, x: call("div", 1.0, call("sqrt", _floating(x))),
    functions.Sin: _function("sin"),
    functions.Sqrt: _function("sqrt"),
    functions.Square: lambda op, x: call("mul", x, x),
    limits.Clamp: _clamped,
    limits.ClampBetween: _clamped_between,
    limits.Maximum: _maximum,
    limits.Minimum: _minimum,
    logic.BitwiseAnd: _bitwise("and"),
    logic.BitwiseNot: lambda op, x: call("not" if x.dtype is torch.bool else "bitwise_not", x),
    logic.BitwiseOr: _bitwise("or"),
    logic.LogicalAnd: _logical("and"),
    logic.LogicalNot: lambda op, x: call("not", converted(x, torch.bool)),
    logic.LogicalOr: _logical("or"),
    **{
        getattr(trigonometry, name.capitalize()): _function(name)
        for name in ("acos", "acosh", "asin", "asinh", "atan", "atanh", "cosh", "sinh", "tan")
    },
    rounding.Ceil: _rounded("ceil"),
    rounding.Floor: _rounded("floor"),
    rounding.Round: _rounded("rint"),
    rounding.Trunc: _rounded("trunc"),
    trigonometry.Atan2: _angle,
    powers.Exponential: lambda op, y: call("pow", float(cast("Any", op).base), _floating(y)),
    powers.Pow: _power,
    powers.PowScalar: _power_of_number,
}
"""What each primitive operation is on scalars."""


CHEAP = frozenset({"convert", "neg", "abs", "add", "sub", "mul", "maximum", "minimum"})
"""Calls that cost less than to store their result and load it again."""
COMPARED = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})


def is_simple(scalar: Scalar) -> bool:
    """True if it costs less to compute again than to keep: at most one cheap call of one value."""
    if not isinstance(scalar, Call):
        return True
    is_cheap = scalar.function in CHEAP or scalar.function in COMPARED
    return is_cheap and scalar.calls == 1 and sum(1 for _ in loads(scalar)) <= 1
