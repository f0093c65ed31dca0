"""One operation of a list as a line of PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphnet.op import Op

INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "pow": "**",
    "matmul": "@",
    "matvec": "@",
    "vecmat": "@",
    "bmm": "@",
    "eq": "==",
    "ne": "!=",
    "gt": ">",
    "ge": ">=",
    "lt": "<",
    "le": "<=",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "difference": "-",
    "matched_product": "*",
}
"""Operations of two that are written with a sign."""

METHODS = {"tanh", "sigmoid", "relu", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square"}
METHODS |= {"reciprocal", "sin", "cos", "erf", "abs", "sign", "neg", "logical_not", "bitwise_not"}
METHODS |= {
    "logical_and",
    "logical_or",
    "maximum",
    "minimum",
    "masked_fill",
    "detach",
    "max",
    "min",
}
METHODS |= {"expand_as", "reshape_as", "cumsum", "tril", "triu", "argmax", "argmin", "prod"}
METHODS |= {"permute", "unsqueeze", "squeeze", "transpose", "narrow", "reshape", "clamp"}
METHODS |= {"softmax", "log_softmax", "unflatten", "flatten", "floor", "ceil", "round", "tan"}
METHODS |= {"atan", "asin", "acos", "sinh", "cosh", "asinh", "acosh", "atanh", "trunc", "atan2"}
"""Methods of the first input, with the other inputs and then the options as arguments."""

SAME = {"identity", "several", "sized", "sized_as"}
"""Operations that change nothing and only check."""


def in_torch(op: Op, args: list[str], mode: str) -> str | None:
    """An operation on these variables and numbers as an expression; None if it has no form here.

    >>> import graphnet as gn
    >>> in_torch(gn.ops.reductions.Sum((1,), True), ["x"], "self.training")
    'x.sum((1,), True)'
    """
    options = list(op.options.values())
    if op.name in SPECIAL:
        return SPECIAL[op.name](args, op, mode)
    if op.name in SAME:
        return args[0]
    if op.name in INFIX and op.options.get("alpha", 1) == 1:
        return f"{args[0]} {INFIX[op.name]} {args[1]}"
    if op.name in METHODS and args[0].isidentifier():
        return f"{args[0]}.{op.name}({', '.join([*args[1:], *map(repr, options)])})"
    return None


def _call(name: str) -> Callable[..., str]:
    """A function of the inputs and then the options."""

    def text(args: list[str], op: Op, _mode: str) -> str:
        return f"{name}({', '.join([*args, *map(repr, op.options.values())])})"

    return text


def _reduce(name: str) -> Callable[..., str]:
    """A method with dimensions, which are all if there are none."""

    def text(args: list[str], op: Any, _mode: str) -> str:
        dims = repr(op.dims) if op.dims else "()"
        correction = f", correction={op.correction}" if "correction" in op.options else ""
        if op.dims or op.keepdim or correction:
            return f"{args[0]}.{name}({dims}{correction}, keepdim={op.keepdim})".replace(
                ", keepdim=False", ""
            )
        return f"{args[0]}.{name}({'' if name in ('sum', 'mean') else '()'})"

    return text


def _sum(args: list[str], op: Any, _mode: str) -> str:
    if not op.dims:
        return f"{args[0]}.{op.name}()"
    return f"{args[0]}.{op.name}({op.dims}{', True' if op.keepdim else ''})"


def _index(args: list[str], op: Any, _mode: str) -> str:
    inside = ", ".join(_key(each) for each in op.part)
    return f"{args[0]}[{inside}]"


def _key(each: Any) -> str:
    if isinstance(each, tuple):
        start, stop, step = ("" if bound is None else str(bound) for bound in each)
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return "..." if each == "..." else repr(each)


def _take(args: list[str], op: Any, _mode: str) -> str:
    found = dict(zip(op.dims, args[1:], strict=True))
    return f"{args[0]}[{', '.join(found.get(dim, ':') for dim in range(max(op.dims) + 1))}]"


def _split(args: list[str], op: Any, _mode: str) -> str:
    start = sum(op.sizes[: op.place])
    return f"{args[0]}.narrow({op.dim}, {start}, {op.sizes[op.place]})"


def _conv2d(args: list[str], op: Any, _mode: str) -> str:
    bias = args[2] if len(args) > 2 else "None"
    x, padding = args[0], op.padding
    pairs = [each if isinstance(each, tuple) else (each, each) for each in padding]
    if any(before != after for before, after in pairs):
        amounts = tuple(amount for pair in reversed(pairs) for amount in pair)
        x, pairs = f"F.pad({x}, {amounts})", [(0, 0), (0, 0)]
    sizes = f"{op.stride}, {tuple(before for before, _ in pairs)}, {op.dilation}, {op.groups}"
    return f"F.conv2d({x}, {args[1]}, {bias}, {sizes})"


def _dropout(args: list[str], op: Any, mode: str) -> str:
    return f"F.dropout(torch.ones_like({args[0]}), {op.p}, {mode})"


def _clamp_between(args: list[str], _op: Any, _mode: str) -> str:
    return f"torch.clamp({args[0]}, {args[1]}, {args[2]})"


def _scaled(sign: str) -> Callable[..., str]:
    def text(args: list[str], op: Any, _mode: str) -> str:
        return (
            f"{args[0]} {sign} {op.alpha} * {args[1]}"
            if op.alpha != 1
            else (f"{args[0]} {sign} {args[1]}")
        )

    return text


SPECIAL: dict[str, Callable[..., str]] = {
    "add": _scaled("+"),
    "sub": _scaled("-"),
    "sum": _sum,
    "mean": _sum,
    "amax": _reduce("amax"),
    "amin": _reduce("amin"),
    "logsumexp": _reduce("logsumexp"),
    "var": _reduce("var"),
    "std": _reduce("std"),
    "total": lambda args, _op, _mode: f"{args[0]}.sum()",
    "index": _index,
    "take": _take,
    "split": _split,
    "cat": lambda args, op, _mode: f"torch.cat([{', '.join(args)}], {op.dim})",
    "stack": lambda args, op, _mode: f"torch.stack([{', '.join(args)}], {op.dim})",
    "where": lambda args, _op, _mode: f"torch.where({', '.join(args)})",
    "pow_scalar": lambda args, op, _mode: f"{args[0]} ** {op.exponent!r}",
    "exponential": lambda args, op, _mode: f"{op.base!r} ** {args[0]}",
    "squared_error": lambda args, _op, _mode: f"({args[0]} - {args[1]}) ** 2",
    "clamp_between": _clamp_between,
    "convert": lambda args, op, _mode: f"{args[0]}.to({op.dtype})",
    "expand": lambda args, op, _mode: f"{args[0]}.expand({op.sizes})",
    "size": lambda args, op, _mode: f"{args[0]}.shape[{op.dim}]",
    "zeros_like": _call("torch.zeros_like"),
    "ones_like": _call("torch.ones_like"),
    "gather": lambda args, op, _mode: f"{args[0]}.gather({op.dim}, {args[1]})",
    "index_select": lambda args, op, _mode: f"{args[0]}.index_select({op.dim}, {args[1]})",
    "embedding": _call("F.embedding"),
    "linear": _call("F.linear"),
    "linear_map": _call("F.linear"),
    "conv2d": _conv2d,
    "conv2d_bias": _conv2d,
    "dropout_mask": _dropout,
    "leaky_relu": _call("F.leaky_relu"),
    "elu": _call("F.elu"),
    "softplus": _call("F.softplus"),
    "silu": _call("F.silu"),
    "mish": _call("F.mish"),
    "gelu": _call("F.gelu"),
    "gelu_tanh": lambda args, _op, _mode: f"F.gelu({args[0]}, approximate='tanh')",
    "avg_pool2d": _call("F.avg_pool2d"),
    "later_keys": lambda args, _op, _mode: (
        f"torch.ones({args[0]}.shape[-2:], device={args[0]}.device).tril() == 0"
    ),
    "all_hidden": lambda args, _op, _mode: f'({args[0]} == -float("inf")).all(-1, keepdim=True)',
}
"""Operations that are written in their own way."""
