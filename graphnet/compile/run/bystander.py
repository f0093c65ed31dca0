"""What a process does in a step in which its rows count for nothing.

A mean over its rows does not exist. But the others wait for it wherever they sum over all
processes, in the forward and in the backward pass; there it takes part, with gradients of zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from graphnet.errors import EmptyBatchError, NonFiniteError
from graphnet.graph import Operation
from graphnet.graph.derivatives import reached
from graphnet.graph.finite import non_finite_error
from graphnet.graph.walks import ancestors
from graphnet.ops.processes import SumAcross
from graphnet.snapshot import Snapshot, buffers_of, generators_of

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.distributed.group import Group
    from graphnet.graph import Graph, Node, Parameter
    from graphnet.optim.base import Optimizer


class Bystander:
    """Walks a list for the gradients of those losses that count here, and takes part in all sums.

    Args:
        graph: the list.
        losses: what is made smaller: their sum.
        optimizer: of the parameters that need gradients.
    """

    def __init__(self, graph: Graph, losses: list[Node], optimizer: Optimizer) -> None:
        self.graph, self.losses = graph, losses
        walked = ancestors(list(graph), losses)
        found = {node for loss in losses for node in reached(walked, loss)}
        self._watched = [each for each in walked if is_sum(each) or _keeps(each)]
        self._differentiated = [node for node in self._watched if is_sum(node) and node in found]
        self._learned: list[Parameter] = [each for each in optimizer.parameters if each in found]

    def walk(
        self, feed: Mapping[str, Tensor], shares: Mapping[Node, float], accumulate: bool
    ) -> dict[Node, float]:
        """Add to the gradients, and return the losses that were computed.

        Args:
            feed: the rows of this process, of which there may be none.
            shares: the losses that exist here, with the factor of each.
            accumulate: True to add to gradients that no step has used yet.
        """
        known = [node for node in self.losses if node in shares]
        targets: list[Any] = [*dict.fromkeys([*known, *self._watched])]
        values = dict(zip(targets, self._forward(feed, targets), strict=True))
        seeds: dict[Node, Tensor] = {
            node: values[node].new_zeros(values[node].shape) for node in self._differentiated
        }
        for node in known:
            seeds[node] = values[node].new_full((), shares[node])
        if seeds:
            self.graph.backward([*seeds], [*seeds.values()], accumulate=accumulate)
        self.fill(accumulate or bool(seeds))
        return {node: float(values[node]) for node in known}

    def _forward(self, feed: Mapping[str, Tensor], targets: list[Node]) -> tuple[Tensor, ...]:
        return self.graph.forward(feed, outputs=targets) if targets else ()

    def fill(self, keep: bool) -> None:
        """Zeros as the gradients of the parameters that have none.

        Args:
            keep: True to leave gradients alone that no step has used yet.
        """
        for each in self._learned:
            if each.requires_grad and not (keep and each.fresh):
                each.grad = each.top.new_zeros(each.shape)


def is_sum(node: Node) -> bool:
    """True for a sum over processes."""
    return isinstance(node, Operation) and isinstance(node.op, SumAcross)


def _keeps(node: Node) -> bool:
    """True for what moves a running statistic."""
    return isinstance(node, Operation) and node.op.mutates


@contextmanager
def apart(graph: Graph, whole: bool = False) -> Iterator[None]:
    """Inside, a walk sums over no processes: the others do not make it; see `Group.apart`."""
    groups: list[Any] = [cast("Operation", node).op for node in graph if is_sum(node)]
    with ExitStack() as stack:
        for group in dict.fromkeys(each.group for each in groups):
            stack.enter_context(group.apart(whole))
        yield


def non_finite_across(
    graph: Graph,
    targets: list[Node],
    fed: Mapping[str, Tensor],
    group: Group,
    seen: Sequence[float],
) -> NonFiniteError:
    """The error for a step that no process makes, in the words of this one.

    Args:
        graph: the list.
        targets: the losses.
        fed: the rows of this process.
        group: the processes.
        seen: the loss of all processes, how many have one that is not finite, and the sum of their
            ranks.
    """
    loss, count, ranks = seen
    if isfinite(loss):
        return NonFiniteError(
            f"the loss is {loss:.4g}, and the norm of its gradients is NaN or infinite, so that "
            "they cannot be clipped. The parameters are as before this step. A smaller learning "
            "rate, or inputs of a smaller range, may help."
        )
    with Snapshot(buffers_of(graph), generators_of(graph)), apart(graph), suppress(EmptyBatchError):
        values = graph.forward(fed, outputs=targets)
        if not all(map(isfinite, values)):
            return non_finite_error(graph, f"the loss of rank {group.rank} is not finite")
    who = f"that of rank {round(ranks)}" if round(count) == 1 else f"those of {round(count)} ranks"
    return NonFiniteError(
        f"the loss of all {group.size} processes is {loss}: {who} {'is' if count == 1 else 'are'} "
        f"not finite; that of this one, rank {group.rank}, is. No process has made an update. The "
        "message of the other names the first value that is not finite."
    )
