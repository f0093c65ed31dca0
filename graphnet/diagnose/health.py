"""What is wrong with a network after a step, in words and as marks for its picture."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, isinf
from typing import TYPE_CHECKING

from graphnet.console_text import printable
from graphnet.diagnose.findings import Finding, Health
from graphnet.diagnose.slopes import Slope, chain, steps
from graphnet.diagnose.units import dead_units, rectifies, saturated_share
from graphnet.errors import StateError, counted
from graphnet.graph import Input, Operation
from graphnet.graph.entry import dtype_text
from graphnet.graph.finite import LOOK_AT_DATA, range_of
from graphnet.graph.nodes import Literal
from graphnet.graph.roles import checked_loss, is_single, loss_of
from graphnet.graph.walks import ancestors
from graphnet.listing.norm import norm

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Graph, Node

MOST_FLAT = 0.5  # the share of saturated values that is reported
MOST_DEAD = 0.25  # the share of dead units above which they are reported; a few are usual
DEEP = 5  # layers of relu, after which all examples look alike even with good first weights,
MOST_DEAD_DEEP = 0.65  # so that half of the units are 0 for all of them


def health(graph: Graph, loss: Node | None = None) -> Health:
    """The problems that the values and gradients of the last walks show.

    Only `top` and `grad` are read. Checks that need a backward walk are skipped if there was none.

    Args:
        graph: the list.
        loss: what is to be minimized; None takes the start of the last backward walk, or before one
            the last single floating-point number.

    Raises:
        StateError: there was no forward walk.
        GraphError: the loss is not a single floating-point number of this list.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> y = graph.input((None, 3), name="x").relu()
    >>> value = graph.forward(x=empty(10, 3).fill_(-1))
    >>> print(health(graph))
    node 1 'relu': 3 of 3 units are dead: 0 for each of 10 examples.
      way out: a smaller learning rate, a smaller bias, or leaky_relu, which lets gradients pass.
    """
    checked_loss(graph, loss)
    if not any(node.computed for node in graph if isinstance(node, Operation)):
        raise StateError(
            "graph.doctor reads values and gradients, and there are none: run graph.forward(...) "
            "and graph.backward(loss) first."
        )
    doctor = _Doctor(graph, loss)
    checks = (doctor.non_finite, doctor.units, doctor.slopes, doctor.parameters, doctor.unread)
    return Health(graph, tuple(finding for check in checks for finding in check()))


class _Doctor:
    """The checks of one list, each a walk over it."""

    def __init__(self, graph: Graph, loss: Node | None) -> None:
        self.graph = graph
        self.nodes = list(graph)
        self.loss = loss_of(graph) if loss is None else loss
        self.operations = [node for node in self.nodes if isinstance(node, Operation)]
        self.read = {source for node in self.nodes for source in node.inputs}
        walked = [node for node in self.operations if node.grad is not None]
        self.walked_back = bool(walked) if loss is None else loss.grad is not None
        # Before a backward walk each single number may be the one to differentiate.
        singles = [node for node in self.operations if is_single(node) and node not in self.read]
        self.ends = singles if self.loss is None else [*singles, self.loss]
        if loss is not None or walked:
            self.ends = walked if loss is None else [loss]
        self.chain = chain(self.nodes)

    def finding(self, node: Node, mark: str, text: str, way_out: str) -> Finding:
        """A finding whose sentence begins with the node."""
        return Finding(self.graph.index(node), mark, f"{self.called(node)}: {text}.", way_out)

    def called(self, node: Node) -> str:
        """A node by its place and name, on one line."""
        return f"node {self.graph.index(node)} '{printable(self.graph.name_of(node))}'"

    # values that are not numbers

    def non_finite(self) -> Iterator[Finding]:
        """The first value that is NaN or infinite, else the first such gradient."""
        backwards = (node for node in reversed(self.nodes) if _is_bad(node.grad))
        if (node := self._origin()) is not None:
            yield self._bad_value(node)
        elif (node := next(backwards, None)) is not None:
            yield self.finding(
                node,
                "gradient not finite",
                "the first gradient on the way back that is not finite: " + _strange(node.grad),
                "keep the operations that read it away from the edge of their range, such as √0 or "
                "log 0; where it grew layer by layer, smaller first weights or a normalization.",
            )

    def _bad_value(self, node: Node) -> Finding:
        """What is said of the first value that is not finite."""
        text = f"the first value that is not finite: {_strange(node.top)}"
        way_out = (
            "a smaller learning rate, inputs of a smaller range, or an operation that is safe "
            "there, such as log_softmax for the log of a softmax."
        )
        if isinstance(node, Operation):
            ranges = "; ".join(range_of(self.graph, source) for source in node.inputs)
            text = f"{text}, computed by {node.op.name} from {ranges}"
        if isinstance(node, Input):
            way_out = LOOK_AT_DATA
        return self.finding(node, "not finite", text, way_out)

    def _origin(self) -> Node | None:
        """The first node that becomes non-finite by itself; intended infinities do not count.

        A mask of -∞ is intended: it comes from an input or a number, and vanishes in a softmax.
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

    # units that let no gradient pass

    def units(self) -> Iterator[Finding]:
        """Dead units of each relu, and bounded values that are mostly at their bounds."""
        layers = 0
        for node in self.operations:
            if node.computed and not node.derived and node.top.numel():
                layers += rectifies(node)
                yield from self._dead(node, MOST_DEAD if layers <= DEEP else MOST_DEAD_DEEP)
                yield from self._saturated(node)

    def _dead(self, node: Operation, most: float) -> Iterator[Finding]:
        dead, units = dead_units(node)
        if dead > most * units:
            yield self.finding(
                node,
                f"{dead} of {units} dead",
                f"{dead} of {counted(units, 'unit')} {'is' if dead == 1 else 'are'} dead: "
                f"0 for each of {node.top.shape[0]} examples",
                "a smaller learning rate, a smaller bias, or leaky_relu, which lets gradients "
                "pass.",
            )

    def _saturated(self, node: Operation) -> Iterator[Finding]:
        share = saturated_share(node)
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
        """Where the gradient grows or shrinks too much: in one step, else along a whole chain."""
        found = [self._slope(slope, _beside(slope, self)) for slope in steps(self.nodes)]
        if not found and self.chain is not None:
            found = [self._slope(self.chain, _along(self.chain, self))]
        yield from found

    def _slope(self, slope: Slope, text: str) -> Finding:
        small = slope.ratio < 1
        verb = "vanishes" if small else "explodes"
        return self.finding(
            slope.node,
            f"gradient {verb}",
            f"the gradient {verb} {text}",
            "larger first weights, relu for tanh or sigmoid, a normalization, or a Residual "
            "around the operation."
            if small
            else "smaller first weights, a normalization, or max_norm=..., which clips gradients.",
        )

    def parameters(self) -> Iterator[Finding]:
        """Parameters that should learn and cannot: no path to the loss, or a gradient of zeros."""
        reached = set(ancestors(self.nodes, self.ends))
        faded = self.chain is not None and not self.chain.ratio  # this is already reported
        for node in self.graph.parameters():
            if not node.requires_grad or node not in self.read or not self.ends:
                continue
            if node not in reached:
                yield self.finding(
                    node,
                    "no gradient",
                    "this parameter gets no gradient: the loss does not depend on it",
                    "compute the loss from it, or freeze it by requires_grad = False.",
                )
            elif self.walked_back and not faded and not norm(node.grad):
                yield self.finding(
                    node,
                    "zero gradient",
                    "this parameter does not learn: its gradient is 0 everywhere",
                    "look at the operations between it and the loss for dead or saturated units, "
                    "or for one without a derivative.",
                )

    def unread(self) -> Iterator[Finding]:
        """Nodes that nothing reads: neither a result nor a single number, such as a metric."""
        results = [node for node in self.operations if not node.derived]
        ends = {*self.ends, results[-1] if self.loss is None else self.loss}
        for node in self.nodes:
            meant = isinstance(node, Operation) and (
                node.derived or node.op.mutates or not node.shape or self._made_along(node)
            )
            if node not in self.read and node not in ends and not meant:
                yield self.finding(
                    node,
                    "not read",
                    "no node reads it, and it is not the loss",
                    "leave it out, unless you request it by graph.forward(outputs=...).",
                )

    def _made_along(self, node: Node) -> bool:
        """True for one of several outputs of a module of this package, if another one is read."""
        makers = self.graph.makers
        maker = makers[node]
        if not type(maker).__module__.startswith("graphnet."):
            return False
        return any(
            makers[source] is maker and isinstance(source, Operation)
            for reader in self.nodes
            if makers[reader] is not maker
            for source in reader.inputs
        )


