"""The plain-text twin of a picture: rails like those of a log graph, one line for each box."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from graphnet.draw.building import scene_of
from graphnet.errors import counted
from graphnet.graph import Operation, Parameter
from graphnet.graph.table import text_table

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.draw.scene import Arrow, Box, Scene
    from graphnet.graph import Graph, Node

__all__ = ["graph_table", "rails"]

WIDEST = 20  # rails that are drawn side by side; what lies further right is shown by "…"
MARKS = {"input": "○", "parameter": "□", "buffer": "◇", "loss": "◎", "module": "■"}
NO_MARK = "●"


def rails(scene: Scene) -> str:
    """The scene as text, one line for each box: rails, place, kind, name, symbol, shape and note.

    A value runs down its rail until its last reader; a line across joins a box to what it reads.

    >>> import graphnet as gn
    >>> graph = gn.Graph()
    >>> x = graph.input((3,), name="x")
    >>> y = x * x.tanh()
    >>> print(rails(scene_of(graph)))
    ○    0  input      x           3
    ├─●  1  operation  tanh  tanh  3
    ●─╯  2  operation  mul   ×     3
    """
    if not scene.boxes:
        return ""
    notes = _sharing(scene)
    rows = [
        (drawn, *_cells(box, notes.get(box.key, [])))
        for drawn, box in zip(_drawn(scene), scene.boxes, strict=True)
    ]
    return text_table(rows)


def graph_table(graph: Graph) -> str:
    """The whole list as a table with rails: what there is of values and gradients included.

    Args:
        graph: the list. |top| and |grad| are Euclidean norms; bytes are those of both.

    >>> import graphnet as gn
    >>> graph = gn.Graph()
    >>> y = graph.input((3,), name="x").tanh()
    >>> print(graph_table(graph))
       #  kind       name  computes  inputs  shape
    ○  0  input      x                       3
    ●  1  operation  tanh  tanh      x       3
    """
    scene = scene_of(graph)
    header = ["", "#", "kind", "name", "computes", "inputs", "shape", "parameters"]
    header += ["bytes", "|top|", "|grad|"]
    drawn = zip(_drawn(scene), scene.boxes, graph, strict=True)
    rows = [[rail, *_entry(graph, box, node)] for rail, box, node in drawn]
    asked = [column < 7 or any(row[column] for row in rows) for column in range(len(header))]
    kept = [[text for text, ask in zip(row, asked, strict=True) if ask] for row in (header, *rows)]
    return text_table(kept, right=(1, *range(7, len(kept[0]))))


# cells


def _cells(box: Box, sharing: list[str]) -> tuple[str, ...]:
    """What the line of a box says behind the rails."""
    places = box.places
    place = str(places[0]) if len(places) == 1 else f"{places[0]}…{places[-1]}" if places else ""
    note = ", ".join(text for text in (box.note, *sharing) if text)
    name = ".".join((*box.path, box.name)) if len(places) == 1 else box.name
    return tuple(map(printable, (place, box.kind, name, box.symbol, box.shape, note)))


def _sharing(scene: Scene) -> dict[str, list[str]]:
    """For each box, which shared parameters it is, or reads once more."""
    uses: Counter[str] = Counter()
    reads: dict[str, list[Arrow]] = {}
    for arrow in scene.arrows:
        if arrow.sharing is not None:
            uses[arrow.source] += arrow.count
            reads.setdefault(arrow.target, []).append(arrow)
    notes = {box.key: _given(box, uses[box.key]) for box in scene.boxes if uses[box.key]}
    for key, arrows in reads.items():
        texts = [f"use {arrow.use} of shared {arrow.sharing}" for arrow in arrows if arrow.use]
        if len(texts) < len(arrows) or len(texts) > 2:
            numbers = {arrow.sharing for arrow in arrows}
            texts = [f"reads {counted(len(numbers), 'shared parameter')}"]
        notes.setdefault(key, []).extend(texts)
    return notes


def _given(box: Box, uses: int) -> list[str]:
    """What is said of a box whose parameters are shared, with other boxes if it is a module."""
    if len(box.places) > 1:
        return ["shares its parameters"]
    return [f"shared, used {counted(uses, 'time')}"]


def _entry(graph: Graph, box: Box, node: Node) -> list[str]:
    """The line of a node in the table of a list."""
    computes = node.op.name if isinstance(node, Operation) else ""
    inputs = ", ".join(graph.name_of(source) for source in node.inputs)
    numbers = f"{node.top.numel():,}" if isinstance(node, Parameter) else ""
    texts = [str(box.places[0]), box.kind, graph.name_of(node), computes, inputs, box.shape]
    tensors = [node.top if node.computed else None, node.grad]
    held = sum(each.numel() * each.element_size() for each in tensors if each is not None)
    return [*map(printable, texts), numbers, f"{held:,}" if held else "", *map(_norm, tensors)]


def _norm(tensor: Tensor | None) -> str:
    """The Euclidean norm as a short text; nothing where there are no numbers to speak of."""
    if tensor is None or not tensor.dtype.is_floating_point:
        return ""
    return f"{float(tensor.norm()):.3g}"


def printable(text: str) -> str:
    r"""A text on one line: what moves the cursor is written as a program writes it.

    >>> print(printable("two\nlines"))
    two\nlines
    """
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


# rails


@dataclass
class Rails:
    """The rails between two lines: which box each of them carries on.

    Attributes:
        columns: the key of the box on each rail; None for a free one.
        of: the rail of each box that is still to be read.
        free: the free rails, the leftmost first.
        unread: how many boxes have still to read each box.
        hidden: how many rails in use lie too far right to be drawn.
    """

    columns: list[str | None] = field(default_factory=list)
    of: dict[str, int] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    unread: dict[str, int] = field(default_factory=dict)
    hidden: int = 0

    def step(self, box: Box, sources: list[str]) -> str:
        """Draw the line of a box that reads these others, and go on below it."""
        reads = {self.of[key]: key for key in sources}
        for key in sources:
            self.unread[key] -= 1
        ended = sorted(column for column, key in reads.items() if not self.unread[key])
        for column in ended:
            del self.of[self.columns[column] or ""]
        own = ended[0] if ended else heappop(self.free) if self.free else len(self.columns)
        if own == len(self.columns):
            self.columns.append(None)
        self.hidden += own >= WIDEST and own not in ended
        line = self._line(own, MARKS.get(box.kind, NO_MARK), reads, set(ended))
        for column in ended[1:]:
            self._release(column)
        self.columns[own] = box.key
        self.of[box.key] = own
        if not self.unread[box.key]:
            del self.of[box.key]
            self._release(own)
        return line

    def _release(self, column: int) -> None:
        self.hidden -= column >= WIDEST
        self.columns[column] = None
        heappush(self.free, column)

    def _line(self, own: int, mark: str, reads: dict[int, str], ended: set[int]) -> str:
        """The characters of a line: rails, the mark of the box, and what joins it to others."""
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


def _drawn(scene: Scene) -> list[str]:
    """The rails of each line."""
    order = {box.key: place for place, box in enumerate(scene.boxes)}
    sources: dict[str, dict[str, None]] = {box.key: {} for box in scene.boxes}
    for arrow in scene.arrows:
        if order[arrow.source] < order[arrow.target]:
            sources[arrow.target][arrow.source] = None
    unread = dict.fromkeys(order, 0)
    for read in sources.values():
        for key in read:
            unread[key] += 1
    state = Rails(unread=unread)
    return [state.step(box, list(sources[box.key])) for box in scene.boxes]
