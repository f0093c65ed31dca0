"""A scene: the boxes and arrows of a picture, before their positions are known.

Everything that is drawn, folded, listed or laid out uses scenes; only `building` knows graphs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from graphnet.console_text import printable

if TYPE_CHECKING:
    from graphnet.graph import Node

KINDS = ("input", "parameter", "buffer", "operation", "layer", "loss", "gradient", "module")
"""The kinds of box; each has a shape and a colour of its own."""

Path = tuple[str, ...]
"""The modules that a node lies in, the outermost first."""

LAYER, OPEN = "layer", "open"
"""A module that is one box at any depth, and one that is opened at any depth."""


def around(path: Path) -> list[Path]:
    """A module and all those around it, the outermost first.

    >>> around(("blocks", "0"))
    [('blocks',), ('blocks', '0')]
    """
    return [path[:depth] for depth in range(1, len(path) + 1)]


def common_path(paths: Iterable[Path]) -> Path:
    """The modules that are around all of these."""
    same = takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
    return tuple(names[0] for names in same)


@dataclass(frozen=True)
class Box:
    """One box.

    Attributes:
        key: its name among the boxes, made from places in the list: the same for the same list.
        kind: one of `KINDS`.
        name: the name of the node, or the path of the module.
        symbol: what it computes, in short: "@", "tanh", or the class of a module; empty for leaves.
        shape: its shape as a text, "?×25".
        note: other facts in short: "650 parameters", "× 24".
        finding: what was found out about it: "3 of 25 dead", "error 1e-10".
        path: the modules around it.
        settings: those of a module: "3×3, stride 2, padding 1".
        calls: for each module in the path, which call it is; empty if that is not known.
        folds: for each module in the path, `LAYER`, `OPEN`, or nothing: the depth decides.
        sharing: the numbers, in `Scene.shared`, of the shared parameters in it.
        nodes: what it stands for, in the order of the list: one node, or those of a module.
        result: the node whose value the box shows: of several the last operation; None for a box
            that stands for repetitions.
        places: their places in the list.
        folded: True for a box that stands for a module.
        brief: True to leave out the name of an operation, since its symbol says enough.
        reserved: lines below the text that only keep room, as wide as what will stand there.
    """

    key: str
    kind: str
    name: str
    symbol: str = ""
    shape: str = ""
    note: str = ""
    finding: str = ""
    path: Path = ()
    settings: str = ""
    calls: tuple[int, ...] = ()
    folds: tuple[str, ...] = ()
    sharing: tuple[int, ...] = ()
    nodes: tuple[Node, ...] = ()
    result: Node | None = None
    places: tuple[int, ...] = ()
    folded: bool = False
    brief: bool = False
    reserved: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """The name with the modules around it."""
        return ".".join((*self.path, self.name))

    @property
    def lines(self) -> list[str]:
        """The text in the box, its title first; then its room."""
        texts = self._module_lines if self.folded else self._node_lines
        return [*(printable(line) for line in (*texts, self.finding) if line), *self.reserved]

    @property
    def _node_lines(self) -> tuple[str, ...]:
        """Place and symbol, name, shape, note."""
        place = f"{self.places[0]}" if len(self.places) == 1 else ""
        title = self.symbol or self.name
        first = " ".join(part for part in (place, title) if part)
        unnumbered = self.name.rstrip("0123456789").rstrip("_")
        plain = unnumbered == self.symbol or self.symbol in ("+", "-", "×", "÷")
        hidden = self.name == title or (self.brief and plain)
        return first, "" if hidden else self.name, self.shape, self.note

    @property
    def _module_lines(self) -> tuple[str, ...]:
        """Name and class, settings, shape and note."""
        same = self.name.lower() == self.symbol.lower()  # a loss is called by its class
        title = self.symbol if same else f"{self.name} {self.symbol}".strip()
        return title, self.settings, " · ".join(filter(None, (self.shape, self.note)))


def learned_in(box: Box) -> int:
    """How many numbers are learned in a box."""
    return sum(node.top.numel() for node in box.nodes if node.kind == "parameter")


@dataclass(frozen=True)
class Arrow:
    """An arrow from the box that is read to the box that reads it.

    Attributes:
        source: the key of the box that is read.
        target: the key of the box that reads it.
        sharing: for a parameter that is shared, its number in `Scene.shared`.
        use: which of its uses this is, from 1; 0 if there is only one.
        count: how many arrows are drawn as one.
    """

    source: str
    target: str
    sharing: int | None = None
    use: int = 0
    count: int = 1


@dataclass
class Scene:
    """Boxes and arrows.

    Attributes:
        boxes: in the order of the list.
        arrows: in the order in which they are read.
        titles: the text on the frame of each module, by its path.
        shared: for each number of what is shared, a sentence.
        notes: what to say beside the picture, such as what was folded.
        settings: those of each module, by its path.
    """

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    titles: dict[Path, str] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    settings: dict[Path, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.boxes)

    def title(self, path: Path) -> tuple[str, str]:
        """The name of a module inside the frame around it, and the rest of its title."""
        around, name = ".".join(path[:-1]), path[-1]
        text = self.titles.get(path, ".".join(path))
        text = text.removeprefix(f"{around}." if around else "")
        if not text.startswith(name):
            return "", printable(text)
        return printable(name), printable(text.removeprefix(name).strip())

    @property
    def by_key(self) -> dict[str, Box]:
        """The boxes by their keys."""
        return {box.key: box for box in self.boxes}

    @property
    def paths(self) -> list[Path]:
        """All modules with something in them, each after the one around it."""
        return list(dict.fromkeys(path for box in self.boxes for path in around(box.path)))
