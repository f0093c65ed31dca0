"""Statements that add to an array instead of storing there: gradients are sums over uses."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from graphnet.compile.lower.loops import Check, Map, Reduction
from graphnet.compile.lower.scalars import Number

if TYPE_CHECKING:
    from graphnet.compile.lower.loops import Contraction, Statement
    from graphnet.compile.plan.slots import Buffer, Slot


def adding(statements: list[Statement], buffer: Buffer) -> list[Statement] | None:
    """Statements that add to a buffer what others store there; None if that is not possible.

    Reductions and contractions stay as they are: the printer lets them add. Zeros that others are
    added to are left out.
    """
    writers = [each for each in statements if _out(each) is buffer]
    if any(_reads(each, buffer) for each in statements) or not writers:
        return None
    first, *others = writers
    if isinstance(first, Map) and _is_zero(first, buffer) and all(map(_adds, others)):
        return [each for each in statements if each is not first]
    if others or not _may_add(first):
        return None
    added = replace(first, adds=True) if isinstance(first, Map) else first
    return [added if each is first else each for each in statements]


def _may_add(statement: Statement) -> bool:
    """True if the only statement that stores may add instead."""
    if isinstance(statement, Map):
        return not (statement.in_order or statement.then)
    if isinstance(statement, Reduction):
        return statement.best is None
    return not isinstance(statement, Check) and statement.start is None


def _target(statement: Map | Reduction | Contraction) -> Slot:
    return statement.out.slot if isinstance(statement, Map) else statement.out


def _out(statement: Statement) -> Buffer | None:
    """The buffer that a statement stores in."""
    return None if isinstance(statement, Check) else _target(statement).buffer


def _adds(statement: Statement) -> bool:
    """True if a statement adds to what is there."""
    return not isinstance(statement, Check | Reduction) and statement.adds


def _reads(statement: Statement, buffer: Buffer) -> bool:
    """True if a statement reads a buffer otherwise than to add to it."""
    seen = sum(slot.buffer is buffer for slot in statement.slots())
    if _out(statement) is not buffer:
        return seen > 0
    starts = not isinstance(statement, Check | Map | Reduction) and statement.adds
    return seen > 1 + starts


def _is_zero(statement: Map, buffer: Buffer) -> bool:
    """True for zeros everywhere in a buffer."""
    element, out = statement.element, statement.out.slot
    is_whole = prod(out.shape) * out.dtype.itemsize == buffer.nbytes
    return is_whole and isinstance(element, Number) and element.value == 0
