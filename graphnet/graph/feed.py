"""Checks what is fed to the inputs of a graph before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import FeedError, shape_text
from graphnet.graph.entry import dtype_text
from graphnet.graph.nodes import Input

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph.parameter import Parameter

_TENSOR = type(empty(0))

Feed = Mapping[Any, Any]
"""Tensors by the names of inputs, or by the inputs themselves; numbers where they are plain."""


def bind(
    inputs: Mapping[str, Input],
    parameters: Iterable[Parameter],
    needed: Iterable[Input],
    feed: Feed,
) -> dict[Input, Tensor]:
    """Find the input for each fed tensor, and check the tensor against it.

    Raises:
        FeedError: a feed is missing, misnamed, or does not fit its input.
    """
    require_mapping(feed, inputs.values())
    bound: dict[Input, Tensor] = {}
    parameter = next(iter(parameters), None)
    device = None if parameter is None else parameter.top.device
    for key, given in feed.items():
        node = inputs.get(key) if isinstance(key, str) else key
        if not isinstance(node, Input) or inputs.get(node.name) is not node:
            raise FeedError(_unknown(key, inputs))
        if node in bound:
            raise FeedError(f"{node} is fed twice, once by name and once as a node.")
        value = as_fed(node, given, device)
        _check(node, value)
        device = device or value.device
        if value.device != device:
            raise FeedError(
                f"{node} is fed a tensor on {value.device}, but the graph computes on {device}. "
                f"Move the tensor there: tensor.to({str(device)!r})."
            )
        bound[node] = value.detach() if value.requires_grad else value
    for node in needed:
        if node not in bound:
            raise FeedError(_missing(node, inputs, bound))
    return bound


def as_fed(node: Input, value: Any, device: Any = None) -> Any:
    """An array of numpy, a number or nested lists of numbers as a tensor, where that is plain.

    Integers are fed to inputs of integers and of floating-point numbers, these to floating ones,
    and booleans to booleans. Anything else is returned as it is.
    """
    if isinstance(value, _TENSOR):
        return value
    kind, wanted = _kind(value), _kind(empty(0, dtype=node.dtype))
    if kind is None or (kind, wanted) not in _PLAIN:
        return value
    try:
        given = value.copy() if hasattr(value, "strides") else value  # strides may be negative
        return empty(0, dtype=node.dtype, device=device).new_tensor(given)
    except (TypeError, ValueError):  # lists of different lengths
        return value


def _kind(value: Any) -> str | None:
    """The kind of numbers: "b" for booleans, "i" for integers, "f" for floating ones; else None."""
    if isinstance(value, _TENSOR):
        kind = "f" if value.dtype.is_floating_point else "i"
        return "b" if dtype_text(value.dtype) == "bool" else kind
    if isinstance(value, bool | int | float):
        return {bool: "b", int: "i"}.get(type(value), "f")
    if isinstance(value, list | tuple):
        kinds = {_kind(each) for each in value}
        mixed = "f" if kinds <= {"i", "f"} else None
        return kinds.pop() if len(kinds) == 1 else mixed
    if not hasattr(value, "__array__"):
        return None
    return {"b": "b", "i": "i", "u": "i", "f": "f"}.get(getattr(value.dtype, "kind", ""))


_NUMBERS = {"b": "booleans", "i": "integers", "f": "floating-point numbers"}
"""The kinds of numbers in words."""
_PLAIN = frozenset([("b", "b"), ("i", "i"), ("i", "f"), ("f", "f")])
"""What may be fed to what, by kind."""


def merged(feed: Any, named: dict[str, Any], inputs: Iterable[Input]) -> Feed:
    """All that is fed, by node or name and by keyword."""
    if feed is None:
        return named
    require_mapping(feed, inputs)
    return {**feed, **named} if named else feed


def require_mapping(feed: Any, inputs: Iterable[Input]) -> None:
    """Refuse a feed that is not a dict.

    Raises:
        FeedError: it is not a dict.
    """
    if not isinstance(feed, dict | Mapping):  # nearly always a dict, which is checked fast
        raise FeedError(
            "A feed must be a dict, or tensors by the names of their inputs, name=tensor; got "
            f"{type(feed).__name__}. {_names({node.name: node for node in inputs})}"
        )


def _check(node: Input, value: Any) -> None:
    """Compare a fed value with its input."""
    if not isinstance(value, _TENSOR):
        numbers = _NUMBERS.get(_kind(value) or "")
        if numbers and (_kind(value), _kind(empty(0, dtype=node.dtype))) not in _PLAIN:
            raise FeedError(
                f"{node} takes {dtype_text(node.dtype)}; got {type(value).__name__} of {numbers}, "
                "which are not converted silently: torch.as_tensor(value, "
                f"dtype={node.dtype}) does it."
            )
        raise FeedError(
            f"{node} takes a tensor; got {type(value).__module__}.{type(value).__qualname__}. "
            f"torch.as_tensor(value, dtype={node.dtype}) makes one."
        )
    shape = value.shape
    if shape != node.shape and not _fits(shape, node.shape):
        raise FeedError(
            f"{node} takes the shape {shape_text(node.shape)}; got {shape_text(tuple(shape))}. "
            "Reshape the tensor, or build the graph for its shape (? is any size)."
        )
    if value.dtype is not node.dtype:
        raise FeedError(
            f"{node} takes {dtype_text(node.dtype)}; got {dtype_text(value.dtype)}. Convert "
            f"the tensor, tensor.to(torch.{dtype_text(node.dtype)}), or declare the input with "
            f"dtype=torch.{dtype_text(value.dtype)}."
        )


def _fits(shape: Sequence[int], expected: Sequence[int | None]) -> bool:
    """True if a shape has the required sizes; None allows any size."""
    if len(shape) != len(expected):
        return False
    for size, wanted in zip(shape, expected, strict=True):
        if wanted is not None and wanted != size:
            return False
    return True


def _unknown(key: object, inputs: Mapping[str, Input]) -> str:
    if isinstance(key, str):
        return f"{key!r} is fed, but the graph has no input by that name. {_names(inputs)}"
    if isinstance(key, Input):
        return f"{key} is fed, but it belongs to another graph. {_names(inputs)}"
    return f"{key!r} is fed, but only inputs can be. {_names(inputs)}"


def _missing(node: Input, inputs: Mapping[str, Input], bound: Mapping[Input, Tensor]) -> str:
    fed = ", ".join(repr(each.name) for each in bound) or "nothing"
    return (
        f"{node} is not fed, but the requested outputs need it; got {fed}. {_names(inputs)} "
        "To compute nodes that do not need it, name them: graph.forward(..., outputs=node)."
    )


def _names(inputs: Mapping[str, Input]) -> str:
    listed = ", ".join(f"{name!r} {shape_text(node.shape)}" for name, node in inputs.items())
    return f"Its inputs are {listed}." if inputs else "It has no inputs."
