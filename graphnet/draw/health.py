"""What is wrong with a network after a step, in words and as marks for its picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import isinf
from typing import TYPE_CHECKING

from graphnet.draw.building import loss_of
from graphnet.draw.findings import Finding, Health
from graphnet.draw.flops import IMAGES, MATRIX, MOVES
from graphnet.errors import StateError, counted
from graphnet.graph import Operation, Parameter
from graphnet.graph.kinds import Literal
from graphnet.graph.passes import ancestors
from graphnet.table import printable

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Graph, Node

__all__ = ["Finding", "Health", "health"]

EXAMPLES = 8  # fewer tell nothing of a unit: half of all are 0 for one example
FLAT = 0.01  # a sigmoid this near to 0 or 1 is saturated, a tanh twice this near to -1 or 1
MOST_FLAT = 0.5  # the share of saturated values that is reported
STEEP = 1e3  # the ratio of two neighbours' gradients that is reported
_KEEPERS = ("remember", "count_up")  # they write to a buffer: nobody has to read them


def health(graph: Graph) -> Health:
    """What the values and gradients of the last walks tell to be wrong.

    Only `top` and `grad` are read. What needs a backward walk is left out where there was none.

    Raises:
        StateError: there was no forward walk.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> y = graph.input((None, 3), name="x").relu()
    >>> value = graph.forward(x=empty(10, 3).fill_(-1))
    >>> print(health(graph))
    node 1 'relu': 3 of 3 units are dead: 0 for each of 10 examples.
      way out: a smaller learning rate, a smaller bias, or leaky_relu, which lets gradients pass.
    """
    if not any(node.computed for node in graph if isinstance(node, Operation)):
        raise StateError(
            "graph.doctor reads values and gradients, and there are none: run graph.forward(...) "
            "and graph.backward(loss) first."
        )
    doctor = _Doctor(graph)
    checks = (doctor.non_finite, doctor.units, doctor.slopes, doctor.parameters, doctor.unread)
    return Health(graph, tuple(finding for check in checks for finding in check()))


class _Doctor:
    """The checks of one list, each of them a walk over it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes = list(graph)
        self.loss = loss_of(graph)
        self.operations = [node for node in self.nodes if isinstance(node, Operation)]
        self.walked_back = any(node.grad is not None for node in self.operations)

    def finding(self, node: Node, mark: str, text: str, way_out: str) -> Finding:
        """A finding whose sentence begins with the node."""
        return Finding(self.graph.index(node), mark, f"{self.called(node)}: {text}.", way_out)

    def called(self, node: Node) -> str:
        """A node by its place and name, on one line."""
        return f"node {self.graph.index(node)} '{printable(self.graph.name_of(node))}'"

    # values that are no numbers

    def non_finite(self) -> Iterator[Finding]:
        """The first value that is NaN or infinite, else the first such gradient."""
        if (node := self._origin()) is not None:
            text = f"the first value that is not finite: {_strange(node.top)}"
            if isinstance(node, Operation):
                ranges = "; ".join(self._range(source) for source in node.inputs)
                text = f"{text}, computed by {node.op.name} from {ranges}"
            yield self.finding(
                node,
                "not finite",
                text,
                "a smaller learning rate, inputs of a smaller range, or an operation that is safe "
                "there, such as log_softmax for the log of a softmax.",
            )
            return
        for node in reversed(self.nodes):
            if node.grad is not None and not node.grad.isfinite().all():
                yield self.finding(
                    node,
                    "gradient not finite",
                    f"the first gradient on the way back that is not finite: {_strange(node.grad)}",
                    "keep the operations that read it away from the edge of their range, such as "
                    "√0 or log 0; clip gradients that are only large.",
                )
                return

    def _origin(self) -> Node | None:
        """The first node that is not finite by itself; infinities that are meant do not count.

        A mask of -∞ is meant: it comes from an input or a number, and vanishes in a softmax.
        """
        bad = [node for node in self.nodes if node.computed and _is_bad(node.top)]
        among = set(bad)
        for node in bad:
            spoilt = any(source.top.isnan().any() for source in node.inputs if source in among)
            if node.top.isnan().any() and not spoilt:
                return node
            alone = isinstance(node, Operation) and among.isdisjoint(node.inputs)
            if alone and not _means_infinity(node):
                return node
        ends = [self.loss] if self.loss is not None else self.operations[-1:]
        return bad[0] if among.intersection(ends) else None

    def _range(self, node: Node) -> str:
        """A node with the smallest and the largest of its values."""
        top, name = node.top, f"'{printable(self.graph.name_of(node))}'"
        if not top.numel():
            return f"{name} (empty)"
        return f"{name} from {float(top.min()):.3g} to {float(top.max()):.3g}"

    # units that let no gradient pass

    def units(self) -> Iterator[Finding]:
        """Dead units of each relu, and tanh and sigmoid that are mostly saturated."""
        for node in self.operations:
            if node.computed and not node.derived and node.top.numel():
                if node.op.name == "relu":
                    yield from self._dead(node)
                elif node.op.name in ("tanh", "sigmoid"):
                    yield from self._saturated(node)

    def _dead(self, node: Node) -> Iterator[Finding]:
        top = node.top
        if top.ndim < 2 or top.shape[0] < EXAMPLES:
            return
        channel = 1 if top.ndim == 4 else top.ndim - 1
        units = top.movedim(channel, 0).flatten(1)
        dead = int((units == 0).all(1).sum())
        if dead:
            yield self.finding(
                node,
                f"{dead} of {len(units)} dead",
                f"{dead} of {counted(len(units), 'unit')} {'is' if dead == 1 else 'are'} dead: "
                f"0 for each of {top.shape[0]} examples",
                "a smaller learning rate, a smaller bias, or leaky_relu, which lets gradients "
                "pass.",
            )

    def _saturated(self, node: Operation) -> Iterator[Finding]:
        top = node.top
        near = (1 - top * top) / 4 if node.op.name == "tanh" else top * (1 - top)
        share = float((near < FLAT * (1 - FLAT)).double().mean())
        if share > MOST_FLAT:
            yield self.finding(
                node,
                f"{share:.0%} saturated",
                f"{share:.0%} of its values are saturated, where {node.op.name} is flat and lets "
                "no gradient pass",
                "smaller first weights, inputs scaled to a mean of 0 and a deviation of 1, or a "
                "normalization before it.",
            )

    # gradients

    def slopes(self) -> Iterator[Finding]:
        """Operations through which the gradient grows or shrinks too much in one step.

        Left out are nodes with several readers, whose gradient is a sum; weights and biases; a
        gradient of zeros, which a mask or a factor of 0 gives; and what follows the last product:
        the loss, whose gradient is small where the network is right.
        """
        judged = [node for node in self.operations if node.grad is not None and not node.derived]
        while judged and judged[-1].op.name not in MATRIX + IMAGES:
            judged.pop()
        readings = Counter(source for node in self.nodes for source in node.inputs)
        for node in judged:
            product = node.op.name in MATRIX + IMAGES
            sources = node.inputs[:1] if product else node.inputs
            for source in () if node.op.name in MOVES else sources:
                alone = readings[source] == 1 and not isinstance(source, Parameter)
                if alone and (product or source.shape == node.shape):
                    behind, ahead = _norm(node.grad), _norm(source.grad)
                    if behind and ahead:
                        yield from self._slope(node, source, ahead / behind)

    def _slope(self, node: Operation, source: Node, ratio: float) -> Iterator[Finding]:
        small = ratio < 1 / STEEP
        if small or ratio > STEEP:
            verb = "vanishes" if small else "explodes"
            yield self.finding(
                source,
                f"gradient {verb}",
                f"the gradient {verb} here: its norm is {ratio:.2g} times that of "
                f"{self.called(node)}, which reads it",
                "larger first weights, relu for tanh or sigmoid, a normalization, or a Residual "
                "around the operation."
                if small
                else "smaller first weights, a normalization, or max_norm=..., which clips "
                "gradients.",
            )

    def parameters(self) -> Iterator[Finding]:
        """Parameters that are to learn and cannot: no way to the loss, or a gradient of zeros."""
        if self.loss is None and not self.walked_back:
            return
        reached = set(ancestors(self.nodes, [self.loss] if self.loss is not None else self.nodes))
        read = {source for node in self.nodes for source in node.inputs}
        for node in self.graph.parameters():
            if not node.requires_grad or node not in read:
                continue
            if node not in reached:
                yield self.finding(
                    node,
                    "no gradient",
                    "this parameter gets no gradient: the loss does not depend on it",
                    "compute the loss from it, or freeze it by requires_grad = False.",
                )
            elif self.walked_back and node.grad is not None and not node.grad.any():
                yield self.finding(
                    node,
                    "zero gradient",
                    "this parameter does not learn: its gradient is 0 everywhere",
                    "look at the operations between it and the loss for dead or saturated units, "
                    "or for one without a derivative.",
                )

    def unread(self) -> Iterator[Finding]:
        """Nodes that nobody reads, but for the loss, or without one the last operation."""
        read = {source for node in self.nodes for source in node.inputs}
        results = [node for node in self.operations if not node.derived]
        end = self.loss if self.loss is not None else results[-1]
        for node in self.nodes:
            derived = isinstance(node, Operation) and (node.derived or node.op.name in _KEEPERS)
            if node not in read and node is not end and not derived:
                yield self.finding(
                    node,
                    "not read",
                    "no node reads it, and it is not the loss",
                    "leave it out, unless you ask for it by graph.forward(outputs=...).",
                )


def _is_bad(top: Tensor) -> bool:
    return top.dtype.is_floating_point and not bool(top.isfinite().all())


def _means_infinity(node: Node) -> bool:
    """True where an infinite number is written in the operation, as in a mask."""
    if not isinstance(node, Operation):
        return False
    numbers = [each.top for each in node.sources if isinstance(each, Literal)]
    return any(isinstance(n, float) and isinf(n) for n in (*numbers, *node.op.options.values()))


def _norm(tensor: Tensor | None) -> float:
    return 0.0 if tensor is None else float(tensor.double().norm())


def _strange(tensor: Tensor) -> str:
    """How many elements of a tensor are no ordinary numbers."""
    nans, infinite = int(tensor.isnan().sum()), int(tensor.isinf().sum())
    texts = [f"{nans:,} NaN" if nans else "", f"{infinite:,} infinite" if infinite else ""]
    return f"{' and '.join(text for text in texts if text)} of {tensor.numel():,}"
