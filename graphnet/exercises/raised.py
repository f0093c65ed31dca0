"""Hints for a rule that is malformed, or that raises an error."""

from __future__ import annotations

from collections.abc import Collection
from inspect import isfunction, signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphnet.op import Op

_ONE_NUMBER = ("only one element", "converted to Scalar", "be converted to Python scalar")


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
    if "ambiguous" in text:
        return (
            "`if`, `and`, `or` and max() need one answer, but a tensor has one for each "
            "element: graphnet.ops.where(condition, a, b) chooses for each."
        )
    if any(part in text for part in _ONE_NUMBER):
        return "A rule computes with whole tensors: do not use float() or .item()."
    return ""
