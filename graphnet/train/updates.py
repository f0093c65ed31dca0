"""One update of the parameters from one or several batches: by the walk, or by a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from graphnet.errors import EmptyBatchError, NonFiniteError
from graphnet.graph import Input, Node
from graphnet.graph.finite import non_finite_error
from graphnet.optim import clip_grad_norm_, clip_grad_value_
from graphnet.train.means import shares

if TYPE_CHECKING:
    from graphnet.optim import Optimizer
    from graphnet.train.dataset import Batch
    from graphnet.train.task import Task

Update = Callable[[Sequence["Batch"]], float]
"""Makes one update from the loss over all rows of some batches, and returns that loss.

Raises NonFiniteError where the loss is NaN or infinite, and EmptyBatchError where nothing counts;
then no update was made.
"""

NO_UPDATE = NonFiniteError, EmptyBatchError
"""Why there may be no update."""


@dataclass(frozen=True)
class Way:
    """How updates are made.

    Attributes:
        compile: True for a compiled program, False for the walk over the list, "tune" for a
            program whose kernels are chosen by measuring.
        clip: the largest common norm of the gradients; None for any.
        clip_value: the largest element of a gradient; None for any.
        check_finite: False to go on where the loss is NaN or infinite.
    """

    compile: bool | str = True
    clip: float | None = None
    clip_value: float | None = None
    check_finite: bool = True


def update_of(
    task: Task, optimizer: Optimizer, way: Way, accumulate: int, alike: bool = True
) -> Update:
    """The function that makes an update.

    Args:
        task: what is learned.
        optimizer: of its parameters.
        way: how.
        accumulate: how many batches make one update at most.
        alike: False if the terms of the loss divide by different things, so that each of them
            has shares of its own.
    """
    walked = _walked(task, optimizer, way, alike)
    if not way.compile:
        return walked
    if accumulate == 1:
        return _compiled(task, optimizer, way)
    return _accumulated(task, optimizer, way, alike, walked)


def _walked(task: Task, optimizer: Optimizer, way: Way, alike: bool) -> Update:
    """Updates by the walk over the list."""

    def update(batches: Sequence[Batch]) -> float:
        with _buffers_as_before(task):
            mean = sum(_added(task, way, each) for each in _parts(task, batches, alike))
            _clip(optimizer, way)
        optimizer.step()
        return mean

    return update


@dataclass(frozen=True)
class _Part:
    """A batch, the losses that it has a part in, and which part; added to what came before."""

    batch: Batch
    nodes: list[Node]
    shares: list[float]
    add: bool


def _parts(task: Task, batches: Sequence[Batch], alike: bool) -> Iterator[_Part]:
    """What is walked for an update; batches in which nothing counts are left out."""
    if len(batches) == 1:
        yield _Part(batches[0], [task.loss], [1.0], add=False)
        return
    nodes = [task.loss] if alike else [term.node for term in task.terms]
    add = False
    for batch, parts in zip(batches, shares(task.terms, batches), strict=True):
        known = [(node, part) for node, part in zip(nodes, parts, strict=False) if part]
        if known:
            yield _Part(batch, [node for node, _ in known], [part for _, part in known], add)
            add = True


def _added(task: Task, way: Way, part: _Part) -> float:
    """The loss of a part; its gradients are added to those of the parts before."""
    values = task.graph.forward(task.feed(part.batch), outputs=part.nodes)
    mean = 0.0
    for value, share in zip(values, part.shares, strict=True):
        if way.check_finite and not isfinite(float(value)):
            raise non_finite_error(task.graph, f"the loss is {float(value)}")
        mean += float(value) * share
    grads = [value.new_full((), share) for value, share in zip(values, part.shares, strict=True)]
    task.graph.backward(part.nodes, grads, accumulate=part.add)
    return mean


@contextmanager
def _buffers_as_before(task: Task) -> Iterator[None]:
    """Put the running means of a normalization back where no update is made."""
    kept = [(each, each.top.clone()) for each in task.graph.parameters() if each.is_buffer]
    try:
        yield
    except NO_UPDATE:
        for buffer, before in kept:
            buffer.top.copy_(before)
        raise


def _clip(optimizer: Optimizer, way: Way) -> None:
    if way.clip is not None:
        clip_grad_norm_(optimizer.parameters, way.clip)
    if way.clip_value is not None:
        clip_grad_value_(optimizer.parameters, way.clip_value)


def _step(task: Task, target: Node, optimizer: Optimizer, way: Way) -> Any:
    """The program of a step."""
    return task.graph.compile(
        target,
        optimizer,
        max_norm=way.clip,
        clip_value=way.clip_value,
        tune=way.compile == "tune",
        check_finite=way.check_finite,
    )


def _compiled(task: Task, optimizer: Optimizer, way: Way) -> Update:
    """Updates from one batch each, by a program."""
    step = _step(task, task.loss, optimizer, way)

    def update(batches: Sequence[Batch]) -> float:
        try:
            return float(step(task.feed(batches[0])))
        except NonFiniteError:
            optimizer.zero_grad()
            raise _explained(task) from None

    return update


def _accumulated(task: Task, optimizer: Optimizer, way: Way, alike: bool, walked: Update) -> Update:
    """Updates from several batches, by a program: the losses of each are multiplied by its shares.

    Where nothing counts in one of the batches, its mean does not exist, and the list is walked.
    """
    nodes = [task.loss] if alike else [term.node for term in task.terms]
    names = ["share"] if alike else [f"share{place}" for place in range(len(nodes))]
    with task.graph:
        inputs = [
            Input((), name=name, dtype=node.dtype) for name, node in zip(names, nodes, strict=True)
        ]
        target = nodes[0] * inputs[0]
        for node, share in zip(nodes[1:], inputs[1:], strict=True):
            target = target + node * share
    step = _step(task, target, optimizer, way)

    def update(batches: Sequence[Batch]) -> float:
        parts = shares(task.terms, batches)
        if not all(map(all, parts)) or any(map(isnan, parts[0])):
            return walked(batches)
        try:
            # a step leaves the buffers as before; those of several batches are put back here
            with _buffers_as_before(task) if len(batches) > 1 else nullcontext():
                return mean_of(batches, parts)
        except NonFiniteError:
            optimizer.zero_grad()  # or the next update would add what was accumulated so far
            raise _explained(task) from None

    def mean_of(batches: Sequence[Batch], parts: Sequence[tuple[float, ...]]) -> float:
        mean = 0.0
        for place, (batch, part) in enumerate(zip(batches, parts, strict=True), start=1):
            fed = zip(inputs, part, strict=False)
            given = {
                each.name: batch.inputs[0].new_full((), x, dtype=each.dtype) for each, x in fed
            }
            feed = {**task.feed(batch), **given}
            mean += float(step(feed) if place == len(batches) else step.accumulate(feed))
        return mean

    return update


def _explained(task: Task) -> NonFiniteError:
    """Why a step was not made, after the list was walked to find out."""
    value = sum(float(term.node.top) for term in task.terms)
    if isfinite(value):
        return NonFiniteError(
            f"the loss is {value:.4g}, and the norm of its gradients is NaN or infinite, so that "
            "they cannot be clipped. The parameters are as before this step. A smaller learning "
            "rate, or inputs of a smaller range, may help."
        )
    return non_finite_error(task.graph, f"the loss is {value}")
