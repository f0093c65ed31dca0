"""Scalars: what one element of a value is computed from.

The rule of an elementwise operation is one formula for tensors, nodes and scalars. Given scalars
it returns the expression that a loop evaluates at each place; nothing is written a second time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from graphnet.graph.methods import TensorMethods

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from graphnet.compile.plan.slots import Shape, Slot
    from graphnet.op import Op


class NotLowered(Exception):  # noqa: N818 - a signal: this program runs as calls of torch
    """Something has no form as loops over scalars."""


class Scalar(TensorMethods):
    """An element of a value, at the place where a loop stands.

    Attributes:
        dtype: of the element.
    """

    __hash__ = object.__hash__
    dtype: torch.dtype
    shape = ()
    ndim = 0
    is_meta = True
    """A rule cannot look at the numbers: a check of them is a statement of its own."""

    def apply(self, op: Op, arguments: tuple[Any, ...]) -> Scalar:
        """What an operation makes of an element: a primitive, or what its rule is made of."""
        from graphnet.compile.lower.primitives import applied

        return applied(op, arguments)

    def parts(self) -> tuple[Scalar, ...]:
        """The scalars that it is computed from."""
        return ()

    def where(self, condition: Any, other: Any) -> Any:
        """This element where a condition holds, another elsewhere."""
        return select(condition, self, other)

    def xlogy(self, other: Any) -> Scalar:
        """x log(y), and 0 where x is 0."""
        return select(self.eq(0), 0.0, self * other.log())

    def to(self, dtype: torch.dtype) -> Scalar:  # type: ignore[override]  # another symbol
        """The element in another dtype."""
        return converted(self, dtype)


@dataclass(frozen=True, eq=False)
class Number(Scalar):
    """A plain number.

    Attributes:
        value: the number.
        dtype: what it is written in.
    """

    value: float
    dtype: torch.dtype


@dataclass(frozen=True, eq=False)
class Position(Scalar):
    """How far the loop over an axis has come.

    Attributes:
        axis: which loop, counted from the outermost.
    """

    axis: int
    dtype: torch.dtype = torch.int64


@dataclass(frozen=True, eq=False)
class Place:
    """The element of a buffer at which a loop stands.

    Attributes:
        slot: the elements for all places of the loop; its shape is that of the loop.
        terms: for each index that is itself computed, its stride and the index.
    """

    slot: Slot
    terms: tuple[tuple[int, Scalar], ...] = ()


@dataclass(frozen=True, eq=False)
class Load(Scalar):
    """An element that is read from memory."""

    place: Place
    dtype: torch.dtype

    def parts(self) -> tuple[Scalar, ...]:
        """The indices that are computed."""
        return tuple(index for _, index in self.place.terms)


@dataclass(frozen=True, eq=False)
class Call(Scalar):
    """A primitive function of other scalars; `primitives` lists them.

    Attributes:
        function: its name.
        args: what it is applied to.
        dtype: of the result.
        calls: how many calls it is made of, itself included.
    """

    function: str
    args: tuple[Scalar, ...]
    dtype: torch.dtype
    calls: int = field(init=False)

    def __post_init__(self) -> None:
        """Count the calls that it is made of."""
        counts = (arg.calls for arg in self.args if isinstance(arg, Call))
        object.__setattr__(self, "calls", 1 + sum(counts))

    def parts(self) -> tuple[Scalar, ...]:
        """The arguments."""
        return self.args


def broadcast_to(slot: Slot, shape: Shape) -> Slot:
    """A slot broadcast to a shape, as `expand` does it; it is done for everything that is read."""
    if slot.shape == shape:
        return slot
    new = len(shape) - slot.ndim
    own = zip(slot.shape, slot.strides, strict=True)
    strides = tuple(0 if size == 1 else step for size, step in own)
    return slot.as_strided(shape, (0,) * new + strides)


def load(slot: Slot, *terms: tuple[int, Scalar]) -> Load:
    """The element of a slot at the place of the loop, moved by computed indices."""
    return Load(Place(slot, terms), slot.dtype)


def all_parts(scalar: Scalar) -> Iterator[Scalar]:
    """A scalar and everything that it is computed from, each once."""
    waiting, seen = [scalar], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += each.parts()


def loads(scalar: Scalar) -> Iterator[Load]:
    """Everything that is read for a scalar, indices of what is read too."""
    return (each for each in all_parts(scalar) if isinstance(each, Load))


def positions(scalar: Scalar) -> set[int]:
    """The axes whose position is read as a number."""
    return {each.axis for each in all_parts(scalar) if isinstance(each, Position)}


def calls_of(scalar: Scalar) -> int:
    """How many calls a scalar is made of."""
    return scalar.calls if isinstance(scalar, Call) else 0


def as_scalar(value: Any, like: torch.dtype) -> Scalar:
    """A plain number as a scalar, beside others of a dtype."""
    if isinstance(value, Scalar):
        return value
    if isinstance(value, bool):
        return Number(value, torch.bool)
    if like.is_floating_point or isinstance(value, float):
        return Number(value, like if like.is_floating_point else torch.get_default_dtype())
    return Number(_in_range(value, like), like)


def _in_range(value: int, dtype: torch.dtype) -> int:
    """An integer as an element of a dtype: it begins anew where the dtype ends, as in torch."""
    if dtype is torch.bool:
        return value
    ends = torch.iinfo(dtype)
    return (value - ends.min) % (ends.max - ends.min + 1) + ends.min


def converted(scalar: Scalar, to: torch.dtype) -> Scalar:
    """A scalar in another dtype."""
    if scalar.dtype is to:
        return scalar
    if isinstance(scalar, Number):
        if to.is_floating_point or to is torch.bool:
            return Number(float(scalar.value) if to.is_floating_point else bool(scalar.value), to)
        return Number(_in_range(int(scalar.value), to), to)
    return Call("convert", (scalar,), to)


def common_dtype(args: tuple[Any, ...]) -> torch.dtype:
    """The dtype in which scalars and plain numbers are combined.

    Raises:
        NotLowered: no printer has it.
    """
    dtypes = [arg.dtype for arg in args if isinstance(arg, Scalar)]
    found = dtypes[0]
    for each in dtypes[1:]:
        found = torch.promote_types(found, each)
    if found is torch.int16:  # of int8 and uint8; no printer has it
        raise NotLowered(str(found))
    for arg in args:
        if isinstance(arg, float) and not found.is_floating_point:
            return torch.get_default_dtype()
        if isinstance(arg, int) and not isinstance(arg, bool) and found is torch.bool:
            found = torch.int64
    return found


def call(function: str, *args: Any, dtype: torch.dtype | None = None) -> Scalar:
    """A primitive applied to scalars and numbers, in their common dtype.

    Args:
        function: its name.
        args: scalars, or plain numbers.
        dtype: of the result, if it is not that of the arguments.
    """
    common = common_dtype(args)
    made = tuple(converted(as_scalar(arg, common), common) for arg in args)
    return Call(function, made, dtype or common)


def select(condition: Any, yes: Any, no: Any) -> Scalar:
    """One of two scalars."""
    chosen = converted(as_scalar(condition, torch.bool), torch.bool)
    common = common_dtype((yes, no)) if isinstance(yes, Scalar) or isinstance(no, Scalar) else None
    common = common or (torch.get_default_dtype() if isinstance(yes, float) else torch.int64)
    both = (converted(as_scalar(each, common), common) for each in (yes, no))
    return Call("select", (chosen, *both), common)


def permuted(scalar: Scalar, order: Sequence[int]) -> Scalar:
    """A scalar in loops of another order."""
    if list(order) == sorted(order):
        return scalar
    return relocated(scalar, lambda slot: slot.permute(*order), list(order).index)


def relocated(
    scalar: Scalar, see: Callable[[Slot], Slot], axis: Callable[[int], int] | None = None
) -> Scalar:
    """A scalar in other loops: what it reads is seen in another way.

    Args:
        scalar: the scalar.
        see: what it reads, with the shape of the new loops.
        axis: which of the new loops an old one is; None if no position is read.
    """
    known: dict[int, Scalar] = {}

    def moved(each: Scalar) -> Scalar:
        if id(each) not in known:
            known[id(each)] = changed(each)
        return known[id(each)]

    def changed(each: Scalar) -> Scalar:
        if isinstance(each, Call):
            return Call(each.function, tuple(map(moved, each.args)), each.dtype)
        if isinstance(each, Position) and axis is not None:
            return Position(axis(each.axis))
        if isinstance(each, Load):
            terms = tuple((stride, moved(index)) for stride, index in each.place.terms)
            return Load(Place(see(each.place.slot), terms), each.dtype)
        return each

    return moved(scalar)
