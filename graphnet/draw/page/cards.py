"""What a page says about a box that the mouse rests on: settings, shape, formulas, statistics."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from graphnet.console_text import printable
from graphnet.draw.svg.histograms import described
from graphnet.errors import counted
from graphnet.formulas.operation import Formulas
from graphnet.graph import Operation, Parameter

if TYPE_CHECKING:
    from graphnet.draw.scene.scene import Box
    from graphnet.graph import Graph, Node

_MOST_LINES = 8  # formulas of one node
_MOST_NUMBERS = 200_000  # of one example, or of a parameter, in an operation with formulas


class Cards:
    """The cards of the boxes of a list."""

    def __init__(self, graph: Graph, loss: Node | None) -> None:
        self._graph = graph
        self._formulas = Formulas(graph, loss)
        self._nodes: dict[Node, list[str]] = {}

    def card(self, box: Box) -> list[str]:
        """The lines about a box, its name first."""
        facts = [line for line in box.lines[: len(box.lines) - len(box.reserved)] if line]
        name = self.name_of(box.nodes[0]) if len(box.nodes) == 1 else box.full_name
        return [*dict.fromkeys([printable(name), *facts]), *self._about(box)]

    def name_of(self, node: Node) -> str:
        """The name of a node in the list."""
        return self._graph.name_of(node)

    def _about(self, box: Box) -> list[str]:
        if len(box.nodes) == 1:
            return self._about_node(box.nodes[0])
        operations = [node for node in box.nodes if isinstance(node, Operation)]
        lines = [counted(len(box.nodes), "node")]
        return [*lines, *(self._statistics(operations[-1]) if operations else [])]

    def _about_node(self, node: Node) -> list[str]:
        if node not in self._nodes:
            lines = self._formulas_of(node)
            options = [repr(node.op)] if isinstance(node, Operation) and node.op.chosen else []
            self._nodes[node] = [*options, *lines[:_MOST_LINES], *self._statistics(node)]
        return self._nodes[node]

    def _formulas_of(self, node: Node) -> list[str]:
        """What a node computes and sends on; nothing for large tensors.

        A rule is run on zeros of the real sizes to see its formula, which would take seconds.
        """
        read = [node, *node.inputs] if isinstance(node, Operation) else []
        if any(prod(size or 1 for size in each.shape) > _MOST_NUMBERS for each in read):
            return []
        return [self._formulas.forward(node), *self._formulas.backward(node)]

    def _statistics(self, node: Node) -> list[str]:
        """The norm and range of the value and of the gradient, as far as they are known."""
        known = isinstance(node, Parameter) or node.computed
        lines = [f"value {described(node.top)}"] if known else []
        return lines if node.grad is None else [*lines, f"gradient {described(node.grad)}"]
