"""One update of the parameters from one or several batches: by a walk, or by a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import reduce
from math import isfinite, isnan
from operator import add
from typing import TYPE_CHECKING, Any

from graphnet.compile.run.bursts import Bursts
from graphnet.errors import EmptyBatchError, NonFiniteError
from graphnet.graph.finite import non_finite_error
from graphnet.optim import clip_grad_norm_, clip_grad_value_
from graphnet.snapshot import Snapshot, buffers_of
from graphnet.train.means import shares
from graphnet.train.model_graph import numbered
from graphnet.train.updates_across import UpdateAcross

if TYPE_CHECKING:
    from graphnet.graph import Node
    from graphnet.optim import Optimizer
    from graphnet.train.across import Across
    from graphnet.train.dataset import Batch
    from graphnet.train.run import FitSettings
    from graphnet.train.training_graph import TrainingGraph

Update = Callable[[Sequence["Batch"]], list[float]]
"""Makes one update from the loss over all rows of some batches, and returns that loss.

It is the list of its terms, or one number if these need not be distinguished.

Raises NonFiniteError if the loss is NaN or infinite, and EmptyBatchError if nothing counts; then
no update was made.
"""

Shares = Sequence[tuple[float, ...]]
"""The share of each batch of an update, in each term of the loss."""

NO_UPDATE = NonFiniteError, EmptyBatchError
"""Why an update may not be made."""


def update_of(
    task: TrainingGraph,
    optimizer: Optimizer,
    settings: FitSettings,
    alike: bool,
    calls: int,
    across: Across | None = None,
) -> Update:
    """The function that makes an update.

    Args:
        task: what is learned.
        optimizer: of its parameters.
        settings: how to make updates.
        alike: False if the terms of the loss divide by different things, so that each of them has
            its own shares.
        calls: how many batches there will be.
        across: the processes that make each update together.
    """
    nodes = [task.loss] if alike else [term.node for term in task.terms]
    if across is not None and across.group.size > 1:
        return UpdateAcross(task, optimizer, settings, nodes, calls, across)
    if not settings.compile:
        return _Walked(task, optimizer, settings, nodes, calls)
    kind = _Compiled if settings.accumulate == 1 else _Accumulated
    return kind(task, optimizer, settings, nodes, calls)


@dataclass
class _Walked:
    """Updates by the walk over the list.

    Attributes:
        task: what is learned.
        optimizer: of its parameters.
        settings: how to make updates.
        nodes: the losses that are distinguished: one, or that of each term.
        calls: how many batches there will be.
    """

    task: TrainingGraph
    optimizer: Optimizer
    settings: FitSettings
    nodes: list[Node]
    calls: int

    def __post_init__(self) -> None:
        """Prepare what makes the updates: a walk needs nothing."""

    def __call__(self, batches: Sequence[Batch]) -> list[float]:
        """Make an update; batches in which nothing counts are left out."""
        means, accumulate = [0.0] * len(self.nodes), False
        several = len(batches) > 1
        parts = shares(self.task.terms, batches) if several else [(1.0,) * len(means)]
        with self._buffers_as_before():
            for batch, part in zip(batches, parts, strict=True):
                known = [place for place in range(len(means)) if part[place]]
                if known:
                    self._walk(batch, {self.nodes[at]: part[at] for at in known}, accumulate)
                    accumulate = True
                for place in known:
                    means[place] += float(self.nodes[place].top) * part[place]
            self._clip()
        self.optimizer.step()
        return means

    def _walk(self, batch: Batch, known: Mapping[Node, float], accumulate: bool) -> None:
        """Walk a batch for the gradients of some losses, multiplied by their shares."""
        values = self.task.graph.forward(self.task.feed(batch), outputs=[*known])
        for value in values:
            if self.settings.non_finite != "ignore" and not isfinite(float(value)):
                raise non_finite_error(self.task.graph, f"the loss is {float(value)}")
        pairs = zip(values, known.values(), strict=True)
        grads = [value.new_full((), share) for value, share in pairs]
        self.task.graph.backward([*known], grads, accumulate=accumulate)

    @contextmanager
    def _buffers_as_before(self) -> Iterator[None]:
        """Restore the running means of a normalization if no update is made."""
        before = Snapshot(buffers_of(self.task.graph))
        try:
            yield
        except NO_UPDATE:
            before.restore()
            raise

    def _clip(self) -> None:
        if self.settings.clip is not None:
            clip_grad_norm_(self.optimizer.parameters, self.settings.clip)
        if self.settings.clip_value is not None:
            clip_grad_value_(self.optimizer.parameters, self.settings.clip_value)


class _Compiled(_Walked):
    """Updates from one batch each, by a program.

    Attributes:
        bursts: makes several updates in one call; None if each must be made by itself.
    """

    bursts: Bursts | None = None

    def __post_init__(self) -> None:
        self._compile(self.task.loss, self.nodes)
        self.bursts = None if self._watch else Bursts(self._step)

    def _compile(self, target: Node, terms: list[Node]) -> None:
        """The program of a step, which may only add gradients."""
        self._watch = terms if len(terms) > 1 else []
        self._step: Any = self.task.graph.compile(
            target,
            self.optimizer,
            max_norm=self.settings.clip,
            clip_value=self.settings.clip_value,
            tune=self.settings.compile == "tune",
            backend=self.settings.compile if self.settings.compile in ("torch", "c") else None,
            calls=self.calls,
            check_finite=self.settings.non_finite != "ignore",
            watch=self._watch,
        )

    def __call__(self, batches: Sequence[Batch], parts: Shares = ()) -> list[float]:
        """Make an update."""
        try:
            return self._means(batches, parts)
        except NonFiniteError:
            self.optimizer.zero_grad()  # else the next update would add what was accumulated so far
            raise _explained(self.task) from None

    def _means(self, batches: Sequence[Batch], parts: Shares) -> list[float]:
        return self._losses(self.task.feed(batches[0]), True)

    def _losses(self, feed: Mapping[str, Any], last: bool) -> list[float]:
        """The losses of a batch, after a step, or before the last one after adding gradients."""
        loss = self._step(feed) if last else self._step.accumulate(feed)
        return [float(each) for each in self._step.watched] if self._watch else [float(loss)]


class _Accumulated(_Compiled):
    """Updates from several batches, by a program: the losses of each are multiplied by its shares.

    If nothing counts in one of the batches, its mean does not exist, and the list is walked.
    """

    def __post_init__(self) -> None:
        names = numbered("share", len(self.nodes))
        self._inputs = [
            self.task.graph.input((), name=name, dtype=node.dtype)
            for name, node in zip(names, self.nodes, strict=True)
        ]
        terms = [node * share for node, share in zip(self.nodes, self._inputs, strict=True)]
        self._compile(reduce(add, terms), terms)

    def __call__(self, batches: Sequence[Batch], parts: Shares = ()) -> list[float]:
        """Make an update."""
        parts = parts or shares(self.task.terms, batches)
        if not all(map(all, parts)) or any(map(isnan, parts[0])):
            return _Walked.__call__(self, batches)
        return super().__call__(batches, parts)

    def _means(self, batches: Sequence[Batch], parts: Shares) -> list[float]:
        means = [0.0] * len(self.nodes)
        # a step leaves the buffers unchanged; those of several batches are restored here
        with self._buffers_as_before() if len(batches) > 1 else nullcontext():
            for place, (batch, part) in enumerate(zip(batches, parts, strict=True), start=1):
                one, fed = batch.inputs[0], zip(self._inputs, part, strict=False)
                feed = self.task.feed(batch)
                feed |= {each.name: one.new_full((), x, dtype=each.dtype) for each, x in fed}
                losses = self._losses(feed, place == len(batches))
                means = [mean + loss for mean, loss in zip(means, losses, strict=True)]
        return means


def _explained(task: TrainingGraph) -> NonFiniteError:
    """Why a step was not made; the list is walked to find out."""
    value = sum(float(term.node.top) for term in task.terms)
    if isfinite(value):
        return NonFiniteError(
            f"the loss is {value:.4g}, and the norm of its gradients is NaN or infinite, so that "
            "they cannot be clipped. The parameters are as before this step. A smaller learning "
            "rate, or inputs of a smaller range, may help."
        )
    return non_finite_error(task.graph, f"the loss is {value}")
