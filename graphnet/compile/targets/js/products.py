"""Contractions in JavaScript: tables of places, which one function of the prelude goes through.

The axes of a contraction fall into rows, which only the first factor depends on; columns, which
only the second one depends on; terms, which are summed; and the rest, which become loops around
it. For rows, columns and terms a table has the place of each in the factors and in the result, so
that one function sums products of any shape, sixteen sums at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING

from graphnet.compile.lower.axes import Loop, loops_over
from graphnet.compile.targets.printing.lines import Text, variable

if TYPE_CHECKING:
    from graphnet.compile.lower.loops import Contraction
    from graphnet.compile.plan.slots import Slot

TILE = 4
"""The rows and columns whose sums are added up at a time."""
Table = Callable[[str], str]
"""The name of a table, given its text."""
Pointer = Callable[["Slot"], "tuple[str, int]"]


def contraction(
    statement: Contraction, pointer: Pointer, table: Table, used: set[str]
) -> list[str]:
    """The lines that add the sums to what is in the result.

    Args:
        statement: the contraction.
        pointer: the name of a piece of memory, and where in it a slot begins.
        table: the name of a table, which is made once.
        used: the functions of the prelude that are called; grows.
    """
    s, x, y = statement, statement.x, statement.y
    axes = range(len(s.sizes))
    out = s.out.as_strided(s.sizes, (*s.out.strides, *[0] * (len(s.sizes) - s.kept)))
    rows = [a for a in axes if a < s.kept and x.strides[a] and not y.strides[a]]
    columns = [a for a in axes if a < s.kept and y.strides[a] and not x.strides[a]]
    terms = [a for a in axes if a >= s.kept]
    rest = [a for a in axes if a not in (*rows, *columns, *terms)]
    if _size(s.sizes, rows) < TILE <= _size(s.sizes, columns):
        x, y, rows, columns = y, x, columns, rows
    steps = [_steps(s.sizes, *each) for each in ((rows, x, out), (columns, y, out), (terms, x, y))]
    name = table(f"productTable({', '.join(steps)})")
    used |= {"productTable", "addProducts"}
    around = loops_over(s.sizes, rest, [out.strides, x.strides, y.strides], set())
    text = Text("let")
    with text.loops(around):
        given = [_place(each, around, pointer) for each in (x, y, out)]
        text.add(f"addProducts({', '.join([name, *given])});")
    return text.lines


def _size(sizes: Sequence[int], axes: Sequence[int]) -> int:
    return prod(sizes[axis] for axis in axes)


def _steps(sizes: Sequence[int], axes: Sequence[int], first: Slot, second: Slot) -> str:
    """For each loop its size, and its steps in two pieces of memory."""
    loops = loops_over(sizes, axes, [first.strides, second.strides], set())
    last = [(loop.size, loop.axes[-1][0]) for loop in loops]
    texts = [f"[{size}, {first.strides[axis]}, {second.strides[axis]}]" for size, axis in last]
    return f"[{', '.join(texts)}]"


def _place(slot: Slot, loops: Sequence[Loop], pointer: Pointer) -> str:
    """A piece of memory, and where in it the products begin."""
    name, offset = pointer(slot)
    terms = []
    for place, loop in enumerate(loops):
        step = slot.strides[loop.axes[-1][0]]
        if step:
            terms.append(variable(place) if step == 1 else f"{step} * {variable(place)}")
    terms += [str(offset)] if offset else []
    return f"{name}, {' + '.join(terms) or '0'}"
