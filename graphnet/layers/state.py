"""Loading values into parameters: all of them, or none."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import GraphError, LoadError, shape_text
from graphnet.graph.entry import dtype_text

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Parameter

_TENSOR = type(empty(0))
_CONTAINERS = (list, tuple, dict, set, frozenset, deque)


def load_state(
    parameters: Mapping[str, Parameter], state: Mapping[str, Tensor], strict: bool
) -> None:
    """Copy values into parameters by name, after all of them were found to fit.

    Raises:
        LoadError: it is no dict, or names, shapes or dtypes differ; the message lists every
            difference.
    """
    if not isinstance(state, Mapping):
        raise LoadError(
            "A state must be a dict of tensors by name, such as state_dict() returns; got "
            f"{'None' if state is None else f'a {type(state).__name__}'}. Nothing was loaded."
        )
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
        for name in sorted(state, key=str):
            if name not in parameters:
                yield f"{name}: not known to this model{_no_name(name)}"


def _no_name(name: object) -> str:
    """What is said of a key that can be no name of a parameter."""
    return "" if isinstance(name, str) else f"; names are strings, got {type(name).__name__}"


def refuse_plain_containers(owner: object, name: str, value: object) -> None:
    """Refuse a list, set or dict of modules or parameters: their state would not be found.

    Raises:
        GraphError: an attribute hides modules or parameters.
    """
    if isinstance(value, _CONTAINERS) and any(map(_has_state, contents(value))):
        raise GraphError(
            f"{type(owner).__name__}.{name} is a {type(value).__name__} of modules or parameters, "
            "in which they are not found. Use a ModuleList, ModuleDict, Sequential, ParameterList "
            "or ParameterDict of graphnet, or one attribute for each."
        )


def contents(value: Any) -> list[Any]:
    """What lists, tuples, sets, deques and dicts hold, to any depth; other values are themselves.

    A container that comes again is opened once, and then stands for itself.

    >>> contents([1, (2, {"three": 3})])
    [1, 2, 'three', 3]
    """
    if not isinstance(value, _CONTAINERS):
        return [value]
    found, opened, stack = [], set(), [value]
    while stack:
        item = stack.pop()
        if not isinstance(item, _CONTAINERS) or id(item) in opened:  # a list may hold itself
            found.append(item)
        else:
            opened.add(id(item))
            items = [*item.keys(), *item.values()] if isinstance(item, dict) else list(item)
            stack.extend(reversed(items))
    return found


def _has_state(value: object) -> bool:
    return hasattr(type(value), "named_children") or getattr(value, "kind", "") == "parameter"
