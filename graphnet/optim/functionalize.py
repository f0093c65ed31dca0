"""Places: values that cannot be written to, under the names of tensors that can.

The update of an optimizer writes into tensors. Given places it writes nothing: an in-place method
puts a new value into its place. So the one rule also gives new tensors, or nodes of a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from graphnet.errors import GraphError
from graphnet.graph import Node
from graphnet.graph.methods import TensorMethods
from graphnet.ops.scaled import add_scaled, addcdiv, addcmul, lerp

if TYPE_CHECKING:
    from graphnet.op import Op
    from graphnet.optim.groups import Group


def _written(name: str) -> Callable[[Place, Any], Any]:
    """An operator such as += by the method that does the same."""
    return lambda place, other: getattr(place, name)(other)


class Place(TensorMethods):
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
    __hash__ = object.__hash__

    def __init__(self, now: Any) -> None:
        self.now = now

    def apply(self, op: Op, arguments: tuple[Any, ...]) -> Place:
        """A new place, for what an op makes of the values in its arguments."""
        return Place(op(*map(_value, arguments)))

    def __getattr__(self, name: str) -> Any:
        """A method that ends in _ changes the value; anything else is what the value has."""
        if not name.endswith("_"):
            return _placing(getattr(self.now, name))
        method = getattr(self, name.removesuffix("_"))

        def change(*args: Any, **options: Any) -> Place:
            self.now = _value(method(*args, **options))
            return self

        return change

    # Methods of a tensor that do two things at once. A factor may be given at each step.

    def add(self: Any, other: Any, *, alpha: Any = 1) -> Any:
        """The value plus alpha other."""
        return self + other if _is_one(alpha) else add_scaled(self, other, alpha)

    def sub(self, other: Any, *, alpha: Any = 1) -> Any:
        """The value minus alpha other."""
        return self - (other if _is_one(alpha) else alpha * other)

    def addcmul(self: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
        """The value plus (value tensor1) tensor2."""
        return addcmul(self, tensor1, tensor2, value)

    def addcdiv(self: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
        """The value plus (value tensor1) / tensor2."""
        return addcdiv(self, tensor1, tensor2, value)

    def lerp(self: Any, end: Any, weight: Any) -> Any:
        """The value on the way to another one."""
        return lerp(self, end, weight)

    def copy(self, other: Any) -> Place:
        """Another value, for `copy_`."""
        return Place(_value(other))

    __iadd__: Any = _written("add_")
    __isub__: Any = _written("sub_")
    __imul__: Any = _written("mul_")
    __itruediv__: Any = _written("div_")

    def __bool__(self) -> Literal[True]:  # type: ignore[override]  # that of a symbol refuses
        """True: of the numbers in a group, none that is given at each step is 0."""
        return True

    def _refuse_comparison(self, other: Any) -> NoReturn:
        raise GraphError(
            "An update is one formula for every step, so it cannot compare values that are not "
            "known yet. What depends on the step belongs in the method `numbers`."
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse_comparison

    def _refuse_part(self, key: Any = None) -> NoReturn:
        raise GraphError(
            "An update works on all elements alike: it cannot take a part of its values, since "
            "what it wrote there would be lost."
        )

    __getitem__ = __iter__ = _refuse_part


def _placing(found: Any) -> Any:
    """A method of a value as one of its place; anything else as it is."""
    if not callable(found):
        return found

    def method(*args: Any, **options: Any) -> Place:
        given = {name: _value(each) for name, each in options.items()}
        return Place(found(*map(_value, args), **given))

    return method


def without_writing(
    update: Callable[..., None], group: Group, step: Any, value: Any, grad: Any, state: Any
) -> tuple[Any, dict[str, Any]]:
    """What an update makes of tensors or nodes: the new value, and the new state by name."""
    known = {name: _placed(each) for name, each in group.items()}
    places = {name: Place(each) for name, each in state.items()}
    target = Place(value)
    update(known, _placed(step), target, Place(grad), **places)
    return target.now, {name: place.now for name, place in places.items()}


def _placed(given: Any) -> Any:
    """A node in a place, so that it meets other places; anything else is itself."""
    return Place(given) if isinstance(given, Node) else given


def _is_one(factor: Any) -> bool:
    """True for the number 1, which needs no product."""
    return isinstance(factor, int | float) and factor == 1


def _value(given: Any) -> Any:
    """The value of a place; anything else unchanged."""
    return given.now if isinstance(given, Place) else given
