"""The graph: a list of nodes that is walked forward for values and in reverse for gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from graphnet.errors import GraphError
from graphnet.graph.derivatives import append_gradients
from graphnet.graph.feed import bind, merged
from graphnet.graph.front_doors import FrontDoors
from graphnet.graph.guards import Exclusive
from graphnet.graph.node import Node
from graphnet.graph.nodes import Operation
from graphnet.graph.walks import (
    BackwardPass,
    ForwardPass,
    Versions,
    ancestors,
    keep_few,
    one_each,
    refuse_stale,
    seed,
)

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph.naming import Call

    Feed = Mapping[Any, Tensor] | None


class Graph(FrontDoors):
    """A list of nodes, walked forward to fill each `top` and in reverse to fill each `grad`.

    `input`, `parameter`, and applying an operation to a node append nodes: see `NodeList`.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((None,), name="x")
    >>> y = (x * x).sum()
    >>> graph.forward(x=empty(3).fill_(2))
    tensor(12.)
    """

    def __init__(self) -> None:
        super().__init__()
        self._exclusive = Exclusive()
        self._forward: dict[tuple[Node, ...] | None, ForwardPass] = {}
        self._backward: dict[tuple[Node, ...], BackwardPass] = {}
        self._versions = Versions((), [], (), [])
        self.makers: dict[Node, object] = {}  # the module that appended each node, or None
        self.calls: dict[Node, Call] = {}  # and which call of it

    def _keep(self, node: Node) -> None:
        super()._keep(node)
        scope = self.scopes.scope
        self.makers[node], self.calls[node] = scope.owner, scope.call
        self._forward.clear()  # walks are prepared for the whole list
        self._backward.clear()

    @overload
    def forward(
        self, feed: Feed = None, /, *, outputs: Node | None = None, **named: Tensor
    ) -> Tensor: ...
    @overload
    def forward(
        self, feed: Feed = None, /, *, outputs: Sequence[Node], **named: Tensor
    ) -> tuple[Tensor, ...]: ...
    def forward(
        self, feed: Feed = None, /, *, outputs: Node | Sequence[Node] | None = None, **named: Tensor
    ) -> Any:
        """Walk the list and fill each `top`.

        Args:
            feed: a tensor for each input, by node or by name.
            outputs: the node or nodes to compute: only what they need is walked, and the values
                of all other nodes are dropped. If None, the whole list is walked.
            named: tensors by the names of their inputs.

        Returns:
            The value of `outputs`, a tuple for several nodes; if None, the value of the last
            operation that `gradients` did not append.

        Raises:
            FeedError: a feed is missing, misnamed, or does not fit its input.
            ShapeError: the fed sizes do not fit together.
        """
        with self._exclusive:
            walk = self._forward_pass(None if outputs is None else self._targets(outputs))
            fed = merged(feed, named, self._inputs.values())
            bound = bind(self._inputs, self._parameters, walk.inputs, fed)
            self._versions = walk.run(bound)
        if outputs is None or isinstance(outputs, Node):
            return walk.targets[0].top if walk.targets else None
        return tuple(target.top for target in walk.targets)

    def backward(
        self,
        target: Node | Sequence[Node],
        grad: Tensor | Sequence[Tensor | None] | None = None,
        accumulate: bool = False,
    ) -> None:
        """Walk the list in reverse and fill each `grad`.

        Old gradients are cleared first, so that a second call gives the same numbers.

        Args:
            target: the node to differentiate, or several of them.
            grad: the gradient to start from, of the shape of the target; 1 for a scalar.
            accumulate: add to the gradients of parameters, and to those of inputs since the
                last forward walk.

        Raises:
            StateError: the target has no value, or an input or a parameter has changed since.
            GraphError: the target is not a scalar, and `grad` is None.
        """
        targets = self._targets(target)
        grads = one_each(grad, targets)
        with self._exclusive:
            seeds = [seed(node, each) for node, each in zip(targets, grads, strict=True)]
            walk = self._backward_pass(targets)
            refuse_stale(walk.leaves, self._versions)
            walk.run(seeds, accumulate)

    def gradients(
        self, target: Node, sources: Sequence[Node], grad: Node | None = None
    ) -> list[Node]:
        """Append nodes that compute the derivatives of the target with respect to each source.

        They are ordinary nodes: draw them, compute them for any batch size, differentiate again.
        If the target does not depend on a source, that source gets a node of zeros.

        Raises:
            GraphError: the target is not a scalar, and `grad` is None.

        >>> import graphnet as gn
        >>> from torch import empty
        >>> graph = gn.Graph()
        >>> x = graph.input((), name="x")
        >>> (slope,) = graph.gradients(x**3, [x])
        >>> (curvature,) = graph.gradients(slope, [x])
        >>> graph.forward(x=empty(()).fill_(2), outputs=[slope, curvature])
        (tensor(12.), tensor(12.))
        """
        wanted = self._targets(sources)
        nodes = ancestors(self._nodes, self._targets(target))
        if not isinstance(target, Node) or not isinstance(grad, Node | None):
            raise GraphError(
                "gradients differentiates one node, and grad must be a node or None; "
                f"got {type(target).__name__} and {type(grad).__name__}. Several losses: add "
                "them first."
            )
        if grad is not None:
            self.index(grad)
        outer, self._deriving = self._deriving, True
        try:
            with self, self.scopes.inside("gradients"):
                return append_gradients(nodes, target, wanted, grad)
        finally:
            self._deriving = outer

    def _targets(self, targets: Node | Sequence[Node]) -> tuple[Node, ...]:
        """The nodes that a caller names, each checked to be in this list."""
        nodes = tuple(targets) if isinstance(targets, tuple | list) else (targets,)
        for node in nodes:
            self.index(node)
        return nodes

    def _forward_pass(self, targets: tuple[Node, ...] | None) -> ForwardPass:
        if (walk := self._forward.get(targets)) is None:
            if targets is None:
                results = [n for n in self._nodes if isinstance(n, Operation) and not n.derived]
                walk = ForwardPass(self._nodes, self._nodes, tuple(results[-1:]))
            else:
                walk = ForwardPass(self._nodes, ancestors(self._nodes, targets), targets)
            keep_few(self._forward, targets, walk)
        return walk

    def _backward_pass(self, targets: tuple[Node, ...]) -> BackwardPass:
        walk = self._backward.get(targets)
        if walk is None or not walk.valid:
            walk = BackwardPass(self._nodes, ancestors(self._nodes, targets), targets)
            keep_few(self._backward, targets, walk)
        return walk
