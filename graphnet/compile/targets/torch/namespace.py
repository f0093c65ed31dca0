"""The names that the text of a program uses, and what they stand for."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from math import isfinite, isnan
from typing import Any

import torch


def _aten(name: str, overload: str = "default") -> Callable[[], Any]:
    return lambda: getattr(getattr(torch.ops.aten, name), overload)._op


FUNCTIONS: dict[str, Callable[[], Any]] = {
    "tanh_backward": _aten("tanh_backward", "grad_input"),
    "sigmoid_backward": _aten("sigmoid_backward", "grad_input"),
    "relu_backward": _aten("threshold_backward", "grad_input"),
    "log_softmax_backward": _aten("_log_softmax_backward_data", "out"),
    "nll_loss_forward": _aten("nll_loss_forward"),
    "nll_loss_backward": _aten("nll_loss_backward"),
    "convolution": _aten("convolution"),
    "convolution_backward": _aten("convolution_backward"),
    "max_pool": _aten("max_pool2d_with_indices", "out"),
    "max_pool_backward": _aten("max_pool2d_with_indices_backward", "grad_input"),
    "vector_norm": lambda: torch.linalg.vector_norm,
    "onednn_linear": lambda: torch.ops.mkldnn._linear_pointwise.default._op,
    "isfinite": lambda: isfinite,  # of a number, not of a tensor
}
"""What lines call that is not in `torch` itself."""


class Namespace:
    """Names, each for one thing.

    Attributes:
        known: what stays from step to step: slots, tensors, generators and functions.
    """

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self._taken: set[str] = set()
        self._bound: dict[str, list[str]] = {}

    def new(self, wanted: str) -> str:
        """A name close to the one wanted that nothing else has."""
        name = re.sub(r"[^a-zA-Z0-9_]", "_", wanted)
        name = f"layer{name}" if name[0].isdigit() else name
        if keyword.iskeyword(name) or name in FUNCTIONS or _is_function(name):
            name = f"{name}_"
        free, count = name, 0
        while free in self._taken or free in self.known:
            count += 1
            free = f"{name}_{count}"
        self._taken.add(free)
        return free

    def bind(self, value: object, wanted: str) -> str:
        """A name for something that stays; equal tensors share one, which nothing writes to."""
        alike = self._bound.setdefault(wanted, [])
        for name in alike:
            if _same(self.known[name], value):
                return name
        name = self.new(wanted)
        self.known[name] = value
        alike.append(name)
        return name

    def function(self, name: str) -> None:
        """Bind a function under its own name, which no other thing has."""
        if name not in self.known:
            found = FUNCTIONS.get(name)
            self.known[name] = found() if found else getattr(torch, name)

    def number(self, value: float) -> str:
        """A number in Python; for infinity and NaN, under the names that Python writes."""
        if not isfinite(value):
            self.known["nan" if isnan(value) else "inf"] = abs(value)
        return repr(value)


def _is_function(name: str) -> bool:
    """True if lines may call a function of this name; none has one letter."""
    return len(name) > 1 and hasattr(torch, name)


def _same(known: object, value: object) -> bool:
    """True for one object, and for two tensors of equal numbers."""
    if isinstance(known, torch.Tensor) and isinstance(value, torch.Tensor):
        return known.dtype is value.dtype and known.equal(value)
    return known is value
