"""A graph beside torch's autograd: the same forward, with derivatives found in two ways.

The forward of every operation runs on tensors that torch tracks: torch differentiates it by its own
rules, and the walk by those of the graph. That works for every operation that computes with torch's
functions, including your own. One that leaves torch, for NumPy or by `.data`, has no gradient
there, and the table shows the difference; so it does at a kink, where several gradients are right
and torch may choose another one. Random operations draw the same numbers on both sides.

This is the only place in the package, besides its contestants, that uses torch's autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.check.graph import last_feed
from graphnet.check.side_by_side import Difference, Pair, TorchComparison
from graphnet.errors import GraphError
from graphnet.graph import Graph, Input, Node, Operation
from graphnet.graph.walks import ancestors
from graphnet.ops.joining import Stack
from graphnet.ops.limits import ClampBetween
from graphnet.ops.pooling import MaxPool2d
from graphnet.snapshot import Snapshot, generators_of

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op import Op

_TURNS = 5


def compare_with_torch(
    graph: Graph, feed: Mapping[Any, Tensor] | None = None, loss: Node | None = None
) -> TorchComparison:
    """Compare every value and gradient of a graph with torch's autograd, and the times of both.

    Afterwards the graph holds the values and gradients of this feed; its parameters, its running
    statistics and the random state are unchanged.

    Args:
        graph: the graph.
        feed: a tensor for each input, by node or by name; None takes those of the last walk.
        loss: the node to differentiate, one number; None takes the last operation.

    Raises:
        FeedError: an input has no value.
        GraphError: there is no operation, the loss is not one number, or torch cannot follow.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((3,), name="x", requires_grad=True)
    >>> loss = (x * x).sum()
    >>> comparison = compare_with_torch(graph, {x: empty(3).fill_(2)})
    >>> bool(comparison)
    True
    >>> print(str(comparison).partition("walk")[0])
    #  node  kind       shape  |value|  difference  |gradient|  difference
    0  x     input      (3,)         2           0           4           0
    1  mul   operation  (3,)         4           0           1           0
    2  sum   operation  ()          12           0           1           0
    <BLANKLINE>
    """
    loss = _last(graph) if loss is None else loss
    graph.index(loss)
    nodes = ancestors(list(graph), [loss])
    if feed is None:
        inputs = [each for each in nodes if isinstance(each, Input)]
        feed = last_feed(inputs, "graph.compare_with_torch({'x': tensor, ...})")
    before = Snapshot([node.top for node in graph.parameters()], generators_of(graph))
    with before:
        graph.forward(feed, outputs=loss)
        graph.backward(loss)
        ours = [_copied(node) for node in nodes]
        before.restore()
        twin = _Twin(nodes, loss)
        values, grads = twin.run(every=True)
        rows = [
            Difference.between(graph, node, mine, (values[node], grads.get(node)))
            for node, mine in zip(nodes, ours, strict=True)
        ]

        def walk() -> None:
            graph.forward(feed, outputs=loss)
            graph.backward(loss)

        seconds = _take_turns([walk, twin.run], before.restore, loss.top.is_cuda)
    return TorchComparison(rows, *seconds)


def _last(graph: Graph) -> Node:
    """The last operation that `gradients` did not append."""
    operations = [node for node in graph if isinstance(node, Operation) and not node.derived]
    if not operations:
        raise GraphError("There is nothing to compare: the graph has no operation.")
    return operations[-1]


def _copied(node: Node) -> Pair:
    """The current value and gradient of a node; a frozen one has no gradient."""
    grad = node.grad if node.requires_grad else None
    return node.top.clone(), None if grad is None else grad.clone()


class _Twin:
    """The nodes of a graph on tensors that torch's autograd tracks."""

    def __init__(self, nodes: Sequence[Node], loss: Node) -> None:
        self.nodes, self.loss = nodes, loss
        self.start = {
            node: node.top.detach().clone() for node in nodes if not isinstance(node, Operation)
        }

    def run(self, every: bool = False) -> tuple[dict[Node, Tensor], dict[Node, Tensor]]:
        """Values and gradients by torch; with `every`, those of all nodes, not only of the leaves.

        A node that torch does not track, such as one of integers, has no gradient.
        """
        values: dict[Node, Tensor] = {}
        with torch.enable_grad():
            for node in self.nodes:
                if isinstance(node, Operation):
                    values[node] = self._apply(node, values, every)
                else:
                    watched = node.requires_grad or (every and node.dtype.is_floating_point)
                    values[node] = self.start[node].detach().requires_grad_(watched)
        wanted = [
            node
            for node in self.nodes
            if values[node].requires_grad and (every or not isinstance(node, Operation))
        ]
        if not wanted or not values[self.loss].requires_grad:
            return values, {}
        tensors = [values[node] for node in wanted]
        try:
            grads = torch.autograd.grad(
                values[self.loss], tensors, allow_unused=True, materialize_grads=True
            )
        except RuntimeError as error:  # such as a forward that changes what torch has saved
            raise GraphError(f"torch's autograd cannot go back: {error}") from None
        return values, dict(zip(wanted, grads, strict=True))

    @staticmethod
    def _apply(node: Operation, values: Mapping[Node, Tensor], every: bool) -> Tensor:
        """The value of an operation, as a separate tensor."""
        arguments: list[Any] = [values[s] if isinstance(s, Node) else s.top for s in node.sources]
        try:
            result = _forward(node.op, arguments)
        except RuntimeError as error:
            raise GraphError(f"torch's autograd cannot follow {node}: {error}") from None
        if any(result is each for each in arguments):
            result = result.view_as(result)
        if every and result.dtype.is_floating_point and not result.requires_grad:
            result = result.detach().requires_grad_()  # random, and yet it has a gradient
        return result


def _forward(op: Op, arguments: list[Any]) -> Tensor:
    """The value of an op: by its own forward, or by torch's function if torch cannot follow it."""
    by_torch = _BY_TORCH.get(type(op))
    return cast("Tensor", by_torch(op, arguments) if by_torch else op.forward(*arguments))


_BY_TORCH: dict[type[Op], Callable[[Any, list[Any]], Tensor]] = {
    # Several pixels may be largest, such as zeros after a relu: torch's pooling takes the first.
    MaxPool2d: lambda op, xs: torch.nn.functional.max_pool2d(xs[0], *op.options.values()),
    # torch 2.13 does not differentiate limits that broadcast.
    ClampBetween: lambda op, xs: op.forward(*torch.broadcast_tensors(*xs)),
    # Its forward writes into parts of a new tensor, which torch does not track.
    Stack: lambda op, xs: torch.stack(xs, op.dim),
}


def _take_turns(
    runs: Sequence[Callable[[], object]], rewind: Callable[[], None], on_cuda: bool
) -> list[float]:
    """The median seconds of each; they take turns, so that a busy machine slows all of them."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(_TURNS):
        for run, mine in zip(runs, times, strict=True):
            rewind()
            start = perf_counter()
            run()
            if on_cuda:
                torch.cuda.synchronize()
            mine.append(perf_counter() - start)
    return [median(mine) for mine in times]
