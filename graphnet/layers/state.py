"""Loading values into parameters: all of them, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import GraphError, LoadError, shape_text
from graphnet.graph.entry import dtype_text

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Parameter

_TENSOR = type(empty(0))


def load_state(
    parameters: Mapping[str, Parameter], state: Mapping[str, Tensor], strict: bool
) -> None:
    """Copy values into parameters by name, after all of them were found to fit.

    Raises:
        LoadError: names, shapes or number types differ; the message lists every difference.
    """
    problems = list(_differences(parameters, state, strict))
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise LoadError(f"The state does not fit this model, and nothing was loaded:\n{listed}")
    for name, parameter in parameters.items():
        if name in state:
            parameter.top = state[name]


def _differences(
    parameters: Mapping[str, Parameter], state: Mapping[str, Any], strict: bool
) -> Iterator[str]:
    """Every way in which a state differs from what the parameters ask for, in words."""
    for name, parameter in parameters.items():
        if name not in state:
            if strict:
                yield f"{name}: missing in the state; {shape_text(parameter.shape)} is needed"
            continue
        value = state[name]
        if not isinstance(value, _TENSOR):
            yield f"{name}: a {type(value).__name__} came, where a tensor is needed"
        elif tuple(value.shape) != parameter.shape:
            came, needed = shape_text(tuple(value.shape)), shape_text(parameter.shape)
            yield f"{name}: the shape {came} came, where {needed} is needed"
        elif value.dtype is not parameter.dtype:
            yield (
                f"{name}: {dtype_text(value.dtype)} came, where {dtype_text(parameter.dtype)} is "
                f"needed; convert the module first: module.to(torch.{dtype_text(value.dtype)})"
            )
    if strict:
        for name in sorted(state):
            if name not in parameters:
                yield f"{name}: not known to this model"


def refuse_plain_containers(owner: object, name: str, value: object) -> None:
    """Refuse a list, tuple or dict of modules or parameters: their state would not be found.

    Raises:
        GraphError: an attribute hides modules or parameters.
    """
    if isinstance(value, list | tuple | dict) and any(map(_has_state, contents(value))):
        raise GraphError(
            f"{type(owner).__name__}.{name} is a {type(value).__name__} of modules or parameters, "
            "in which they are not found. Use a Sequential, or one attribute for each."
        )


def contents(value: Any) -> list[Any]:
    """What lists, tuples and dicts hold, however deep; any other value is itself."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if not isinstance(value, list | tuple):
        return [value]
    return [inner for item in value for inner in contents(item)]


def _has_state(value: object) -> bool:
    return hasattr(type(value), "named_children") or getattr(value, "kind", "") == "parameter"
