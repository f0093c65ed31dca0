"""Contractions in C: loops around calls of tiles."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from graphnet.compile.targets.c.expressions import TYPES
from graphnet.compile.targets.c.pieces import (
    Axis,
    Piece,
    dots_size,
    merged,
    row_pieces,
    vector_pieces,
)
from graphnet.compile.targets.c.tiles import Kind, dots_name, tile_name
from graphnet.compile.targets.printing.lines import Text, loop_head

if TYPE_CHECKING:
    from graphnet.compile.lower.loops import Contraction
    from graphnet.compile.plan.slots import Slot

Pointer = Callable[["Slot", str], str]
"""The text of the address of the first element of a slot, plus an offset."""


class ProductPrinter:
    """The lines of one contraction.

    Args:
        statement: what is printed.
        lanes: the numbers of a vector of float; of double half as many.
        pointer: the address of a slot.

    Attributes:
        tiles: the tiles that are called: kind, rows, columns, and whether they are dots.
    """

    def __init__(self, statement: Contraction, lanes: int, pointer: Pointer) -> None:
        of = TYPES[statement.out.dtype]
        self.kind = Kind(of, lanes if of == "float" else max(lanes // 2, 1))
        self.statement, self.pointer = statement, pointer
        self.tiles: set[tuple[Kind, int, int, bool]] = set()
        self._exchange()
        axes = [self._axis(place) for place in range(len(statement.sizes))]
        vector = statement.vector
        self.parts = None
        if statement.parts is not None:
            place, count = statement.parts
            axes[place], self.parts = axes[place].divided(count)
        summed = [axes[p] for p in range(statement.kept, len(axes)) if p != vector]
        kept = [axes[p] for p in range(statement.kept) if p != vector]
        self.is_dots = vector is not None and vector >= statement.kept
        along = summed if self.is_dots else kept
        self.vector = None if vector is None else axes[vector].lengthened(along)
        self.summed = merged(summed)
        beside = None if self.is_dots else self.vector
        self.rows = self._take(
            kept, lambda each: each.x != 0 and each.y == 0 and self._is_apart(each, beside)
        )
        self.columns = (
            self._take(
                kept, lambda each: each.x == 0 and each.y != 0 and self._is_apart(each, self.rows)
            )
            if self.is_dots
            else None
        )
        self.outer = [each for each in kept if each.size != 1]

    def _exchange(self) -> None:
        """Let vectors be read from the second factor, if only one has them."""
        vector, statement = self.statement.vector, self.statement
        if vector is not None and vector < statement.kept and statement.y.strides[vector] == 0:
            statement.x, statement.y = statement.y, statement.x

    def _axis(self, place: int) -> Axis:
        s = self.statement
        out = s.out.strides[place] if place < s.kept else 0
        start = s.start.strides[place] if s.start is not None and place < s.kept else 0
        return Axis(s.sizes[place], s.x.strides[place], s.y.strides[place], out, start)

    def _is_apart(self, axis: Axis, beside: Axis | None) -> bool:
        """True if no two sums of a tile fall on one place: a tile reads all before it stores one.

        Windows overlap, so that a pixel gets sums along their columns and inside them.
        """
        if not self.statement.adds or axis.size == 1:
            return True
        if axis.out == 0 or beside is None:
            return axis.out != 0
        near, far = sorted((axis, beside), key=lambda each: each.out)
        return beside.size == 1 or far.out >= near.out * near.size

    @staticmethod
    def _take(axes: list[Axis], fits: Callable[[Axis], bool]) -> Axis:
        """The longest axis of a kind, taken out of a list; one place if there is none."""
        found = max((each for each in axes if fits(each)), key=lambda a: a.size, default=None)
        if found is None or found.size == 1:
            return Axis(1, 0, 0, 0, 0)
        axes.remove(found)
        return found

    def lines(self) -> list[str]:
        """The text."""
        inner = list(self.summed)
        if self.is_dots and self.vector is not None:
            inner.append(self.vector)
        around = inner[:-3]
        inner = [*([Axis(1, 0, 0, 0, 0)] * 3), *inner][-3:]
        loops = [(each, f"o{place}") for place, each in enumerate(self.outer)]
        if around:  # the sums begin with what is there: see `layouts.arranged`
            loops += [(each, f"k{place}") for place, each in enumerate(around)]
        if self.parts is not None:
            loops.insert(0, (self.parts, "p"))
        text, at = Text(), {name: axis for axis, name in loops}
        with text.block(), ExitStack() as blocks:
            text.add(f"static const Strides s = {self._strides(inner)};")
            for axis, name in loops:
                blocks.enter_context(text.block(loop_head(name, axis.size)))
            self._calls(text, at)
        return text.lines

    def _strides(self, inner: list[Axis]) -> str:
        def of(name: str) -> str:
            return "{" + ", ".join(str(getattr(each, name)) for each in inner) + "}"

        r, c, v = self.rows, self.columns, self.vector
        start_column = c.start if c is not None else v.start if v is not None else 0
        return (
            f"{{{of('size')}, {of('x')}, {of('y')}, {r.x}, {c.y if c else 0}, {r.start}, "
            f"{start_column}, {r.out}, {c.out if c else 0}}}"
        )

    def _calls(self, text: Text, around: dict[str, Axis]) -> None:
        """The calls of tiles inside the outer loops."""
        for columns in self._column_pieces():
            for rows in row_pieces(self.rows.size, columns.vectors, self._most_rows(columns)):
                at = dict(around)
                with ExitStack() as blocks:
                    for name, piece, axis in (
                        ("j", columns, self._column_axis()),
                        ("i", rows, self.rows),
                    ):
                        if piece.count > 1:
                            blocks.enter_context(text.block(loop_head(name, piece.count)))
                            at[name] = axis.by(piece)
                    text.add(self._call(columns, rows, at))

    def _call(self, columns: Piece, rows: Piece, at: dict[str, Axis]) -> str:
        s, first = self.statement, (columns.first, rows.first)
        column = self._column_axis()

        def address(slot: Slot | None, name: str) -> str:
            if slot is None:
                return "0"
            offset = first[0] * getattr(column, name) + first[1] * getattr(self.rows, name)
            terms = [f"{getattr(axis, name)} * {var}" for var, axis in at.items()
                     if getattr(axis, name)]  # fmt: skip
            return self.pointer(
                slot.as_strided((), (), slot.offset + offset), "".join(f" + {t}" for t in terms)
            )

        kind = columns.kind or self.kind
        width = rows.width
        self.tiles.add((kind, width, columns.vectors, self.is_dots))
        given = [address(s.x, "x"), address(s.y, "y"), address(s.start, "start"),
                 address(s.out, "out")]  # fmt: skip
        if self.is_dots:
            return f"{dots_name(kind, width, columns.vectors)}(&s, {', '.join(given)});"
        return f"{tile_name(kind, width, columns.vectors)}(&s, {columns.last}, {', '.join(given)});"

    def _column_axis(self) -> Axis:
        if self.columns is not None:
            return self.columns
        return self.vector or Axis(1, 0, 0, 0, 0)

    def _most_rows(self, columns: Piece) -> int:
        """How many rows a tile has at most, so that its sums stay in registers."""
        kind = columns.kind or self.kind
        if self.is_dots:
            return dots_size(kind)[0]
        return min(kind.sums // columns.vectors, 12 if kind.lanes > 1 else 6)

    def _column_pieces(self) -> list[Piece]:
        if self.columns is not None:
            most = dots_size(self.kind)[1]
            return [
                Piece(p.first, p.count, p.width, self.kind, p.width)
                for p in row_pieces(self.columns.size, 2, most)
            ]
        if self.vector is None:
            return [Piece(0, 1, 1, Kind(self.kind.of, 1))]
        return vector_pieces(self.vector.size, self.kind)
