"""Maps and reductions in C: plain loops, which compilers turn into vector instructions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING

from graphnet.compile.lower.axes import Loop, loops_of_map, loops_of_reduction
from graphnet.compile.lower.scalars import Place, loads
from graphnet.compile.targets.c.expressions import TYPES, CExpressions, number, wrapped
from graphnet.compile.targets.c.names import comment
from graphnet.compile.targets.printing.expressions import times
from graphnet.compile.targets.printing.lines import FEW, SIMD, Text, loop_head, variable

if TYPE_CHECKING:
    from torch import dtype

    from graphnet.compile.lower.loops import Map, Reduction
    from graphnet.compile.plan.slots import Slot

Pointer = Callable[["Slot"], "tuple[str, int]"]
"""The name of a piece of memory, and how many elements after it a slot begins."""

ROWS = 4
"""Rows that are added to each other before their sum is added to a result: it rounds less, and a
result is loaded and stored less often."""
BLOCK = 1024
"""Numbers that are added up before their sum is added to others."""
ADDED = {"add": "+", "mul": "*"}


class LoopPrinter:
    """The lines of maps and reductions.

    Attributes:
        pointer: where slots begin.
        used: the functions of the prelude that are called; grows.
        lanes: the numbers of float that a vector holds.
    """

    def __init__(self, pointer: Pointer, used: set[str], lanes: int) -> None:
        self.pointer, self.used, self.lanes = pointer, used, lanes

    def map(self, statement: Map) -> list[str]:
        """out = element."""
        maps, loops = (statement, *statement.then), loops_of_map(statement)
        independent = not (statement.adds or statement.in_order)
        text = Text()
        with text.loops(loops, simd=SIMD if independent else "", lanes=self.lanes):
            node = statement.node
            for each in maps:
                if each.node is not node:
                    node = each.node
                    text.add(f"/* {comment(node)} */")
                lines = self._stored(each, loops)
                has_names = len(lines) > 1 and (not loops or len(maps) > 1)
                with text.block() if has_names else text.loops([]):
                    text.add(*lines)
        return text.lines

    def _stored(self, statement: Map, loops: Sequence[Loop]) -> list[str]:
        """The lines that compute an element, and store it."""
        values = self._expressions(loops)
        element = values.text(statement.element)
        out = values.address(statement.out, values)
        if statement.adds:
            return [*values.lines, _added(out, "+", element, statement.out.slot.dtype)]
        return [*values.lines, f"{out} = {element};"]

    def reduction(self, statement: Reduction) -> list[str]:
        """out = the elements along some axes, combined."""
        kept, combined = loops_of_reduction(statement)
        if _runs_along_kept(statement, kept, combined):
            return self._in_memory(statement, kept, combined)
        return self._in_register(statement, kept, combined)

    def _in_memory(self, statement: Reduction, kept: list[Loop], combined: list[Loop]) -> list[str]:
        """Combine rows of results, which vectors run along."""
        text, (*around, inner), (*outer, _) = Text(), kept, combined
        loops = [*around, *combined, inner]
        values, depth = self._expressions(loops), len(loops) - 1
        total = values.address(Place(statement.out), values)
        best = total if statement.best is None else values.address(Place(statement.best), values)
        # A block of its own: `at` is not that of another reduction.
        with text.loops(around), text.block() if not around and statement.best else text.loops([]):
            with text.loops([inner], depth, SIMD, self.lanes):
                text.add(*self._begin(statement, best, total))
            if statement.best is not None:
                text.add("int32_t at = 0;")
            with text.loops(outer, len(around)):
                for head, lines in self._rows(statement, loops, best, total):
                    with text.block(head):
                        with text.loops([inner], depth, SIMD, self.lanes):
                            text.add(*lines)
                        if statement.best is not None:
                            text.add("at++;")
        return text.lines

    def _rows(
        self, statement: Reduction, loops: list[Loop], best: str, total: str
    ) -> Iterator[tuple[str, list[str]]]:
        """The loops over rows of elements, and what each does with an element of its rows."""
        row, at = loops[-2], variable(len(loops) - 2)
        values, done = self._expressions(loops), 0
        lines = self._combine(statement, best, total, values.text(statement.element))
        if _rounds(statement) and not values.lines and row.size >= 2 * ROWS:
            done = row.size // ROWS * ROWS
            a, b, c, d = (
                self._expressions(loops, {row.axes[-1][0]: place}).term(statement.element)
                for place in (at, *(f"({at} + {n})" for n in range(1, ROWS)))
            )
            yield loop_head(at, done, ROWS), [f"{total} += ({a} + {b}) + ({c} + {d});"]
        if done < row.size:
            yield loop_head(at, row.size, start=done), [*values.lines, *lines]

    def _in_register(
        self, statement: Reduction, kept: list[Loop], combined: list[Loop]
    ) -> list[str]:
        """Combine into one variable, for each result."""
        text, values = Text(), self._expressions([*kept, *combined])
        element = values.text(statement.element)
        is_exact = not statement.out.dtype.is_floating_point  # compilers may reorder it themselves
        sign = None if is_exact else ADDED.get(statement.function)
        simd = f"{SIMD} reduction({sign}:total)" if sign else ""
        with text.loops(kept), text.block() if not kept else text.loops([]):
            if statement.best is not None:
                text.add("int32_t at = 0;")
            kinds = [TYPES[each.dtype] for each in (statement.best, statement.out) if each]
            lines = zip(kinds, self._begin(statement, "best", "total"), strict=True)
            text.add(*(f"{kind} {line}" for kind, line in lines))
            if _rounds(statement) and combined and combined[-1].size > BLOCK:
                terms = [*values.lines, f"part += {element};"]
                _sum_in_blocks(text, statement, combined, len(kept), terms)
            else:
                with text.loops(combined, len(kept), simd):
                    text.add(*values.lines, *self._combine(statement, "best", "total", element))
                    if statement.best is not None:
                        text.add("at++;")
            text.add(f"{values.address(Place(statement.out), values)} = total;")
            if statement.best is not None:
                text.add(f"{values.address(Place(statement.best), values)} = best;")
        return text.lines

    def _begin(self, statement: Reduction, best: str, total: str) -> list[str]:
        """What a result begins with."""
        if statement.best is None:
            return [f"{total} = {_neutral(statement.function, statement.out.dtype)};"]
        extreme = "minimum" if statement.function == "argmin" else "maximum"
        return [f"{best} = {_neutral(extreme, statement.best.dtype)};", f"{total} = 0;"]

    def _combine(self, statement: Reduction, best: str, total: str, element: str) -> list[str]:
        """The lines that add an element to a result."""
        function = statement.function
        if statement.best is not None:
            return _place_lines(statement, statement.best.dtype, best, total, element)
        if function in ADDED:
            return [_added(total, ADDED[function], element, statement.out.dtype)]
        if function in ("and", "or"):
            return [f"{total} = {total} {'&' if function == 'and' else '|'} ({element});"]
        name = f"{function}_{TYPES[statement.out.dtype]}"
        self.used.add(name)
        return [f"{total} = {name}({total}, {element});"]

    def _expressions(
        self, loops: Sequence[Loop], instead: Mapping[int, str] | None = None
    ) -> CExpressions:
        """The text of scalars inside some loops; a place may have another text than its loop."""
        names = {loop.axes[-1][0]: variable(place) for place, loop in enumerate(loops)}
        names |= instead or {}

        def address(place: Place, values: CExpressions) -> str:
            name, offset = self.pointer(place.slot)
            terms = [str(offset)] if offset else []
            for axis, index in names.items():
                step = place.slot.strides[axis] if axis < place.slot.ndim else 0
                terms += [times(step, index)] if step else []
            terms += [times(step, values.part(index)) for step, index in place.terms]
            return f"{name}[{' + '.join(terms) or '0'}]"

        return CExpressions(address, lambda axis: names.get(axis, "0"), self.used)


def _rounds(statement: Reduction) -> bool:
    """True for a sum that depends on the order in which numbers are added."""
    return statement.function == "add" and statement.out.dtype.is_floating_point


def _added(to: str, sign: str, element: str, of: dtype) -> str:
    """The line that adds an element to what is there, or multiplies it."""
    if of.is_floating_point:
        return f"{to} {sign}= {element};"
    term = f"({element})" if " " in element else element
    return f"{to} = {wrapped(sign, to, term, TYPES[of])};"


def _sum_in_blocks(
    text: Text, statement: Reduction, loops: list[Loop], first: int, lines: list[str]
) -> None:
    """A long sum as a sum of shorter ones, in double: none is added to one that is far larger."""
    *around, inner = loops
    i, size = variable(first + len(around)), inner.size
    kind = TYPES[statement.out.dtype]
    text.add("double sum_double = 0;")
    with (
        text.loops(around, first),
        text.block(f"for (int {i}0 = 0; {i}0 < {size}; {i}0 += {BLOCK})"),
    ):
        text.add(f"const int {i}1 = {size} - {i}0 < {BLOCK} ? {size} : {i}0 + {BLOCK};")
        text.add(f"{kind} part = 0;", f"{SIMD} reduction(+:part)")
        with text.block(f"for (int {i} = {i}0; {i} < {i}1; {i}++)"):
            text.add(*lines)
        text.add("sum_double += part;")
    text.add(f"total = ({kind})sum_double;")


def _runs_along_kept(statement: Reduction, kept: list[Loop], combined: list[Loop]) -> bool:
    """True if vectors run along the last kept axis rather than along the combined ones."""
    if not kept or kept[-1].size < FEW or not combined:
        return False
    axis, last = kept[-1].axes[-1][0], combined[-1].axes[-1][0]
    strides = [each.place.slot.strides for each in loads(statement.element)]
    if statement.best is not None and statement.best.strides != statement.out.strides:
        return False
    along = all(each[axis] in (0, 1) for each in strides)
    across = all(each[last] in (0, 1) for each in strides)
    return along and (not across or combined[-1].size < kept[-1].size)


def _place_lines(statement: Reduction, of: dtype, best: str, total: str, element: str) -> list[str]:
    """The lines that keep the place of the extreme.

    What is known so far is read first: of a choice that may leave memory as it is, compilers make
    a jump around the write.
    """
    function = statement.function
    sign = "<" if function == "argmin" else ">"
    better = f"other {sign} known"
    if of.is_floating_point:
        first = "" if function == "argmax_of_window" else " & (known == known)"
        # A sum, where "or" is meant: of "or", gcc makes a jump, and no vector instructions.
        better = f"({better}) + ((other != other){first})"
    return [
        f"const {TYPES[of]} other = {element}, known = {best};",
        f"const {TYPES[statement.out.dtype]} before = {total};",
        f"const bool better = {better};",
        f"{total} = better ? at : before;",
        f"{best} = better ? other : known;",
    ]


def _neutral(function: str, dtype: dtype) -> str:
    """What leaves any other number as it is."""
    if function in ("and", "or"):
        return "true" if function == "and" else "false"
    if function in ADDED:
        return number(0 if function == "add" else 1, dtype)
    lowest = function == "maximum"
    if dtype.is_floating_point:
        return number(-inf if lowest else inf, dtype)
    kind = TYPES[dtype]
    if kind == "bool":
        return "false" if lowest else "true"
    limit = kind.removesuffix("_t").upper()
    if lowest:
        return "0" if kind.startswith("u") else f"{limit}_MIN"
    return f"{limit}_MAX"
