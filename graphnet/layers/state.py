"""Loading values into parameters: all of them, or none."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, LoadError, shape_text
from graphnet.graph.entry import dtype_text
from graphnet.ops.dims import TENSOR

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Parameter

_CONTAINERS = (list, tuple, dict, set, frozenset, deque)


def load_state(
    parameters: Mapping[str, Parameter], state: Mapping[str, Tensor], strict: bool
) -> None:
    """Copy values into parameters by name, after checking that all of them fit.

    Raises:
        LoadError: it is not a dict, or names, shapes or dtypes differ; the message lists every
            difference.
    """
    if not isinstance(state, Mapping):
        raise LoadError(
            "A state must be a dict of tensors by name, such as state_dict() returns; got "
            f"{'None' if state is None else type(state).__name__}. Nothing was loaded."
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
    """Every difference between a state and the parameters, in words."""
    for name, parameter in parameters.items():
        if name not in state:
            if strict:
                yield f"{name}: missing in the state; expected {shape_text(parameter.shape)}"
            continue
        value = state[name]
        if not isinstance(value, TENSOR):
            yield f"{name}: expected a tensor; got {type(value).__name__}"
        elif tuple(value.shape) != parameter.shape:
            shape, expected = shape_text(tuple(value.shape)), shape_text(parameter.shape)
            yield f"{name}: expected the shape {expected}; got {shape}"
        elif value.dtype is not parameter.dtype:
            yield (
                f"{name}: expected {dtype_text(parameter.dtype)}; got {dtype_text(value.dtype)}; "
                f"convert the module first: module.to(torch.{dtype_text(value.dtype)})"
            )
    if strict:
        for name in sorted(state, key=str):
            if name not in parameters:
                yield f"{name}: unknown to this model{_no_name(name)}"


def _no_name(name: object) -> str:
    """A note on a key that cannot be the name of a parameter."""
    return "" if isinstance(name, str) else f"; names are strings, got {type(name).__name__}"


def refuse_plain_containers(owner: object, name: str, value: object) -> None:
    """Refuse a list, set or dict of modules or parameters: their state would not be found.

    Raises:
        GraphError: an attribute hides modules or parameters.
    """
    if isinstance(value, _CONTAINERS) and any(map(_has_state, contents(value))):
        raise GraphError(
            f"{type(owner).__name__}.{name} is a {type(value).__name__} of modules or parameters, "
            "where they are not found. Use graphnet's ModuleList, ModuleDict, Sequential, "
            "ParameterList or ParameterDict, or one attribute for each."
        )


def contents(value: Any) -> list[Any]:
    """The items of lists, tuples, sets, deques and dicts, to any depth; other values themselves.

    A container that occurs again is opened only once, and then returned itself.

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
