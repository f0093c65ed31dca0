"""Maps and reductions in JavaScript: plain loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING

import torch

from graphnet.compile.lower.axes import (
    Loop,
    loops_of_elements,
    loops_of_map,
    loops_of_reduction,
)
from graphnet.compile.lower.scalars import Place
from graphnet.compile.targets.js.expressions import JSExpressions, number, wrapped
from graphnet.compile.targets.printing.expressions import times
from graphnet.compile.targets.printing.lines import Text, variable

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
        maps, loops = (statement, *statement.then), loops_of_map(statement)
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

    def together(
        self, sizes: Shape, elements: Mapping[str, Scalar], outs: Sequence[Slot]
    ) -> list[str]:
        """Several elements at each place, by their names: one is stored when all are computed."""
        loops = loops_of_elements(sizes, elements.values(), outs)
        values, text = self._expressions(loops), Text("let")
        if len(elements) > 1:
            values.named = {id(each): f"new_{name}" for name, each in elements.items()}
        news = values.texts([*elements.values()])
        places = [values.address(Place(out), values) for out in outs]
        with text.loops(loops), text.block() if not loops else text.loops([]):
            text.add(*values.lines)
            text.add(*(f"{out} = {new};" for out, new in zip(places, news, strict=True)))
        return text.lines

    def reduction(self, statement: Reduction, adds: bool) -> list[str]:
        """out = the elements along some axes, combined, or out += that."""
        kept, combined = loops_of_reduction(statement)
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

    def _expressions(self, loops: Sequence[Loop]) -> JSExpressions:
        """The text of scalars inside some loops."""
        names = {loop.axes[-1][0]: variable(place) for place, loop in enumerate(loops)}

        def address(place: Place, values: JSExpressions) -> str:
            name, offset = self.pointer(place.slot)
            if offset is None:
                return name
            terms = [times(step, index) for axis, index in names.items()
                     if axis < place.slot.ndim and (step := place.slot.strides[axis])]  # fmt: skip
            terms += [times(step, values.part(index)) for step, index in place.terms]
            terms += [str(offset)] if offset else []
            return f"{name}[{' + '.join(terms) or '0'}]"

        return JSExpressions(address, lambda axis: names.get(axis, "0"), self.used)


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
