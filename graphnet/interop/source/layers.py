"""A layer of torch.nn as the call that makes it."""

from __future__ import annotations

import ast
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from graphnet.layers import Module

LAYERS = {"Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d"}
LAYERS |= {"BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d"}
LAYERS |= {"LayerNorm", "GroupNorm", "RMSNorm", "Embedding", "Dropout", "Dropout1d", "Dropout2d"}
LAYERS |= {"ReLU", "ReLU6", "GELU", "SiLU", "Mish", "ELU", "CELU", "SELU", "LeakyReLU", "PReLU"}
LAYERS |= {"Tanh", "Sigmoid", "Hardtanh", "Hardswish", "Hardsigmoid", "Softplus", "LogSigmoid"}
LAYERS |= {"Softmax", "LogSoftmax", "Softsign", "Tanhshrink", "Softshrink", "Hardshrink", "GLU"}
LAYERS |= {"MaxPool1d", "MaxPool2d", "MaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "Flatten"}
LAYERS |= {"AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "Unflatten", "Identity", "Upsample"}
LAYERS |= {"PixelShuffle", "ZeroPad2d", "ReflectionPad2d", "ReplicationPad2d", "ConstantPad2d"}
"""Layers of one input and one output, which their own text makes."""


RECURRENT = {"RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell", "MultiheadAttention"}
"""Layers with several inputs or outputs, which only graphnet's own layers are written as."""


def constructor(module: Any) -> str:
    """A layer as the call that makes it: "nn.Linear(2, 3)"; empty if its text does not say all.

    >>> import graphnet as gn
    >>> constructor(gn.Conv2d(1, 2, 3, padding="same"))
    "nn.Conv2d(1, 2, kernel_size=(3, 3), padding='same')"
    >>> constructor(gn.weight_norm(gn.Linear(2, 3)))
    "nn.utils.parametrizations.weight_norm(nn.Linear(2, 3), 'weight', dim=0)"
    """
    text = _layer(module)
    for hook in getattr(module, "hooks", ()):
        text = text and hook and f"nn.utils.{hook.format(text)}"
    computed = dict(module.named_children()).get("parametrizations") if text else None
    for name, held in [] if computed is None else computed.named_children():
        options = parametrization(held)
        text = text and options and f"nn.utils.parametrizations.{options.format(text, name)}"
    return text


def parametrization(held: Module) -> str:
    """What computes a weight as a call on a layer and a name; empty for a user's own way."""
    each = dict(held.named_children()).get("0", held)
    kind = type(each).__name__.lstrip("_")
    own = [name for name, _ in held._own_parameters()]
    if kind in ("WeightNorm", "SpectralNorm", "Vectors") and own[0].startswith("original"):
        function = "weight_norm" if "original1" in own else "spectral_norm"
        return f"{function}({{}}, {{!r}}, {each.extra_repr() or held.extra_repr()})"
    return ""


def _layer(module: Any) -> str:
    """A layer as the call that makes it, without what computes its weights."""
    kind = type(module).__name__.removeprefix("Parametrized")
    if kind in RECURRENT and type(module).__module__.startswith("graphnet.layers"):
        return _recurrent(kind, module)
    if kind not in LAYERS or not _is_of_a_library(module) or _holds_more(module):
        return ""
    call = _call(f"{kind}({module.extra_repr()})")
    if call is None:
        return ""
    call.keywords += _unshown(kind, call, module)
    call.keywords = [keyword for keyword in call.keywords if not _is_default(kind, keyword)]
    own, given = _own_names(module), {keyword.arg for keyword in call.keywords}
    if "weight" in own and "bias" not in own | given and _takes_bias(kind):
        call.keywords.append(ast.keyword("bias", ast.Constant(False)))  # torch 2.6 does not say it
    return f"nn.{ast.unparse(call)}"


def _call(text: str) -> Any:
    """What a layer shows as a call; None if it is no Python, or has more than numbers and names."""
    try:
        call: Any = ast.parse(text, mode="eval").body
        for keyword in call.keywords:
            if isinstance(keyword.value, ast.Name):  # a string, which torch writes without quotes
                keyword.value = ast.Constant(keyword.value.id)
        for value in (*call.args, *(keyword.value for keyword in call.keywords)):
            ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return None
    return call


def _unshown(kind: str, call: Any, module: Any) -> list[Any]:
    """The options that a layer does not show, such as those of `AvgPool2d`."""
    known = getattr(module, "options", None)
    known = vars(module) if known is None else known
    names = list(signature(getattr(torch.nn, kind)).parameters)
    written = {*names[: len(call.args)], *(keyword.arg for keyword in call.keywords)}
    return [
        ast.keyword(name, ast.Constant(known[name]))
        for name in names
        if name not in written | _OTHER_OPTIONS
        and isinstance(known.get(name, ()), bool | int | float | str | None)
    ]


_OTHER_OPTIONS = {"bias", "init", "device", "dtype"}
"""Options that parameters tell."""

_STATE = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}


def _holds_more(module: Any) -> bool:
    """True if a layer holds modules, parameters or buffers that torch's class does not."""
    inside = {name for name, _ in module.named_children()} - {"parametrizations"}
    return bool(inside or _own_names(module) - _STATE)


def _own_names(module: Any) -> set[str]:
    """The parameters and buffers of a layer, also those that are computed from others."""
    names = {
        name.removeprefix("parametrizations.").split(".")[0] for name, _ in module.named_state()
    }
    for hook in getattr(module, "hooks", ()):
        whole = hook.partition("'")[2].partition("'")[0]
        ways = [{f"{whole}_{end}" for end in ends} for ends in (("g", "v"), ("orig", "u", "v"))]
        for parts in ways if whole else ():
            names = (names - parts) | {whole} if parts <= names else names
    return names


def _takes_bias(kind: str) -> bool:
    return "bias" in signature(getattr(torch.nn, kind)).parameters


def _is_default(kind: str, keyword: Any) -> bool:
    """True for an option that need not be written; in place, a layer would change other values."""
    if keyword.arg == "inplace":
        return True
    known = signature(getattr(torch.nn, kind)).parameters
    value = ast.literal_eval(keyword.value)
    usual = known[keyword.arg].default if keyword.arg in known else value
    return bool(value == usual or (isinstance(value, tuple) and set(value) == {usual}))


def _recurrent(kind: str, module: Any) -> str:
    """A layer with several inputs or outputs as the call that makes it."""
    if kind == "MultiheadAttention":
        names = ("dropout", "kdim", "vdim", "batch_first")
        options = "".join(f", {name}={getattr(module, name)!r}" for name in names)
        bias = module.in_proj_bias is not None
        return f"nn.{kind}({module.embed_dim}, {module.num_heads}, bias={bias}{options})"
    chosen = getattr(module, "nonlinearity", "tanh")
    extra = "" if chosen == "tanh" else f", nonlinearity={chosen!r}"
    return f"nn.{kind}({module.extra_repr()}{extra})"


def _is_of_a_library(module: Any) -> bool:
    """True for graphnet's own layers, and for imported ones of torch.nn."""
    origin = getattr(module, "origin", type(module).__module__)
    return str(origin).startswith(
        ("graphnet.layers", "torch.nn.modules", "torch.nn.utils.parametrize")
    )
