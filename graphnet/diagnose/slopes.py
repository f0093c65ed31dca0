"""How much the gradient grows or shrinks on its way back: in one step, and along a whole chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graphnet.graph import Node, Operation, Parameter
from graphnet.listing.norm import norm

STEEP = 1e3  # the ratio of two neighbours' gradients above which it is reported
FAR = 1e5  # the ratio between the ends of a chain above which it is reported
EACH = 4.0  # so is a ratio of this much for each product of a chain,
FEW = 3  # if it has as many: default first weights give 2 to 3 with relu or tanh, 7 with sigmoid


class Slope(NamedTuple):
    """The gradient of a node compared with that of a node behind it, which is walked first.

    Attributes:
        node: the node.
        behind: the other node.
        ratio: the norm of the gradient of the node, divided by that of the other one.
        products: how many products the gradient passes on the longest way from there to here.
    """

    node: Node
    behind: Node
    ratio: float
    products: int = 0

    @property
    def is_far(self) -> bool:
        """True if the ratio is too large or too small for a sound chain of this length."""
        if self.ratio > FAR or 0 < self.ratio < 1 / FAR:
            return True
        most = EACH ** min(self.products, 100)
        return self.products >= FEW and (self.ratio > most or 0 < self.ratio < 1 / most)


def steps(nodes: Sequence[Node]) -> Iterator[Slope]:
    """Nodes whose gradient is much larger or smaller than that of their only reader.

    Left out are nodes with several readers, whose gradient is a sum; weights and biases; a gradient
    of zeros, which comes from a mask or a factor of 0; and what follows the last product: the loss,
    whose gradient is small if the network is right.
    """
    judged = _walked(nodes)
    while judged and not judged[-1].op.contraction:
        judged.pop()
    readings = Counter(source for node in nodes for source in node.inputs)
    for node in judged:
        product = node.op.contraction
        sources = node.inputs[:1] if product else node.inputs
        for source in () if node.op.structural else sources:
            alone = readings[source] == 1 and not isinstance(source, Parameter)
            if alone and (product or source.shape == node.shape):
                behind, here = norm(node.grad), norm(source.grad)
                if behind and here and not 1 / STEEP <= here / behind <= STEEP:
                    yield Slope(source, node, here / behind)


def chain(nodes: Sequence[Node]) -> Slope | None:
    """The worst change from a last product with weights to a first one; None if it is small.

    Only the ends are compared: a branch in between may pass little, as long as the first weights
    learn. Weights that are used many times, such as those of a recurrent layer, learn from the use
    with the largest gradient. Zeros count if the gradient has become small before.
    """
    weights = _weights(nodes)
    norms: dict[Node, float] = {}
    for product, weight in weights.items():
        norms[weight] = max(norm(product.grad), norms.get(weight, 0.0))
    size = {product: norms[weight] for product, weight in weights.items()}
    passed = _products_before(nodes, size)
    slopes = [
        Slope(product, last, size[product] / size[last], passed[last] - passed[product])
        for product, last in _lasts(nodes, size).items()
        if size[last]
    ]
    faded = any(0 < slope.ratio < 1 / FAR for slope in slopes)
    firsts = _firsts(nodes, size)
    far = [
        slope
        for slope in slopes
        if slope.node in firsts and (slope.is_far or (faded and not slope.ratio))
    ]
    return max(far, key=lambda slope: max(slope.ratio, 1 / (slope.ratio or 1e-300)), default=None)


def _walked(nodes: Sequence[Node]) -> list[Operation]:
    """The operations that the backward walk visited."""
    return [
        node
        for node in nodes
        if isinstance(node, Operation) and node.grad is not None and not node.derived
    ]


def _weights(nodes: Sequence[Node]) -> dict[Node, Node]:
    """Each product of data with weights, and the parameter that these are computed from."""
    learned: dict[Node, Node] = {}
    products: dict[Node, Node] = {}
    for node in nodes:
        roots = [learned[source] for source in node.inputs if source in learned]
        if isinstance(node, Parameter):
            learned[node] = node
        elif roots and len(roots) == len(node.inputs):
            learned[node] = roots[0]
        elif roots and isinstance(node, Operation) and node.op.contraction:
            products[node] = roots[0]
    return {node: products[node] for node in _walked(nodes) if node in products}


def _lasts(nodes: Sequence[Node], size: dict[Node, float]) -> dict[Node, Node]:
    """For each product the last one on the way to the loss; of several, the one of largest size."""
    lasts: dict[Node, Node] = {}
    for node in reversed(nodes):
        if node in size:
            lasts.setdefault(node, node)
        for source in node.inputs if node in lasts else ():
            if source not in lasts or size[lasts[source]] < size[lasts[node]]:
                lasts[source] = lasts[node]
    return {node: last for node, last in lasts.items() if node in size}


def _firsts(nodes: Sequence[Node], products: dict[Node, float]) -> set[Node]:
    """The products that are computed from no other product."""
    later: set[Node] = set()
    for node in nodes:
        if any(source in later or source in products for source in node.inputs):
            later.add(node)
    return products.keys() - later


def _products_before(nodes: Sequence[Node], products: dict[Node, float]) -> dict[Node, int]:
    """For each node the most products on any way to it, itself included."""
    count: dict[Node, int] = {}
    for node in nodes:
        most = max((count[source] for source in node.inputs), default=0)
        count[node] = most + (node in products)
    return count
