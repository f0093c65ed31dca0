"""One call of torch as Python: `F.relu(x)` rather than `torch.ops.aten.relu.default(x)`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import BuiltinFunctionType
from typing import Any

import torch

from graphnet.errors import GraphError
from graphnet.interop.source.losses import LOSSES, loss
from graphnet.interop.steps import FOLLOW, Step

INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "matmul": "@",
    "floor_divide": "//",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "floordiv": "//",
    "mod": "%",
}
"""Calls with two arguments that are written with a sign."""

METHODS = {"reshape", "transpose", "permute", "flatten", "unflatten", "expand", "t", "detach"}
METHODS |= {"unsqueeze", "squeeze", "select", "chunk", "unbind", "masked_fill", "pow", "clamp"}
METHODS |= {"tanh", "sigmoid", "exp", "log", "sqrt", "rsqrt", "abs", "cumsum", "amax", "amin"}
METHODS |= {"argmax", "argmin", "repeat", "unfold", "split", "tril", "triu", "expm1", "log1p"}
"""Calls that are methods of their first argument, with the same arguments."""

REDUCTIONS = {"sum", "mean", "prod", "max", "min", "norm", "logsumexp"}
"""Methods that may be called without a dimension."""

FUNCTIONS = {"relu", "gelu", "silu", "elu", "leaky_relu", "softplus", "mish", "hardtanh", "linear"}
FUNCTIONS |= {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "relu6"}
FUNCTIONS |= {"selu", "celu", "log_sigmoid", "hardswish", "hardsigmoid", "prelu", "dropout"}
FUNCTIONS |= {"adaptive_avg_pool2d", "adaptive_avg_pool1d", "scaled_dot_product_attention", "glu"}
FUNCTIONS |= {"avg_pool2d", "avg_pool1d", "max_pool2d", "max_pool1d", "pixel_shuffle"}
"""Functions of torch.nn.functional with the arguments of aten."""

NAMES_THERE = {"log_sigmoid": "logsigmoid"}
"""Their names in torch.nn.functional, where they differ."""

Text = Callable[[Any], str]


def literal(value: Any, text: Text, mode: str) -> str:
    """A value in Python; references by their variables, the mode as the module's attribute."""
    if value is FOLLOW:
        return mode
    if isinstance(value, tuple | list):
        inside = [literal(each, text, mode) for each in value]
        return f"[{', '.join(inside)}]"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, torch.dtype | torch.memory_format | torch.layout):
        return str(value)
    if isinstance(value, torch.device):
        return repr(str(value))
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    return text(value)


def expression(step: Step, text: Text, mode: str) -> str:
    """The call of a step as an expression.

    Args:
        step: the call.
        text: the variable of a reference.
        mode: how the training mode is written.
    """
    special = SPECIAL.get(step.name)
    args = [literal(each, text, mode) for each in step.args]
    given = {name: value for name, value in step.kwargs.items() if name not in _PLACEMENT}
    kwargs = {name: literal(value, text, mode) for name, value in given.items()}
    if special is not None:
        return special(step, args, kwargs)
    if step.target in _FILLS:
        return f"torch.empty_like({args[0]}).{step.name}_({_listed(args[1:], kwargs)})"
    if step.target.startswith("operator."):
        return _operator(step, args)
    if step.name in INFIX and len(args) == 2 and not kwargs and _plain(args):
        return f"{args[0]} {INFIX[step.name]} {args[1]}"
    if step.name in METHODS and args[0].isidentifier():
        return f"{args[0]}.{step.name}({_listed(args[1:], kwargs)})"
    if step.name in REDUCTIONS and args[0].isidentifier():
        return f"{args[0]}.{step.name}({_listed(args[1:], kwargs)})"
    if step.name in LOSSES:
        return loss(step, args, kwargs)
    if step.name in FUNCTIONS:
        name = NAMES_THERE.get(step.name, step.name)
        return f"F.{name}({_listed(args, kwargs)})"
    if step.target in (f"aten.{step.name}.default", f"aten.{step.name}.int") and _is_public(step):
        return f"torch.{step.name}({_listed(args, kwargs)})"
    return f"torch.ops.{step.target}({_listed(args, kwargs)})"


_PLACEMENT = {"device", "pin_memory", "layout", "non_blocking", "like"}
"""Keywords about where a tensor lies."""

_FILLS = {"aten.uniform.default", "aten.normal.default", "aten.exponential.default"}
_FILLS |= {"aten.bernoulli.float", "aten.bernoulli.Tensor"}
"""Calls that fill their first argument with random numbers, and have no other form in torch."""


def _is_public(step: Step) -> bool:
    """True for a function of torch with the arguments of aten; those in Python have their own."""
    function = getattr(torch, step.name, None)
    built_in = isinstance(function, BuiltinFunctionType) or step.name == "einsum"
    return built_in and not step.name.startswith("_")


def _plain(args: list[str]) -> bool:
    """True for variables and numbers, which need no parentheses beside a sign."""
    return all(each.isidentifier() or each[0].isdigit() or "self" in each for each in args)