def _beside(slope: Slope, doctor: _Doctor) -> str:
    """How the gradient of a node compares with that of its reader."""
    return (
        f"here: its norm is {slope.ratio:.2g} times that of {doctor.called(slope.behind)}, which "
        "reads it"
    )


def _along(slope: Slope, doctor: _Doctor) -> str:
    """How the gradients at both ends of a chain compare."""
    here, behind = norm(slope.node.grad), norm(slope.behind.grad)
    lost = (
        "" if here and isfinite(here) else f", out of the range of {dtype_text(slope.node.dtype)}"
    )
    each = slope.ratio ** (1 / max(slope.products, 1))
    products = counted(slope.products, "product")
    pace = f"; each of {products} multiplies it by {each:.2g}" if slope.products > 1 else ""
    return (
        f"on the way back from {doctor.called(slope.behind)}: its norm is {behind:.2g} there and "
        f"{here:.2g} here{lost or pace}"
    )


def _is_bad(tensor: Tensor | None) -> bool:
    """True for numbers of which one is not finite."""
    if tensor is None or not tensor.dtype.is_floating_point:
        return False
    return not tensor.isfinite().all()


def _means_infinity(node: Node) -> bool:
    """True if an infinite number is written in the operation, as in a mask."""
    if not isinstance(node, Operation):
        return False
    numbers = [each.top for each in node.sources if isinstance(each, Literal)]
    return any(isinstance(n, float) and isinf(n) for n in (*numbers, *node.op.options.values()))


def _strange(tensor: Tensor) -> str:
    """How many elements of a tensor are NaN or infinite."""
    nans, infinite = int(tensor.isnan().sum()), int(tensor.isinf().sum())
    texts = [f"{nans:,} NaN" if nans else "", f"{infinite:,} infinite" if infinite else ""]
    return f"{' and '.join(text for text in texts if text)} of {tensor.numel():,}"
