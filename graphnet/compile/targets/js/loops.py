"""Maps and reductions in JavaScript: plain loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING

import torch

from graphnet.compile.lower.axes import Loop, loops_over
from graphnet.compile.lower.scalars import Place, loads, positions
from graphnet.compile.targets.c.text import Text, variable
from graphnet.compile.targets.js.expressions import Expressions, number, wrapped

if TYPE_CHECKING:
    from graphnet.compile.lower.loops import Map, Reduction
    from graphnet.compile.lower.scalars import Scalar
    from graphnet.compile.plan.slots import Shape, Slot

Pointer = Callable[["Slot"], "tuple[str, int | None]"]
"""The name of a piece of memory, and how many elements after its start a slot begins; None if the
name is that of a single number."""

SIGNS = {"add": "+", "mul": "*", "and": "&", "or": "|"}


class LoopPrinter:
    """The lines of maps and reductions.

    Attributes:
        pointer: where slots begin; a single number has a name of its own.
        used: the functions of the prelude that are called; grows.
    """

    def __init__(self, pointer: Pointer, used: set[str]) -> None:
        self.pointer, self.used = pointer, used

    def map(self, statement: Map) -> list[str]:
        """out = element, or out += element."""
        maps = (statement, *statement.then)
        computed = [part for each in maps for part in (each.element, *_indices(each.out))]
        read = (each.place for part in computed for each in loads(part))
        places = [*(each.out for each in maps), *read]
        fixed = {axis for each in computed for axis in positions(each)}
        axes = range(len(statement.sizes))
        loops = loops_over(statement.sizes, axes, [p.slot.strides for p in places], fixed)
        text = Text("let")
        with text.loops(loops):
            for each in maps:
                lines = self._stored(each, loops)
                alone = len(lines) == 1 or (loops and len(maps) == 1)
                with text.loops([]) if alone else text.block():
                    text.add(*lines)
        return text.lines

    def _stored(self, statement: Map, loops: Sequence[Loop]) -> list[str]:
        """The lines that compute an element, and store it."""
        values = self._expressions(loops)
        element = values.text(statement.element)
        sign = "+=" if statement.adds else "="
        return [*values.lines, f"{values.address(statement.out, values)} {sign} {element};"]

    def together(self, sizes: Shape, elements: Sequence[Scalar], outs: Sequence[Slot]) -> list[str]:
        """Several elements at each place, of which all are computed before one is stored."""
        read = [each.place.slot.strides for part in elements for each in loads(part)]
        strides = [*(each.strides for each in outs), *read]
        loops = loops_over(sizes, range(len(sizes)), strides, set())
        values, text = self._expressions(loops), Text("let")
        news = values.texts(elements)
        for place, new in enumerate(news[:-1]):
            if new not in values.names:
                values.lines.append(f"const next{place} = {new};")
                news[place] = f"next{place}"
        stored = [(values.address(Place(out), values), new)
                  for out, new in zip(outs, news, strict=True)]  # fmt: skip
        with text.loops(loops), text.block() if not loops else text.loops([]):
            text.add(*values.lines, *(f"{out} = {new};" for out, new in stored))
        return text.lines

    def reduction(self, statement: Reduction, adds: bool) -> list[str]:
        """out = the elements along some axes, combined, or out += that."""
        kept, combined = _reduction_loops(statement)
        text, values = Text("let"), self._expressions([*kept, *combined])
        element = values.text(statement.element)
        with text.loops(kept), text.block() if not kept else text.loops([]):
            text.add(*_begin(statement))
            with text.loops(combined, len(kept)):
                text.add(*values.lines, *_combine(statement, element))
            total = values.address(Place(statement.out), values)
            text.add(f"{total} {'+=' if adds else '='} total;")
            if statement.best is not None:
                text.add(f"{values.address(Place(statement.best), values)} = best;")
        return text.lines

    def _expressions(self, loops: Sequence[Loop]) -> Expressions:
        """The text of scalars inside some loops."""
        names = {loop.axes[-1][0]: variable(place) for place, loop in enumerate(loops)}

        def address(place: Place, values: Expressions) -> str:
            name, offset = self.pointer(place.slot)
            if offset is None:
                return name
            terms = [_times(step, index) for axis, index in names.items()
                     if axis < place.slot.ndim and (step := place.slot.strides[axis])]  # fmt: skip
            terms += [_times(step, values.part(index)) for step, index in place.terms]
            terms += [str(offset)] if offset else []
            return f"{name}[{' + '.join(terms) or '0'}]"

        return Expressions(address, lambda axis: names.get(axis, "0"), self.used)


def _begin(statement: Reduction) -> list[str]:
    """What a result begins with."""
    if statement.best is None:
        return [f"let total = {_neutral(statement.function, statement.out.dtype)};"]
    extreme = "minimum" if statement.function == "argmin" else "maximum"
    return [f"let best = {_neutral(extreme, statement.best.dtype)}, total = 0, at = 0;"]


def _combine(statement: Reduction, element: str) -> list[str]:
    """The lines that add an element to a result."""
    function, of = statement.function, statement.out.dtype
    if statement.best is not None:
        sign = "<" if function == "argmin" else ">"
        better = f"other {sign} best"
        if statement.best.dtype.is_floating_point:
            first = "" if function == "argmax_of_window" else " && best === best"
            better = f"{better} || (other !== other{first})"
        return [
            f"const other = {element};",
            f"if ({better}) {{",
            "  best = other;",
            "  total = at;",
            "}",
            "at++;",
        ]
    if function in ("maximum", "minimum"):
        return [f"total = Math.{function[:3]}(total, {element});"]
    if of.is_floating_point or function in ("and", "or"):
        return [f"total {SIGNS[function]}= {element};"]
    if function == "mul" and of in (torch.int64, torch.int32):
        return [f"total = Math.imul(total, {element});"]
    return [f"total = {wrapped(f'total {SIGNS[function]} ({element})', of)[1:-1]};"]


def _neutral(function: str, dtype: torch.dtype) -> str:
    """What leaves any other number as it is."""
    if function in ("and", "or"):
        return "1" if function == "and" else "0"
    if function in ("add", "mul"):
        return "0" if function == "add" else "1"
    lowest = function == "maximum"
    if dtype.is_floating_point:
        return number(-inf if lowest else inf, dtype)
    if dtype is torch.bool:
        return "0" if lowest else "1"
    ends = torch.iinfo(torch.int32 if dtype is torch.int64 else dtype)
    return str(ends.min if lowest else ends.max)


def _indices(place: Place) -> list[Scalar]:
    """The indices of a place that are computed."""
    return [index for _, index in place.terms]


def _reduction_loops(statement: Reduction) -> tuple[list[Loop], list[Loop]]:
    """The loops over results, and over what is combined; places are counted in their order."""
    sizes, count = statement.sizes, statement.kept
    read = [each.place.slot.strides for each in loads(statement.element)]
    out = (*statement.out.strides, *[0] * (len(sizes) - count))
    fixed = positions(statement.element)
    kept = loops_over(sizes, range(count), [out, *read], fixed)
    rest, sort = range(count, len(sizes)), statement.best is None
    return kept, loops_over(sizes, rest, read or [out], fixed, sort=sort)


def _times(step: int, index: str) -> str:
    return index if step == 1 else f"{step} * {index}"