def _listed(args: list[str], kwargs: Mapping[str, str]) -> str:
    return ", ".join([*args, *(f"{name}={value}" for name, value in kwargs.items())])


def _operator(step: Step, args: list[str]) -> str:
    name = step.target.removeprefix("operator.")
    sign = {"add": "+", "sub": "-", "mul": "*", "floordiv": "//", "mod": "%"}[name]
    return f"{args[0]} {sign} {args[1]}"


def _part(_step: Step, args: list[str], _kwargs: Any) -> str:
    return f"{args[0]}[{args[1]}]"


def _size(_step: Step, args: list[str], _kwargs: Any) -> str:
    return f"{args[0]}.shape[{args[1]}]"


def _to(step: Step, args: list[str], _kwargs: Any) -> str:
    return f"{args[0]}.to({step.dtype})"


def _slice(step: Step, args: list[str], _kwargs: Any) -> str:
    dim, start, end, by = [*args[1:], *("0", "None", "None", "1")[len(args) - 1 :]]
    end = "" if end in ("None", str(2**63 - 1)) else end
    start = "" if start in ("None", "0") else start
    step_text = "" if by == "1" else f":{by}"
    front = ":, " * int(dim) if not dim.startswith("-") else None
    if front is None:
        front = "..., " + "" if dim == "-1" else None
    if front is None:
        return f"torch.ops.{step.target}({', '.join(args)})"
    return f"{args[0]}[{front}{start}:{end}{step_text}]"


def _cat(step: Step, args: list[str], kwargs: Any) -> str:
    return f"torch.{step.name}({_listed(args, kwargs)})"


def _attention(step: Step, args: list[str], kwargs: dict[str, str]) -> str:
    mode = kwargs.pop("training", None)
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
    given = {name: text for name, text in zip(names[3:], args[3:], strict=False) if text != "None"}
    given |= kwargs
    if mode is not None:
        given["dropout_p"] = f"{given['dropout_p']} if {mode} else 0.0"
    return f"F.scaled_dot_product_attention({_listed(args[:3], given)})"


def _norm(step: Step, args: list[str], kwargs: Any) -> str:
    if step.name == "batch_norm":
        x, weight, bias, mean, var, training, momentum, eps = args[:8]
        if momentum == "None":  # an average over all batches
            momentum = f"1 / max(1, int({kwargs['batches']}))"
        rest = f"{mean}, {var}, {weight}, {bias}, {training}, {momentum}, {eps}"
        return f"F.batch_norm({x}, {rest})"
    return f"F.layer_norm({', '.join(args[:5])})"


def _scatter(step: Step, args: list[str], _kwargs: Any) -> str:
    return f"torch.{step.name}({', '.join(args)})"


def _embedding(_step: Step, args: list[str], _kwargs: Any) -> str:
    padding = f", {args[2]}" if len(args) > 2 and args[2] != "-1" else ""
    names = ("scale_grad_by_freq", "sparse")
    chosen = [
        f", {name}=True" for name, text in zip(names, args[3:], strict=False) if text == "True"
    ]
    return f"F.embedding({args[1]}, {args[0]}{padding}{''.join(chosen)})"


def _reshape_as(_step: Step, args: list[str], _kwargs: Any) -> str:
    return f"{args[0]}.reshape_as({args[1]})"


def _index(_step: Step, args: list[str], _kwargs: Any) -> str:
    inside = args[1][1:-1].replace("None", ":")
    return f"{args[0]}[{inside}]"


def _index_put(step: Step, args: list[str], kwargs: Any) -> str:
    return f"torch.ops.{step.target}({_listed(args, kwargs)})"  # torch.index_put takes no None


def _of_several(step: Step, args: list[str], _kwargs: Any) -> str:
    return f"torch.{step.name}(*{args[0]})"


def _spectral_norm(step: Step, _args: list[str], _kwargs: Any) -> str:
    inside = step.path[-1].partition("@")[0] if step.path else "the model"
    raise GraphError(
        f"torch_source writes spectral_norm for the layers of torch.nn that it writes as calls; "
        f"the layer around {inside} is none. Apply it to a Linear, a convolution or an Embedding."
    )


SPECIAL: dict[str, Callable[[Step, list[str], dict[str, str]], str]] = {
    "getitem": _part,
    "sym_size": _size,
    "to": _to,
    "_to_copy": _to,
    "slice": _slice,
    "cat": _cat,
    "stack": _cat,
    "scaled_dot_product_attention": _attention,
    "batch_norm": _norm,
    "layer_norm": _norm,
    "embedding": _embedding,
    "reshape_as": _reshape_as,
    "index": _index,
    "index_put": _index_put,
    "broadcast_tensors": _of_several,
    "block_diag": _of_several,
    "select_scatter": _scatter,
    "slice_scatter": _scatter,
    "spectral_norm": _spectral_norm,
}
"""Calls that are written in their own way."""
