"""What each module of a list costs: nodes, parameters, arithmetic and memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from graphnet.graph import Node, Operation, Parameter
from graphnet.graph.roles import loss_of
from graphnet.graph.walks import ancestors
from graphnet.layers.settings import settings_of
from graphnet.listing.flops import backward_flops, forward_flops, multiply_adds, sizes_of

if TYPE_CHECKING:
    from graphnet.graph import Graph

Shape = tuple[int | None, ...]

_OUTSIDE = "outside"
"""The kind of nodes that no module appended."""


@dataclass(frozen=True)
class Row:
    """The costs of some nodes together.

    Attributes:
        path: the module; "" for nodes outside any module, and for those of an outermost module,
            whose names have no prefix.
        kind: the class of the module: "Linear".
        settings: what a picture says of it too: "3×3, stride 2, padding 1".
        uses: how often the module was called; 0 if it only holds others.
        nodes: how many nodes it has.
        output: the shape of its output; of several, of the last one that is read outside.
        weights: the shapes of the parameters that it holds itself.
        parameters: how many numbers it learns, each counted once however often it is used.
        borrowed: how many numbers it reads that are counted in another module.
        frozen: how many of all these are not updated, since their `requires_grad` is False.
        multiply_adds: products that are added up in one forward walk, as in a matrix product.
        forward: floating-point operations of one forward walk.
        backward: those of one backward walk.
        tops: bytes of the values.
        held: bytes of the parameters and buffers among them.
        grads: bytes of the gradients after a backward walk.
    """

    path: str
    kind: str
    settings: str
    uses: int
    nodes: int
    output: Shape
    weights: tuple[Shape, ...]
    parameters: int
    borrowed: int
    frozen: int
    multiply_adds: int
    forward: int
    backward: int
    tops: int
    held: int
    grads: int

    @property
    def depth(self) -> int:
        """How deep the module is nested: 0 for the outermost."""
        return self.path.count(".") + 1 if self.path else 0


def costs(graph: Graph) -> tuple[list[Row], Row]:
    """A row for each module of a list, and one for the whole list.

    Gradients are counted for the nodes that the last loss depends on.
    """
    loss = loss_of(graph)
    walked = set(graph) if loss is None else set(ancestors(list(graph), [loss]))
    members: dict[tuple[str, str], list[Node]] = {}
    for node in graph:
        for module in _modules(graph, node):
            members.setdefault(module, []).append(node)
    readers = _readers(graph)
    rows = [
        _row(graph, path, kind, nodes, walked, readers) for (path, kind), nodes in members.items()
    ]
    return rows, _row(graph, "total", "", list(graph), walked, readers)


def _modules(graph: Graph, node: Node) -> list[tuple[str, str]]:
    """The path and the class of each module around a node, the outermost first."""
    parts = [part for part in graph.name_of(node).split(".")[:-1] if part]
    if not parts:
        maker = graph.makers[node]
        return [("", _OUTSIDE if maker is None else type(maker).__name__)]
    paths = [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    return [(path, graph.scopes.kind(path)) for path in paths]


def _readers(graph: Graph) -> dict[Node, list[Node]]:
    """The nodes that read each node."""
    readers: dict[Node, list[Node]] = {node: [] for node in graph}
    for node in graph:
        for source in node.inputs:
            readers[source].append(node)
    return readers


def _row(
    graph: Graph,
    path: str,
    kind: str,
    nodes: list[Node],
    walked: set[Node],
    readers: dict[Node, list[Node]],
) -> Row:
    """The costs of some nodes, if those in `walked` get gradients."""
    back = [node for node in nodes if node in walked and node.requires_grad]
    inside = set(nodes)
    read = {source for node in nodes for source in node.inputs} - inside
    module = None if kind in ("", _OUTSIDE) else graph.scopes.module(path)
    learned = list(_learned(nodes))
    output = _output(nodes, inside, readers)
    return Row(
        path=path,
        kind=kind,
        settings=settings_of(module),
        uses=0 if module is None else graph.scopes.uses[path],
        nodes=len(nodes),
        output=tuple(output.top.shape) if output.computed else output.shape,
        weights=_own(graph, path, learned) if kind else (),
        parameters=_numbers(learned),
        borrowed=_numbers(_learned(read)),
        frozen=_numbers(each for each in learned if not each.requires_grad),
        multiply_adds=sum(map(multiply_adds, nodes)),
        forward=sum(map(forward_flops, nodes)),
        backward=sum(map(backward_flops, back)),
        tops=sum(map(_bytes, nodes)),
        held=sum(_bytes(node) for node in nodes if isinstance(node, Parameter)),
        grads=sum(map(_bytes, back)),
    )


def _output(nodes: list[Node], inside: set[Node], readers: dict[Node, list[Node]]) -> Node:
    """The last operation that a node outside reads; without one, the last node."""
    for node in reversed(nodes):
        if isinstance(node, Operation) and not inside.issuperset(readers[node]):
            return node
    return nodes[-1]


def _own(graph: Graph, path: str, learned: list[Parameter]) -> tuple[Shape, ...]:
    """The shapes of the parameters directly at a path."""
    return tuple(each.shape for each in learned if graph.name_of(each).rpartition(".")[0] == path)


def _learned(nodes: Iterable[Node]) -> Iterable[Parameter]:
    """The parameters among some nodes, without buffers."""
    return (node for node in nodes if isinstance(node, Parameter) and not node.is_buffer)


def _numbers(parameters: Iterable[Parameter]) -> int:
    return sum(each.top.numel() for each in parameters)


def _bytes(node: Node) -> int:
    """The bytes of a value."""
    return prod(sizes_of(node)) * node.dtype.itemsize
