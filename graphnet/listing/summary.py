"""The costs of a list, module by module: nodes, parameters, floating-point operations, memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from graphnet.console_text import printable, text_table
from graphnet.errors import counted
from graphnet.graph import Node, Parameter
from graphnet.graph.roles import loss_of
from graphnet.graph.walks import ancestors
from graphnet.listing.flops import backward_flops, forward_flops, sizes_of

if TYPE_CHECKING:
    from graphnet.graph import Graph

_OUTSIDE = "outside"
"""The kind of nodes that no module appended."""


@dataclass(frozen=True)
class Row:
    """The costs of some nodes together.

    Attributes:
        path: the module; "" for nodes outside any module, and for those of an outermost module,
            whose names have no prefix.
        kind: the class of the module: "Linear".
        uses: how often the module was called; 0 if it only holds others.
        nodes: how many nodes it has.
        parameters: how many numbers it learns, each counted once however often it is used.
        borrowed: how many numbers it reads that are counted in another module.
        forward: floating-point operations of one forward walk.
        backward: those of one backward walk.
        tops: bytes of the values.
        grads: bytes of the gradients after a backward walk.
    """

    path: str
    kind: str
    uses: int
    nodes: int
    parameters: int
    borrowed: int
    forward: int
    backward: int
    tops: int
    grads: int


@dataclass(frozen=True)
class Summary:
    """The costs of a list.

    Attributes:
        rows: one for each module, including everything inside it, in the order of the list.
        total: the whole list; since modules are nested, the rows do not add up to it.
        fed: True if the sizes are those of a feed; else each unknown size was taken as 1.
    """

    rows: tuple[Row, ...]
    total: Row
    fed: bool

    def __str__(self) -> str:
        header = ("module", "kind", "nodes", "parameters", "forward", "backward", "tops", "grads")
        rows = [header, *map(_cells, (*self.rows, self.total))]
        sizes = "those of the last feed" if self.fed else "1 where they are unknown"
        lines = [
            text_table(rows, right=range(2, len(header))),
            "",
            "forward, backward: floating-point operations of one walk; tops, grads: bytes, "
            "with views counted as copies.",
            f"Sizes are {sizes}.",
        ]
        if any(row.borrowed for row in self.rows):
            lines.append("+ n: parameters that a module shares, counted where they were made.")
        return "\n".join(lines)


def summary(graph: Graph) -> Summary:
    """The costs of each module of a list, and of the whole list.

    Gradients are counted for the nodes that the last loss depends on.

    >>> import graphnet as gn
    >>> graph = gn.Graph()
    >>> y = gn.Sequential(gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 2))(
    ...     graph.input((100, 2), name="x")
    ... )
    >>> total = summary(graph).total
    >>> total.nodes, total.parameters, total.forward
    (8, 127, 25200)
    """
    loss = loss_of(graph)
    walked = set(graph) if loss is None else set(ancestors(list(graph), [loss]))
    members: dict[tuple[str, str], list[Node]] = {}
    for node in graph:
        for module in _modules(graph, node):
            members.setdefault(module, []).append(node)
    rows = [
        _row(path, kind, 0 if kind == _OUTSIDE else graph.scopes.uses[path], nodes, walked)
        for (path, kind), nodes in members.items()
    ]
    fed = all(node.computed for node in graph.inputs)
    return Summary(tuple(rows), _row("total", "", 0, list(graph), walked), fed)


def _modules(graph: Graph, node: Node) -> list[tuple[str, str]]:
    """The path and the class of each module around a node, the outermost first."""
    parts = [part for part in graph.name_of(node).split(".")[:-1] if part]
    if not parts:
        maker = graph.makers[node]
        return [("", _OUTSIDE if maker is None else type(maker).__name__)]
    paths = [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    return [(path, graph.scopes.kind(path)) for path in paths]


def _row(path: str, kind: str, uses: int, nodes: list[Node], walked: set[Node]) -> Row:
    """The costs of some nodes, if those in `walked` get gradients."""
    back = [node for node in nodes if node in walked and node.requires_grad]
    read = {source for node in nodes for source in node.inputs}
    parameters = _learned(nodes), _learned(read.difference(nodes))
    flops = sum(map(forward_flops, nodes)), sum(map(backward_flops, back))
    nbytes = sum(map(_bytes, nodes)), sum(map(_bytes, back))
    return Row(path, kind, uses, len(nodes), *parameters, *flops, *nbytes)


def _learned(nodes: Iterable[Node]) -> int:
    """How many numbers some nodes learn."""
    return sum(
        node.top.numel() for node in nodes if isinstance(node, Parameter) and not node.is_buffer
    )


def _bytes(node: Node) -> int:
    """The bytes of a value."""
    return prod(sizes_of(node)) * node.dtype.itemsize


def _cells(row: Row) -> tuple[str, ...]:
    """A row as texts; nested modules are indented."""
    *outer, last = row.path.split(".")
    name = "  " * len(outer) + printable(last or "-")
    borrowed = f" + {row.borrowed:,}" if row.borrowed else ""
    uses = f", {counted(row.uses, 'use')}" if row.uses > 1 else ""
    kind, parameters = printable(row.kind) + uses, f"{row.parameters:,}{borrowed}"
    numbers = (row.forward, row.backward, row.tops, row.grads)
    return name, kind, f"{row.nodes:,}", parameters, *(f"{number:,}" for number in numbers)
