"""The names that the lines of a program use, and what they stand for."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from typing import Any

import torch


def _aten(name: str, overload: str = "default") -> Callable[[], Any]:
    return lambda: getattr(getattr(torch.ops.aten, name), overload)._op


KERNELS_OF_TORCH: dict[str, Callable[[], Any]] = {
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
}
"""Kernels that torch has only under `torch.ops`."""


class Vocabulary:
    """Names, each for one thing.

    Attributes:
        known: what stays from step to step: tensors, numbers and functions.
        samples: a tensor of the same kind for each one that is made anew at each step.
    """

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self.samples: dict[str, Any] = {}
        self._taken: set[str] = set()

    def new(self, wanted: str) -> str:
        """A name close to the one wanted that nothing else has."""
        name = re.sub(r"[^a-zA-Z0-9_]", "_", wanted)
        name = f"layer{name}" if name[0].isdigit() else name
        if keyword.iskeyword(name) or name in KERNELS_OF_TORCH or _is_function(name):
            name = f"{name}_"
        free, count = name, 0
        while free in self._taken or free in self.known:
            count += 1
            free = f"{name}_{count}"
        self._taken.add(free)
        return free

    def constant(self, value: object, wanted: str) -> str:
        """A name for something that stays; the same name for the same memory."""
        known = self.known.get(wanted)
        if known is not None and _same(known, value):
            return wanted
        name = self.new(wanted)
        self.known[name] = value
        return name

    def number(self, value: float, of: torch.dtype, device: torch.device | None) -> str:
        """A name for a number kept as a tensor, which is faster than a float next to tensors."""
        text = f"{value:g}".replace("-", "minus_")
        return self.equal(torch.tensor(value, dtype=of, device=device), f"number_{text}")

    def equal(self, value: torch.Tensor, wanted: str) -> str:
        """A name for a tensor that nothing writes to; equal tensors share one."""
        name = re.sub(r"[^a-zA-Z0-9_]", "_", wanted)
        known = self.known.get(name)
        if isinstance(known, torch.Tensor) and known.dtype is value.dtype and known.equal(value):
            return name
        return self.constant(value, wanted)

    def learn(self, line: str) -> str:
        """Bind the torch functions, inf and nan that a line uses; drop what is redundant."""
        for name in re.findall(r"torch\.(\w+)", line):
            self.known[name] = getattr(torch, name)
        for name, function in KERNELS_OF_TORCH.items():
            if f"{name}(" in line:
                self.known[name] = function()
        for name in re.findall(r"\b(?:inf|nan)\b", line):
            self.known[name] = float(name)  # as Python writes them, without a name for them
        return line.replace("torch.", "").replace(", alpha=1)", ")").replace(", alpha=1,", ",")

    def used(self, line: str) -> dict[str, Any]:
        """What the names in a line stand for."""
        names = re.findall(r"[A-Za-z_]\w*", line)
        return {name: self.known[name] for name in names if name in self.known} | {
            name: self.samples[name] for name in names if name in self.samples
        }


def _is_function(name: str) -> bool:
    """True if lines may call a function of this name; none has one letter."""
    return len(name) > 1 and hasattr(torch, name)


def _same(value: object, other: object) -> bool:
    """True for one object, and for two views of one piece of memory."""
    if isinstance(value, torch.Tensor) and isinstance(other, torch.Tensor):
        return value.is_set_to(other)
    return value is other
