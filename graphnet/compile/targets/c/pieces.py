"""Axes of a contraction, and the pieces that they are divided into, each of equal tiles."""

from __future__ import annotations

from dataclasses import dataclass, replace

from graphnet.compile.targets.c.tiles import Kind


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


def merged(axes: list[Axis]) -> list[Axis]:
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


def dots_size(kind: Kind) -> tuple[int, int]:
    """How many rows and columns of sums fit into the registers."""
    return (6, 4) if kind.sums == 24 else (3, 3) if kind.lanes > 1 else (2, 2)


def row_pieces(size: int, columns: int, most: int) -> list[Piece]:
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


def vector_pieces(size: int, kind: Kind) -> list[Piece]:
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
