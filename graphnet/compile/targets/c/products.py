"""Contractions in C: loops around calls of tiles."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from graphnet.compile.targets.c.expressions import TYPES
from graphnet.compile.targets.c.tiles import Kind, dots_name, tile_name
from graphnet.compile.targets.printing.lines import Text, loop_head

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

    @property
    def strides(self) -> tuple[int, int, int, int]:
        """Those of the factors, of the result, and of what it starts with."""
        return self.x, self.y, self.out, self.start

    def by(self, piece: Piece) -> Axis:
        """The axis in steps of a tile."""
        return Axis(piece.count, *(each * piece.width for each in self.strides))

    def divided(self, count: int) -> tuple[Axis, Axis]:
        """A part of the axis, and the axis in steps of parts."""
        size = self.size // count
        return replace(self, size=size), Axis(count, *(each * size for each in self.strides))

    def lengthened(self, others: list[Axis]) -> Axis:
        """With all axes through which its strides lead on; they are taken out of the list."""
        axis = self
        while axis.size > 1:
            end = tuple(each * axis.size for each in axis.strides)
            after = next((each for each in others if each.strides == end), None)
            if after is None:
                break
            others.remove(after)
            axis = Axis(axis.size * after.size, *axis.strides)
        return axis


@dataclass(frozen=True)
class Piece:
    """Equal tiles along an axis.

    Attributes:
        first: where they begin.
        count: how many there are.
        width: how many places each covers.
        kind: the vectors of a tile, for columns.
        vectors: how many of them a tile has side by side.
        last: where the last of them begins.
    """

    first: int
    count: int
    width: int
    kind: Kind | None = None
    vectors: int = 1
    last: int = 0


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
        self.summed = _merged(summed)
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
            for rows in _row_pieces(self.rows.size, columns.vectors, self._most_rows(columns)):
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
            return _dots_size(kind)[0]
        return min(kind.sums // columns.vectors, 12 if kind.lanes > 1 else 6)

    def _column_pieces(self) -> list[Piece]:
        if self.columns is not None:
            most = _dots_size(self.kind)[1]
            return [
                Piece(p.first, p.count, p.width, self.kind, p.width)
                for p in _row_pieces(self.columns.size, 2, most)
            ]
        if self.vector is None:
            return [Piece(0, 1, 1, Kind(self.kind.of, 1))]
        return _vector_pieces(self.vector.size, self.kind)


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


def _dots_size(kind: Kind) -> tuple[int, int]:
    """How many rows and columns of sums fit into the registers."""
    return (6, 4) if kind.sums == 24 else (3, 3) if kind.lanes > 1 else (2, 2)


def _row_pieces(size: int, columns: int, most: int) -> list[Piece]:
    """Tiles of equal height, and a last one of what is left; no sum waits for the one before."""

    def tile(rows: int) -> float:
        return max(rows * columns / 2, 4) + 0.5

    def cost(rows: int) -> float:
        whole, rest = divmod(size, rows)
        return whole * tile(rows) + (tile(rest) + 0.5 if rest else 0)

    rows = min(range(1, min(most, size) + 1), key=lambda each: (cost(each), -each))
    whole, rest = divmod(size, rows)
    pieces = [Piece(0, whole, rows)]
    if rest:
        pieces.append(Piece(whole * rows, 1, rest))
    return pieces


def _vector_pieces(size: int, kind: Kind) -> list[Piece]:
    """Columns as tiles of a few vectors, the larger ones last.

    Only the last two vectors of all may overlap, and those are of one tile: so nothing is added
    twice.
    """
    lanes = kind.lanes
    while lanes > size:
        lanes //= 2
    kind, vectors = Kind(kind.of, lanes), -(-size // lanes)
    tiles = -(-vectors // (4 if kind.sums == 24 else 2))
    fewer, more = vectors // tiles, vectors % tiles
    pieces: list[Piece] = []
    first = 0
    for count, each in ((tiles - more, fewer), (more, fewer + 1)):
        if count:
            pieces.append(Piece(first, count, each * lanes, kind, each, (each - 1) * lanes))
            first += count * each * lanes
    if first == size:
        return pieces
    piece = pieces.pop()  # its last vector ends where the columns end
    if piece.count > 1:
        pieces.append(replace(piece, count=piece.count - 1))
    first -= piece.width
    return [*pieces, Piece(first, 1, size - first, kind, piece.vectors, size - first - lanes)]
