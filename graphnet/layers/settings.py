"""What pictures and summaries say about a layer: its settings, "3×3, stride 2, padding 1"."""

from __future__ import annotations

from inspect import signature
from re import sub
from typing import TYPE_CHECKING, Any

from graphnet.layers.activations import Activation
from graphnet.layers.module import Module

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SIZES = "in_features", "out_features"
_USUAL: dict[str, tuple[object, ...]] = {
    "stride": (1,),
    "padding": (0, "valid"),
    "output_padding": (0,),
    "dilation": (1,),
    "groups": (1,),
    "dropout": (0, 0.0),
}
"""Settings of layers with windows and others, with the values that need not be said."""

_TEXTS: dict[str, Callable[[Any], str]] = {
    "p": lambda p: f"p = {p:g}",
    "num_heads": lambda n: f"{n} heads" if n != 1 else "1 head",
    "hidden_size": lambda n: f"{n:,} hidden",
    "num_layers": lambda n: f"{n} layers" if n != 1 else "",
    "num_groups": lambda n: f"{n} groups" if n != 1 else "1 group",
    "bidirectional": lambda flag: "bidirectional" if flag else "",
    "return_indices": lambda flag: "with indices" if flag else "",
    "output_size": lambda size: f"to {_image(size)}",
}
"""How other settings are said."""

_SILENT = ("affine", "track_running_stats", "num_features", "normalized_shape", "start_dim")
"""A layer with one of these says nothing more: its shape says it all."""


def settings_of(module: object) -> str:
    """The settings of a module that a reader wants to know; empty if there are none.

    Sizes that shapes tell and what has its usual value are left out. A module of a user says what
    its `extra_repr` returns.

    >>> import graphnet as gn
    >>> settings_of(gn.Conv2d(3, 64, 7, stride=2, padding=3))
    '7×7, stride 2, padding 3'
    >>> settings_of(gn.Dropout(0.5)), settings_of(gn.Linear(400, 120))
    ('p = 0.5', '400 → 120')
    """
    if not isinstance(module, Module):
        return ""
    known = vars(module)
    if "held" in known:  # an imported module: torch's settings, and what it holds
        known = {**known["options"], **known["held"]} if known.get("options") else {}
    texts = [f"{known[_SIZES[0]]:,} → {known[_SIZES[1]]:,}"] if known.keys() >= set(_SIZES) else []
    if "embedding_dim" in known:
        texts.append(f"{known['num_embeddings']:,} × {known['embedding_dim']:,}")
    texts += _window(known)
    texts += [text(known[name]) for name, text in _TEXTS.items() if name in known]
    if isinstance(module, Activation):
        texts = _chosen(module)
    elif not texts and known.keys().isdisjoint(_SILENT):
        texts = [sub(r"(, )?inplace=(True|False)", "", module.extra_repr())]
    return ", ".join(filter(None, texts))


def _chosen(activation: Activation) -> list[str]:
    """The settings of an activation that are not its defaults."""
    usual = signature(type(activation)).parameters
    values = {name: getattr(activation, name) for name in activation.settings}
    return [f"{name} = {value}" for name, value in values.items() if value != usual[name].default]


def _window(known: Mapping[str, Any]) -> list[str]:
    """The window of a convolution or a pooling layer, and what differs from the usual."""
    kernel = known.get("kernel_size")
    texts = [] if kernel is None else [_image(kernel)]
    for name, usual in _USUAL.items():
        value = _one(known.get(name))
        tiled = name == "stride" and "weight" not in known and value == _one(kernel)  # a pooling
        if value is not None and not tiled and value not in usual:
            size = _image(value) if isinstance(value, tuple | list) else value
            texts.append(f"{name.replace('_', ' ')} {size}")
    return texts


def _one(value: Any) -> Any:
    """One size for all dimensions if they are the same, else what was given."""
    if isinstance(value, tuple | list) and len(set(value)) == 1:
        return value[0]
    return value


def _image(sizes: Any) -> str:
    """Sizes of an image: "3×3", also if one stands for both."""
    if not isinstance(sizes, tuple | list):
        return f"{sizes}×{sizes}"
    return "×".join("same" if size is None else str(size) for size in sizes)
