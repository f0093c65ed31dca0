"""A training step of several processes: each computes with its rows, and all make one update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import torch

from graphnet.compile.run.bystander import Bystander, non_finite_across
from graphnet.compile.run.update import Update
from graphnet.compile.run.weighted import WeightedStep
from graphnet.distributed.packet import sum_gradients
from graphnet.errors import EmptyBatchError, FeedError, GraphError, NonFiniteError
from graphnet.graph import Input, Operation
from graphnet.graph.guards import Exclusive
from graphnet.graph.walks import ancestors
from graphnet.notebook import Source
from graphnet.ops.running import Several
from graphnet.snapshot import Snapshot, buffers_of
from graphnet.validation import require_range

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.build import Clip
    from graphnet.compile.run.compiled import Options
    from graphnet.distributed.group import Group
    from graphnet.graph import Graph, Node
    from graphnet.optim.base import Optimizer


class StepAcross:
    """A training step of the processes of a group; what `graph.compile(..., across=group)` returns.

    Each process is given its rows of a batch. Their gradients are summed, with the losses, in one
    call, and every process makes the same update. The loss is the mean over the rows of all of
    them, each process weighted by its rows.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> group = gn.distributed.join()
    >>> graph = gn.Graph()
    >>> x = graph.input((None,), name="x")
    >>> w = graph.parameter(empty(()).fill_(1), name="w")
    >>> step = graph.compile(((x * w) ** 2).mean(), gn.SGD([w], lr=0.1), across=group)
    >>> rows = empty(4).fill_(1)
    >>> step(x=rows[group.part(4)])
    tensor(1.)
    >>> w.top
    tensor(0.8000)

    Attributes:
        graph: the list that is compiled.
        loss: the number that is made smaller.
        optimizer: what updates the parameters.
        group: the processes.
    """

    def __init__(
        self,
        graph: Graph,
        loss: Node,
        optimizer: Optimizer,
        clip: Clip,
        options: Options,
        check_finite: bool,
        watch: Sequence[Node],
        group: Group,
    ) -> None:
        self.graph, self.loss, self.optimizer, self.group = graph, loss, optimizer, group
        self._half = WeightedStep(graph, loss, optimizer, options, watch)
        self._update = Update(optimizer, clip, options, check_finite)
        self._bystander = Bystander(graph, [loss], optimizer)
        self._exclusive = Exclusive()
        self._buffers: Snapshot | None  # as they were before the first part of this update
        self._fed: Mapping[str, Tensor]  # the last part
        self._total: float  # of the losses of the parts so far, each times its weight
        self._weight: float  # of these parts
        self._finite: bool  # whether all their losses are
        self._drop()

    def __call__(
        self,
        feed: Mapping[Any, Tensor] | None = None,
        weight: float | None = None,
        /,
        **named: Tensor,
    ) -> Tensor:
        """Make one step, and return the loss of all processes before it as a new tensor.

        Args:
            feed: tensors by node or by name: the rows of this process, of which there may be none.
            weight: how much they count in the mean, such as the sum of the weights of their
                classes; their number if None.
            named: tensors by the names of their inputs.

        Raises:
            FeedError: a feed is missing, misnamed, or not what its input requires; or inputs have
                different numbers of rows, and no weight is given.
            ShapeError: the fed sizes do not fit together.
            NonFiniteError: the loss of a process is NaN or infinite; all processes raise it, and
                parameters and state are as before.
            ProcessError: another process has ended, or does not come.
        """
        with self._exclusive:
            self._add(feed, weight, named)
            return self._finish()

    def accumulate(
        self,
        feed: Mapping[Any, Tensor] | None = None,
        weight: float | None = None,
        /,
        **named: Tensor,
    ) -> Tensor:
        """Add to the gradients without an update; the next step adds its own, and updates.

        Nothing is sent. Each part counts by its weight: the update is that of one batch.

        Returns:
            The loss of this process.
        """
        with self._exclusive:
            return self._add(feed, weight, named)

    @property
    def source(self) -> Source:
        """The source that the last call ran: gradients, their sum, and the update."""
        between = "# the gradients of all processes are summed here, in one call"
        return Source(f"{self._half.source}\n{between}\n\n{self._update.step.source}")

    @property
    def watched(self) -> tuple[Tensor, ...]:
        """The values of the watched nodes in this process in the last step, as new tensors."""
        return self._half.watched

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.graph.name_of(self.loss)!r}, {self.group!r}>"

    # the parts of a step

    def _add(
        self, feed: Mapping[Any, Tensor] | None, weight: float | None, named: dict[str, Any]
    ) -> Tensor:
        """Add the weighted gradients of some rows."""
        fed = self._half._bound(feed, named)
        counts = self._rows(fed) if weight is None else require_range("weight", weight)
        first, self._fed = self._buffers is None, fed
        self._buffers = self._buffers or Snapshot(buffers_of(self.graph))
        try:
            loss = self._gradients(fed, counts, first)
        except BaseException:
            self._restore()
            raise
        value = float(loss) if counts else 0.0
        self._total += value * counts
        self._weight += counts
        self._finite = self._finite and isfinite(value)
        return loss

    def _gradients(self, fed: Mapping[str, Tensor], counts: float, first: bool) -> Tensor:
        if counts:
            return self._half.add(fed, counts, first=first)
        self._bystander.walk(fed, {}, accumulate=not first)
        return torch.zeros((), dtype=self.loss.dtype)

    def _finish(self) -> Tensor:
        """Sum over the processes, and update."""
        group, finite = self.group, self._finite
        try:
            flags = [float(not finite), 0.0 if finite else float(group.rank)]
            buckets = self.optimizer.prepared()
            total, weight, *flags = sum_gradients(
                group, buckets, [self._total, self._weight, *flags]
            )
            if not weight:
                raise EmptyBatchError("No process has rows in this step: their weights sum to 0.")
            for bucket in buckets:
                bucket.grad.div_(weight)
            self._update(total / weight)
        except NonFiniteError:
            self._restore()
            raise non_finite_across(
                self.graph, [self.loss], self._fed, group, (total / weight, *flags)
            ) from None
        except BaseException:
            self._restore()
            raise
        self._drop()
        return torch.full((), total / weight, dtype=self.loss.dtype, device=buckets[0].grad.device)

    def _rows(self, fed: Mapping[str, Tensor]) -> float:
        """How many rows the inputs have whose first size is open."""
        inputs = [node for node in self.graph.inputs if isinstance(node, Input)]
        open_ = [node for node in inputs if node.name in fed and node.shape[:1] == (None,)]
        sizes = {fed[node.name].shape[0] for node in open_}
        if len(sizes) != 1:
            raise FeedError(
                "How much the rows of this process count is the number of rows, if all inputs with "
                f"an open first size have as many; got {sorted(sizes)}. Give their weight after "
                "the feed: step({'x': x}, weight)."
            )
        return float(sizes.pop())

    def _restore(self) -> None:
        """Forget this update: no gradient is left, and running statistics are as before."""
        if self._buffers is not None:
            self._buffers.restore()
        self.optimizer.zero_grad()
        self._drop()

    def _drop(self) -> None:
        """Begin another update."""
        self._buffers, self._fed = None, {}
        self._total = self._weight = 0.0
        self._finite = True


def require_synchronized(graph: Graph, loss: Node) -> None:
    """Refuse batch norms that take their statistics from the rows of one process.

    Raises:
        GraphError: there is one.
    """
    for node in ancestors(list(graph), [loss]):
        if isinstance(node, Operation) and isinstance(node.op, Several) and 0 in node.op.dims:
            raise GraphError(
                f"{node} belongs to a batch norm over the rows of this process alone. Build the "
                "list inside `with group.synchronized():` for the statistics of all rows, or pass "
                "sync=False to graph.compile."
            )
