"""Maps and reductions in C: plain loops, which compilers turn into vector instructions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from graphnet.compile.lower.axes import Loop, all_places, loops_over, positions
from graphnet.compile.lower.loops import Map, Reduction
from graphnet.compile.lower.scalars import Place
from graphnet.compile.plan.slots import Slot
from graphnet.compile.targets.c.expressions import TYPES, Expressions, number

Pointer = Callable[[Slot], "tuple[str, int]"]
"""The name of a piece of memory, and how many elements after it a slot begins."""

SIMD = "#pragma omp simd"
"""The turns of the loop after it do not depend on each other, whatever memory they use."""
FEW = 4
"""Loops of fewer turns are not worth vectors."""
ADDED = {"add": "+", "mul": "*"}


class LoopPrinter:
    """The lines of maps and reductions.

    Attributes:
        pointer: where slots begin.
        used: the functions of the prelude that are called; grows.
    """

    def __init__(self, pointer: Pointer, used: set[str]) -> None:
        self.pointer, self.used = pointer, used

    # maps

    def map(self, statement: Map) -> Iterator[str]:
        """out = element."""
        places = [statement.out, *all_places(statement.element)]
        for _, index in statement.out.terms:
            places += all_places(index)
        strides = [each.slot.strides for each in places]
        fixed = positions(statement.element)
        for _, index in statement.out.terms:
            fixed |= positions(index)
        loops = loops_over(statement.sizes, range(len(statement.sizes)), strides, fixed)
        text = self._expressions(loops)
        element = text.text(statement.element)
        sign = "+=" if statement.adds else "="
        body = [*text.lines, f"{text.address(statement.out, text)} {sign} {element};"]
        simple = not (statement.adds or statement.in_order)
        yield from self._nest(loops, body, SIMD if simple else "")

    def _nest(self, loops: Sequence[Loop], body: Sequence[str], simd: str = "") -> Iterator[str]:
        depth = 0
        for place, loop in enumerate(loops):
            if simd and place == len(loops) - 1 and loop.size >= FEW:
                yield "  " * depth + simd
            brace = " {" if place == len(loops) - 1 and len(body) > 1 else ""
            yield "  " * depth + _for(_name(place), loop.size) + brace
            depth += 1
        if not loops and len(body) > 1:
            yield "{"
            depth = 1
        yield from ("  " * depth + line for line in body)
        if len(body) > 1:
            yield "  " * (depth - 1) + "}"

    # reductions

    def reduction(self, statement: Reduction) -> Iterator[str]:
        """out = the elements along some axes, combined."""
        kept, combined = self._reduction_loops(statement)
        if statement.function.startswith("arg"):
            yield from self._argument(statement, kept, combined)
        elif self._runs_along_kept(statement, kept, combined):
            yield from self._in_memory(statement, kept, combined)
        else:
            yield from self._in_register(statement, kept, combined)

    def _reduction_loops(self, statement: Reduction) -> tuple[list[Loop], list[Loop]]:
        sizes, count = statement.sizes, statement.kept
        read = [each.slot.strides for each in all_places(statement.element)]
        out = (*statement.out.strides, *[0] * (len(sizes) - count))
        fixed = positions(statement.element)
        kept = loops_over(sizes, range(count), [out, *read], fixed)
        in_order = statement.function.startswith("arg")
        rest = range(count, len(sizes))
        return kept, loops_over(sizes, rest, read or [out], fixed, sort=not in_order)

    def _runs_along_kept(
        self, statement: Reduction, kept: list[Loop], combined: list[Loop]
    ) -> bool:
        """True if vectors run along the last kept axis rather than along the combined ones."""
        if not kept or kept[-1].size < FEW or not combined:
            return False
        axis, last = kept[-1].axes[-1][0], combined[-1].axes[-1][0]
        strides = [each.slot.strides for each in all_places(statement.element)]
        along = all(each[axis] in (0, 1) for each in strides)
        across = all(each[last] in (0, 1) for each in strides)
        return along and (not across or combined[-1].size < kept[-1].size)

    def _in_memory(
        self, statement: Reduction, kept: list[Loop], combined: list[Loop]
    ) -> Iterator[str]:
        """Combine rows of results, which vectors run along."""
        *around, inner = kept
        text = self._expressions([*around, *combined, inner])
        element = text.text(statement.element)
        out = text.address(_out(statement), text)
        begin = f"{out} = {_start(statement)};"
        body = [*text.lines, self._combined(statement, out, element)]
        depth = 0
        for place, loop in enumerate(around):
            brace = " {" if place == len(around) - 1 else ""
            yield "  " * depth + _for(_name(place), loop.size) + brace
            depth += 1
        last = _name(len(around) + len(combined))
        yield "  " * depth + SIMD
        yield "  " * depth + _for(last, inner.size)
        yield "  " * (depth + 1) + begin
        shifted = len(around)
        for place, loop in enumerate(combined):
            yield "  " * (depth + place) + _for(_name(shifted + place), loop.size)
        deep = depth + len(combined)
        yield "  " * deep + SIMD
        brace = " {" if len(body) > 1 else ""
        yield "  " * deep + _for(last, inner.size) + brace
        yield from ("  " * (deep + 1) + line for line in body)
        if brace:
            yield "  " * deep + "}"
        if around:
            yield "  " * (depth - 1) + "}"

    def _in_register(
        self, statement: Reduction, kept: list[Loop], combined: list[Loop]
    ) -> Iterator[str]:
        """Combine into one variable, for each result."""
        text = self._expressions([*kept, *combined])
        element = text.text(statement.element)
        kind = TYPES[statement.out.dtype]
        body = [*text.lines, self._combined(statement, "total", element)]
        depth = 0
        for place, loop in enumerate(kept):
            brace = " {" if place == len(kept) - 1 else ""
            yield "  " * depth + _for(_name(place), loop.size) + brace
            depth += 1
        if not kept:
            yield "{"
            depth = 1
        yield "  " * depth + f"{kind} total = {_start(statement)};"
        added = statement.function in ADDED
        simd = f"{SIMD} reduction({ADDED[statement.function]}:total)" if added else ""
        shifted = len(kept)
        for place, loop in enumerate(combined):
            if simd and place == len(combined) - 1 and loop.size >= FEW:
                yield "  " * (depth + place) + simd
            brace = " {" if place == len(combined) - 1 and len(body) > 1 else ""
            yield "  " * (depth + place) + _for(_name(shifted + place), loop.size) + brace
        deep = depth + len(combined)
        yield from ("  " * deep + line for line in body)
        if len(body) > 1 and combined:
            yield "  " * (deep - 1) + "}"
        yield "  " * depth + f"{text.address(_out(statement), text)} = total;"
        yield "  " * (depth - 1) + "}"

    def _argument(
        self, statement: Reduction, kept: list[Loop], combined: list[Loop]
    ) -> Iterator[str]:
        """The place of the extreme element, for each result."""
        text = self._expressions([*kept, *combined])
        element = text.text(statement.element)
        kind, floating = TYPES[statement.element.dtype], statement.element.dtype.is_floating_point
        sign = "<" if statement.function == "argmin" else ">"
        nan = ""
        if floating:
            first = " && best == best" if statement.function != "argmax_of_window" else ""
            nan = f" || (x != x{first})"
        depth = 0
        for place, loop in enumerate(kept):
            brace = " {" if place == len(kept) - 1 else ""
            yield "  " * depth + _for(_name(place), loop.size) + brace
            depth += 1
        if not kept:
            yield "{"
            depth = 1
        yield "  " * depth + f"{kind} best = 0;"
        yield "  " * depth + "int64_t at = 0, place = 0;"
        shifted = len(kept)
        for place, loop in enumerate(combined):
            brace = " {" if place == len(combined) - 1 else ""
            yield "  " * (depth + place) + _for(_name(shifted + place), loop.size) + brace
        deep = depth + len(combined)
        yield from ("  " * deep + line for line in text.lines)
        yield "  " * deep + f"const {kind} x = {element};"
        yield "  " * deep + f"if (at == 0 || x {sign} best{nan}) {{"
        yield "  " * (deep + 1) + "best = x;"
        yield "  " * (deep + 1) + "place = at;"
        yield "  " * deep + "}"
        yield "  " * deep + "at++;"
        if combined:
            yield "  " * (deep - 1) + "}"
        yield "  " * depth + f"{text.address(_out(statement), text)} = place;"
        yield "  " * (depth - 1) + "}"

    def _combined(self, statement: Reduction, total: str, element: str) -> str:
        """The statement that adds an element to a result."""
        function = statement.function
        if function in ADDED:
            return f"{total} {ADDED[function]}= {element};"
        if function in ("and", "or"):
            return f"{total} = {total} {'&' if function == 'and' else '|'} ({element});"
        name = f"{function}_{TYPES[statement.out.dtype]}"
        self.used.add(name)
        return f"{total} = {name}({total}, {element});"

    # addresses

    def _expressions(self, loops: Sequence[Loop]) -> Expressions:
        names = {loop.axes[-1][0]: _name(place) for place, loop in enumerate(loops)}

        def position(axis: int) -> str:
            return names.get(axis, "0")

        def address(place: Place, text: Expressions) -> str:
            name, offset = self.pointer(place.slot)
            terms = [] if offset == 0 else [str(offset)]
            for axis, variable in names.items():
                step = place.slot.strides[axis] if axis < place.slot.ndim else 0
                if step:
                    terms.append(variable if step == 1 else f"{step} * {variable}")
            for step, index in place.terms:
                inner = text._text(index)
                terms.append(inner if step == 1 else f"{step} * {inner}")
            return f"{name}[{' + '.join(terms) or '0'}]"

        return Expressions(address, position, self.used)


def _out(statement: Reduction) -> Place:
    return Place(statement.out)


def _start(statement: Reduction) -> str:
    """What a result begins with: what leaves any other number as it is."""
    dtype, function = statement.out.dtype, statement.function
    if function in ("and", "or"):
        return "true" if function == "and" else "false"
    if function in ADDED:
        return number(0 if function == "add" else 1, dtype)
    lowest = function == "maximum"
    if dtype.is_floating_point:
        return "-INFINITY" if lowest else "INFINITY"
    kind = TYPES[dtype]
    if kind == "bool":
        return "false" if lowest else "true"
    limit = kind.removesuffix("_t").upper()
    if lowest:
        return "0" if kind.startswith("u") else f"{limit}_MIN"
    return f"{limit}_MAX"


def _name(place: int) -> str:
    """The variable of a loop."""
    return "ijklmnop"[place]


def _for(name: str, size: int) -> str:
    return f"for (int {name} = 0; {name} < {size}; {name}++)"


