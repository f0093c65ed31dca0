"""Nested arguments: tuples, lists and dicts of tensors or nodes, and settings among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from graphnet.errors import GraphError


class Setting(NamedTuple):
    """A value that is no tensor, such as a flag: the structure itself, with its type."""

    kind: type
    value: Any


class Nested:
    """What a module inherits whose outputs are nested in tuples, lists and dicts alone."""

    def _in_plain(self, outputs: Any) -> Any:
        """What `build` returns, in these; one with other containers has its own way."""
        return outputs

    def _in_classes(self, values: Any) -> Any:
        """The same for tensors, in the containers that `build` returns."""
        return values


def setting(value: Any) -> Any:
    """A keyword argument with each flag, number, string and None in it as a `Setting`."""
    if isinstance(value, dict):
        return {key: setting(each) for key, each in value.items()}
    if isinstance(value, tuple | list) and not isinstance(value, Setting):
        return (tuple if isinstance(value, tuple) else list)(map(setting, value))
    is_plain = value is None or isinstance(value, bool | int | float | str)
    return Setting(type(value), value) if is_plain else value


def leaves(value: Any) -> list[Any]:
    """The leaves of nested tuples, lists and dicts, in order; a value alone is its only leaf.

    The order in a dict is that of its keys, not of their insertion. Settings are no leaves.

    >>> leaves((1, [2, {"b": 4, "a": 3}]))
    [1, 2, 3, 4]
    """
    if isinstance(value, Setting):
        return []
    if isinstance(value, dict):
        return [leaf for key in _ordered(value) for leaf in leaves(value[key])]
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def structure_of(value: Any) -> Any:
    """The same without its leaves, which become None: what two calls may have in common."""
    if isinstance(value, Setting):
        return value
    if isinstance(value, dict):
        return {key: structure_of(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return (tuple if isinstance(value, tuple) else list)(map(structure_of, value))
    return None


def nested(values: Iterable[Any], structure: Any) -> Any:
    """Values in place of a structure's leaves: the inverse of `leaves`. Settings are given back."""
    return _filled(iter(values), structure)


def _filled(remaining: Iterator[Any], place: Any) -> Any:
    if isinstance(place, Setting):
        return place.value
    if isinstance(place, dict):
        filled = {key: _filled(remaining, place[key]) for key in _ordered(place)}
        return {key: filled[key] for key in place}
    if isinstance(place, tuple | list):
        return type(place)([_filled(remaining, each) for each in place])
    return next(remaining)


def _ordered(value: dict[Any, Any]) -> list[Any]:
    return sorted(value, key=str)


def returned(outputs: Any, module: object) -> Any:
    """What the `build` of a module has returned.

    Raises:
        GraphError: it is nothing.
    """
    if outputs is None:
        raise GraphError(
            f"The build of {type(module).__name__} returned None; a module returns a node, or a "
            "tuple of nodes. Does build end with `return`?"
        )
    return outputs
