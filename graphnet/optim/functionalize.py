"""Places: read-only values behind the in-place methods of tensors.

The update of an optimizer writes to tensors. Given places, it writes nothing: an in-place method
puts a new value into its place. So the same rule also returns new tensors, or nodes of a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from graphnet.errors import GraphError
from graphnet.graph import Node

_FORMULAS: dict[str, Callable[..., Any]] = {
    "add": lambda x, y, alpha=1: x + (y if alpha == 1 else alpha * y),
    "sub": lambda x, y, alpha=1: x - (y if alpha == 1 else alpha * y),
    "addcmul": lambda x, a, b, value=1: x + (value * a) * b,
    "addcdiv": lambda x, a, b, value=1: x + (value * a) / b,
    "lerp": lambda x, end, weight: x + weight * (end - x),
    "copy": lambda x, y: y,
}
"""Fused methods of a tensor, written with operators in torch's order."""


class Place:
    """A holder of a value, a tensor or a node, which an in-place method replaces.

    Attributes:
        now: the present value.

    >>> from torch import empty
    >>> first = empty(2).fill_(3)
    >>> place = Place(first)
    >>> _ = place.mul_(2).add_(1)
    >>> place.now, first
    (tensor([7., 7.]), tensor([3., 3.]))
    """

    __slots__ = ("now",)

    def __init__(self, now: Any) -> None:
        self.now = now

    def __getattr__(self, name: str) -> Any:
        """An attribute of the value; a method returns a place, or if it ends in _ changes this."""
        pure = name.removesuffix("_")
        formula = _FORMULAS.get(pure)
        found = formula or getattr(self.now, pure)
        if not callable(found):
            return found

        def method(*args: Any, **options: Any) -> Place:
            given = [self.now, *args] if formula else args
            value = found(
                *map(_value, given), **{key: _value(each) for key, each in options.items()}
            )
            if pure == name:
                return Place(value)
            self.now = value
            return self

        return method

    def _refuse_comparison(self, other: Any) -> NoReturn:
        raise GraphError(
            "An update is one formula for every step, so it cannot compare values that are not "
            "known yet. What depends on the step belongs in the method `numbers`."
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse_comparison
    __hash__ = object.__hash__

    def __neg__(self) -> Place:
        return Place(-self.now)

    def __add__(self, other: Any) -> Place:
        return Place(self.now + _value(other))

    def __radd__(self, other: Any) -> Place:
        return Place(other + self.now)

    def __sub__(self, other: Any) -> Place:
        return Place(self.now - _value(other))

    def __rsub__(self, other: Any) -> Place:
        return Place(other - self.now)

    def __mul__(self, other: Any) -> Place:
        return Place(self.now * _value(other))

    def __rmul__(self, other: Any) -> Place:
        return Place(other * self.now)

    def __truediv__(self, other: Any) -> Place:
        return Place(self.now / _value(other))

    def __rtruediv__(self, other: Any) -> Place:
        return Place(other / self.now)

    def __pow__(self, other: Any) -> Place:
        return Place(self.now ** _value(other))

    def __iadd__(self, other: Any) -> Place:
        self.now = self.now + _value(other)
        return self

    def __isub__(self, other: Any) -> Place:
        self.now = self.now - _value(other)
        return self

    def __imul__(self, other: Any) -> Place:
        self.now = self.now * _value(other)
        return self

    def __itruediv__(self, other: Any) -> Place:
        self.now = self.now / _value(other)
        return self


def without_writing(
    update: Callable[..., None], group: dict[str, Any], step: Any, value: Any, grad: Any, state: Any
) -> tuple[Any, dict[str, Any]]:
    """The result of an update on tensors or nodes: the new value, and the new state by name."""
    known = {name: _placed(each) for name, each in group.items()}
    places = {name: Place(each) for name, each in state.items()}
    target = Place(value)
    update(known, _placed(step), target, Place(grad), **places)
    return target.now, {name: place.now for name, place in places.items()}


def _placed(given: Any) -> Any:
    """A node in a place, so that it works with other places; anything else unchanged."""
    return Place(given) if isinstance(given, Node) else given


def _value(given: Any) -> Any:
    """The value of a place; anything else unchanged."""
    return given.now if isinstance(given, Place) else given
