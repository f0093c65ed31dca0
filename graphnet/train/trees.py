"""Trees of dicts, lists and tuples, as JSON beside tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

_TENSOR, _TUPLE = "$tensor", "$tuple"


def packed(tree: Any) -> tuple[Any, dict[str, Tensor]]:
    """A tree of dicts, lists and tuples: what JSON can hold, and its tensors by their paths.

    >>> import torch
    >>> packed({"a": (1, torch.ones(1))})
    ({'a': {'$tuple': [1, {'$tensor': 'a.1'}]}}, {'a.1': tensor([1.])})
    """
    tensors: dict[str, Tensor] = {}

    def pack(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, Tensor):
            name = ".".join(path)
            while name in tensors:  # {"a": {"b": ...}, "a.b": ...}
                name += "'"
            tensors[name] = value
            return {_TENSOR: name}
        if isinstance(value, Mapping):
            return {_written(key): pack(each, (*path, str(key))) for key, each in value.items()}
        if isinstance(value, list | tuple):
            items = [pack(each, (*path, str(place))) for place, each in enumerate(value)]
            return {_TUPLE: items} if isinstance(value, tuple) else items
        return value

    return pack(tree, ()), tensors


def _written(key: Any) -> str:
    """A key as text; one that looks like a mark gets another $."""
    return f"${key}" if str(key).startswith("$") else str(key)


def unpacked(values: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The original tree.

    Raises:
        KeyError: a tensor is missing.
    """
    if isinstance(values, dict):
        if values.keys() == {_TENSOR}:
            return tensors[values[_TENSOR]]
        if values.keys() == {_TUPLE}:
            return tuple(unpacked(each, tensors) for each in values[_TUPLE])
        return {key.removeprefix("$"): unpacked(each, tensors) for key, each in values.items()}
    if isinstance(values, list):
        return [unpacked(each, tensors) for each in values]
    return values
