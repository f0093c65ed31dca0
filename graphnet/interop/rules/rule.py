"""The table of rules, by the name of torch's operation, and what several rules need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch

from graphnet import ops
from graphnet.errors import GraphError
from graphnet.graph import Node
from graphnet.interop.sizes import as_node
from graphnet.interop.steps import FOLLOW, Step
from graphnet.ops.dtypes import Convert

Rule = Callable[..., Any]
F = TypeVar("F", bound=Rule)

RULES: dict[str, Rule] = {}
"""The rules by the name of the operation: "linear", or with its overload, "max.dim"."""

SAME: set[str] = set()
"""Operations whose arguments are those of the function of the same name in `graphnet.ops`."""


def rule(*names: str) -> Callable[[F], F]:
    """Enter a function into the table; it gets the step first, then torch's arguments."""

    def entered(function: F) -> F:
        RULES.update(dict.fromkeys(names, function))
        return function

    return entered


def rule_for(step: Step) -> Rule | None:
    """The rule for a step; None if there is none."""
    found = RULES.get(step.target.removeprefix("aten.")) or RULES.get(step.name)
    if found is None and step.name in SAME and hasattr(ops, step.name):
        function = getattr(ops, step.name)
        return lambda _step, *args, **kwargs: function(*args, **kwargs)
    return found


def mode(value: Any) -> bool | None:
    """A training mode as graphnet's functions take it: None follows the module."""
    return None if value is FOLLOW else bool(value)


def convert(x: Any, dtype: Any) -> Any:
    """A node in another dtype; numbers as they are."""
    return Convert(dtype)(x) if isinstance(x, Node) and dtype and x.dtype != dtype else x


def promoted(*operands: Any) -> list[Any]:
    """Operands in the dtype that torch computes in; extents become nodes."""
    given = [as_node(each) for each in operands]
    nodes = [each for each in given if isinstance(each, Node)]
    if not nodes:
        return given
    dtype = _one(given[0])
    for each in given[1:]:
        kind = torch.result_type(dtype, _one(each))
        ndim = max(dtype.ndim if isinstance(dtype, torch.Tensor) else 0, _ndim(each))
        dtype = torch.empty((1,) * ndim, dtype=kind)
    return [convert(each, getattr(dtype, "dtype", None)) for each in given]


def _ndim(value: Any) -> int:
    return min(value.ndim, 1) if isinstance(value, Node) else 0


def _one(value: Any) -> Any:
    """What decides the result's dtype: a small tensor like a node, or the number itself."""
    return torch.empty((1,) * _ndim(value), dtype=value.dtype) if isinstance(value, Node) else value


def unsupported(what: str) -> GraphError:
    """The error for an argument that graphnet has nothing for."""
    return GraphError(f"graphnet has no {what}")
