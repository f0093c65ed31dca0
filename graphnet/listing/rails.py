"""Rails like those of a log graph: what reads what, as characters before the lines of a text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

WIDEST = 20  # rails drawn side by side; anything further right is shown as "…"
MARKS = {"input": "○", "parameter": "□", "buffer": "◇", "loss": "◎", "layer": "■", "module": "■"}
NO_MARK = "●"


def drawn(kinds: Sequence[str], sources: Sequence[Collection[int]]) -> list[str]:
    """The rails of each line.

    A value runs down its rail until its last reader; a line across joins a reader to its inputs.

    Args:
        kinds: the kind of each line, which determines its mark.
        sources: the lines that each line reads; all of them are above it.

    >>> for line in drawn(["input", "operation", "loss"], [(), (0,), (0, 1)]):
    ...     print(line)
    ○
    ├─●
    ◎─╯
    """
    unread = [0] * len(kinds)
    for read in sources:
        for source in read:
            unread[source] += 1
    rails = Rails(unread=unread)
    return [
        rails.step(place, MARKS.get(kind, NO_MARK), read)
        for place, (kind, read) in enumerate(zip(kinds, sources, strict=True))
    ]


@dataclass
class Rails:
    """The rails between two lines: which line each of them continues.

    Attributes:
        columns: the place of the line whose rail this is; None for a free one.
        of: the rail of each line that is still to be read.
        free: the free rails, the leftmost first.
        unread: how many lines have yet to read each line.
        hidden: how many rails in use lie too far right to be drawn.
    """

    columns: list[int | None] = field(default_factory=list)
    of: dict[int, int] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)
    hidden: int = 0

    def step(self, place: int, mark: str, sources: Collection[int]) -> str:
        """Draw the line at a place, which reads these before it, and continue below it."""
        reads = {self.of[source]: source for source in sources}
        for source in sources:
            self.unread[source] -= 1
        ended = sorted(column for column, source in reads.items() if not self.unread[source])
        for column in ended:
            del self.of[reads[column]]
        own = ended[0] if ended else heappop(self.free) if self.free else len(self.columns)
        if own == len(self.columns):
            self.columns.append(None)
        self.hidden += own >= WIDEST and own not in ended
        line = self._line(own, mark, reads, set(ended))
        for column in ended[1:]:
            self._release(column)
        self.columns[own] = place
        self.of[place] = own
        if not self.unread[place]:
            del self.of[place]
            self._release(own)
        return line

    def _release(self, column: int) -> None:
        self.hidden -= column >= WIDEST
        self.columns[column] = None
        heappush(self.free, column)

    def _line(self, own: int, mark: str, reads: Collection[int], ended: set[int]) -> str:
        """The characters of a line: rails, its mark, and what joins it to others."""
        left, right = min([own, *reads]), max([own, *reads])
        text = ""
        for column in range(min(len(self.columns), WIDEST)):
            if column == own:
                text += mark
            elif column in reads:
                ends = (column == left) + 2 * (column == right)
                text += ("┴╰╯" if column in ended else "┼├┤")[ends]
            elif self.columns[column] is not None:
                text += "│"
            else:
                text += "─" if left < column < right else " "
            text += "─" if left <= column < right else " "
        return (text + "…" if self.hidden else text).rstrip()
