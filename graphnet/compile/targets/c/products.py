"""Contractions in C: loops around calls of tiles."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphnet.compile.targets.c.expressions import TYPES
from graphnet.compile.targets.c.text import Text, loop_head
from graphnet.compile.targets.c.tiles import Kind, dots_name, tile_name

if TYPE_CHECKING:
    from graphnet.compile.lower.loops import Contraction
    from graphnet.compile.plan.slots import Slot

Pointer = Callable[["Slot", str], str]
"""The text of the address of the first element of a slot, plus an offset."""


@dataclass
class Axis:
    """An axis of a contraction.

    Attributes:
        size: how many places it has.
        x: the stride of the first factor, and so on.
    """

    size: int
    x: int
    y: int
    out: int
    start: int

    def by(self, piece: Piece) -> Axis:
        """The axis in steps of a tile."""
        steps = (each * piece.width for each in (self.x, self.y, self.out, self.start))
        return Axis(piece.count, *steps)


@dataclass(frozen=True)
class Piece:
    """Equal tiles along an axis.

    Attributes:
        first: where they begin.
        count: how many there are.
        width: how many places each covers.
        kind: the vectors of a tile, for columns.
        vectors: how many of them a tile has side by side.
        step: how far apart these begin.
    """

    first: int
    count: int
    width: int
    kind: Kind | None = None
    vectors: int = 1
    step: int = 0


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
        self.summed = _merged([axes[p] for p in range(statement.kept, len(axes)) if p != vector])
        kept = [axes[p] for p in range(statement.kept) if p != vector]
        self.vector = None if vector is None else axes[vector]
        self.is_dots = vector is not None and vector >= statement.kept
        self.rows = self._take(kept, lambda each: each.x != 0 and each.y == 0)
        self.columns = (
            self._take(kept, lambda each: each.x == 0 and each.y != 0) if self.is_dots else None
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
        text, at = Text(), {name: axis for axis, name in loops}
        with text.block(), ExitStack() as blocks:
            text.add(f"static const Strides s = {self._strides(inner)};")
            for axis, name in loops:
                blocks.enter_context(text.block(loop_head(name, axis.size)))
            self._calls(text, at, self.statement.adds)
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

    def _calls(self, text: Text, around: dict[str, Axis], adds: bool) -> None:
        """The calls of tiles inside the outer loops."""
        for columns in self._column_pieces(adds):
            for rows in _row_pieces(self.rows.size, columns.vectors, self._most_rows()):
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
        return f"{tile_name(kind, width, columns.vectors)}(&s, {columns.step}, {', '.join(given)});"

    def _column_axis(self) -> Axis:
        if self.columns is not None:
            return self.columns
        return self.vector or Axis(1, 0, 0, 0, 0)

    def _most_rows(self) -> int:
        return _dots_size(self.kind.lanes) if self.is_dots else 6

    def _column_pieces(self, adds: bool) -> list[Piece]:
        if self.columns is not None:
            most = _dots_size(self.kind.lanes)
            return [
                Piece(p.first, p.count, p.width, self.kind, p.width)
                for p in _row_pieces(self.columns.size, 2, most)
            ]
        if self.vector is None:
            return [Piece(0, 1, 1, Kind(self.kind.of, 1))]
        return _vector_pieces(self.vector.size, self.kind, adds)


def _merged(axes: list[Axis]) -> list[Axis]:
    """Summed axes, with those that one stride leads through as one."""
    found: list[Axis] = []
    for each in axes:
        if each.size == 1:
            continue
        if found:
            last = found[-1]
            if last.x == each.x * each.size and last.y == each.y * each.size:
                found[-1] = Axis(last.size * each.size, each.x, each.y, 0, 0)
                continue
        found.append(each)
    return found


def _dots_size(lanes: int) -> int:
    """How many rows and columns of sums fit into the registers."""
    return 4 if lanes >= 16 else 3 if lanes > 1 else 2


def _row_pieces(size: int, columns: int, most: int) -> list[Piece]:
    """Tiles of equal height, and a last one of what is left; no sum waits for the one before."""

    def cost(rows: int) -> float:
        whole, rest = divmod(size, rows)
        return whole * (max(rows * columns / 2, 4) + 0.5) + bool(rest) * (
            max(rest * columns / 2, 4) + 0.5
        )

    rows = min(range(1, min(most, size) + 1), key=lambda each: (cost(each), -each))
    whole, rest = divmod(size, rows)
    pieces = [Piece(0, whole, rows)]
    if rest:
        pieces.append(Piece(whole * rows, 1, rest))
    return pieces


def _vector_pieces(size: int, kind: Kind, adds: bool) -> list[Piece]:
    """Columns as pairs of vectors; the last ones overlap if nothing is added twice by that."""
    lanes = kind.lanes
    if size >= lanes and not adds:
        pairs, rest = divmod(size, 2 * lanes)
        pieces = [Piece(0, pairs, 2 * lanes, kind, 2, lanes)] if pairs else []
        first = pairs * 2 * lanes
        if rest > lanes:
            pieces.append(Piece(first, 1, rest, kind, 2, rest - lanes))
        elif rest:
            pieces.append(Piece(size - lanes, 1, lanes, kind, 1, lanes))
        return pieces
    pieces, first = [], 0
    while first < size:
        while lanes > size - first:
            lanes //= 2
        vectors = 2 if size - first >= 2 * lanes else 1
        width = vectors * lanes
        count = (size - first) // width
        pieces.append(Piece(first, count, width, Kind(kind.of, lanes), vectors, lanes))
        first += count * width
    return pieces
