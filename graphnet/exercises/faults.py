"""Hints for rules that cannot run: malformed ones, and the errors that they raise."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from inspect import isfunction, signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphnet.op import Op

_ONE_NUMBER = ("only one element", "converted to Scalar", "be converted to Python scalar")
_OF_SHAPES = ("shape", "size", "dimension", "dim", "mat1", "inconsistent tensor", "broadcast")
_IMPORTS = {
    "torch": "import torch",
    "gn": "import graphnet as gn",
    "graphnet": "import graphnet",
    "ops": "from graphnet import ops",
    "np": "import numpy as np",
    "math": "import math",
}


def malformed(rule: str, function: Any, readable: Collection[str]) -> tuple[str, str]:
    """Why something cannot be a rule, and the way out; empty if it can."""
    if not isfunction(function):
        kind = type(function).__name__
        return f"it is of type {kind}, not a method", f"Write `def {rule}(self, grad, ...)`."
    first = next(iter(signature(function).parameters), "")
    if first in readable or not first:
        return (
            "its first argument is not `self`",
            f"Write `def {rule}(self, grad, ...)`: Python puts the object itself in the first "
            "place.",
        )
    return "", ""


def way_out(error: Exception, op: Op, rule: str) -> str:
    """The hint for an error that a rule raised, if it is a usual one; else ""."""
    text, name = str(error), getattr(error, "name", None)
    if isinstance(error, NameError | AttributeError) and isinstance(name, str):
        if name in ("grad", "top", *op.inputs):
            return (
                f"A rule reads what its arguments name: add {name} to them, "
                f"`def {rule}(self, ..., {name})`, and write {name} in the rule."
            )
        if isinstance(error, NameError) and callable(getattr(op, name, None)):
            return f"It is a method of the exercise: write self.{name}(...)."
        if isinstance(error, NameError):
            return _unknown(name, op)
    if "alloc" in text or isinstance(error, MemoryError):
        return "There is not so much memory: is a shape much too large, or is there a loop?"
    if "ambiguous" in text:
        return (
            "`if`, `and`, `or` and max() need one answer, but a tensor has one for each "
            "element: graphnet.ops.where(condition, a, b) chooses for each."
        )
    if any(part in text for part in _ONE_NUMBER):
        return "A rule computes with whole tensors: do not use float() or .item()."
    return ""


def of_shapes(error: Exception) -> bool:
    """True for an error of shapes that do not fit together."""
    return any(part in str(error).lower() for part in _OF_SHAPES)


def _unknown(name: str, op: Op) -> str:
    """The hint for a name that nothing has."""
    if name in _IMPORTS:
        return f"{name} is not imported: write `{_IMPORTS[name]}` at the top of the file."
    near = get_close_matches(name, ("grad", "top", "self", *op.inputs), n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"Nothing is called {name} here.{meant} A rule reads what its arguments name."
