"""Scalars as text, but for what differs from language to language."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from graphnet.compile.lower.scalars import Call, Load, Number, Place, Position, Scalar, loads


@dataclass
class Expressions(ABC):
    """The text of scalars inside one nest of loops.

    Attributes:
        address: the text of the memory at a place.
        position: the text of the position along an axis.
        used: the functions of the prelude that are called; grows.
        lines: the local variables that the text needs; grows.
    """

    address: Callable[[Place, Any], str]
    position: Callable[[int], str]
    used: set[str]
    lines: list[str] = field(default_factory=list)
    _names: dict[int, str] = field(default_factory=dict)
    _counts: Counter[int] = field(default_factory=Counter)

    def text(self, scalar: Scalar) -> str:
        """A scalar as text; what it reads twice becomes a local variable."""
        return bare(self.term(scalar))

    def texts(self, scalars: Sequence[Scalar]) -> list[str]:
        """Several scalars as texts, which share local variables."""
        self._count(*scalars)
        return [bare(self.part(each)) for each in scalars]

    def term(self, scalar: Scalar) -> str:
        """A scalar as text, in parentheses if it is not a single name or call."""
        self._count(scalar)
        return self.part(scalar)

    def part(self, scalar: Scalar) -> str:
        """A scalar as text, inside another that has been counted."""
        if isinstance(scalar, Number):
            return self.number(scalar)
        if isinstance(scalar, Position):
            return self.position(scalar.axis)
        if id(scalar) in self._names:
            return self._names[id(scalar)]
        if isinstance(scalar, Load):
            made = self.address(scalar.place, self)
        else:
            made = self.call(cast("Call", scalar))
        if not self.is_local(scalar, self._counts[id(scalar)]):
            return made
        name = self._names[id(scalar)] = self.name(scalar)
        self.lines.append(f"{self.declared(scalar, name)} = {bare(made)};")
        return name

    def _count(self, *scalars: Scalar) -> None:
        waiting = [*scalars]
        while waiting:
            each = waiting.pop()
            self._counts[id(each)] += 1
            if self._counts[id(each)] == 1:
                waiting += each.parts()

    def name(self, scalar: Scalar) -> str:
        """The name of the next local variable."""
        return f"t{len(self.lines)}"

    def is_local(self, scalar: Scalar, count: int) -> bool:
        """True for what becomes a local variable; it is read so many times."""
        return count > 1

    @abstractmethod
    def number(self, scalar: Number) -> str:
        """A plain number."""

    @abstractmethod
    def call(self, call: Call) -> str:
        """A function of other scalars, in parentheses if it is an operator."""

    @abstractmethod
    def declared(self, scalar: Scalar, name: str) -> str:
        """The declaration of a local variable, up to its value."""


def may_wrap(call: Call) -> bool:
    """True for integers, unless they are made of positions in loops: those are small."""
    return not call.args[0].dtype.is_floating_point and next(loads(call), None) is not None


def bare(text: str) -> str:
    """An expression without the parentheses around all of it.

    >>> bare("(a + (b))"), bare("(a) + (b)")
    ('a + (b)', '(a) + (b)')
    """
    if not text.startswith("("):
        return text
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text


def times(step: int, index: str) -> str:
    """A stride times an index.

    >>> times(1, "i"), times(25, "i")
    ('i', '25 * i')
    """
    return index if step == 1 else f"{step} * {index}"
