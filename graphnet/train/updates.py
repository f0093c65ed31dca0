"""One update of the parameters from one or several batches: by the walk, or by a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from graphnet.errors import NonFiniteError
from graphnet.graph import Input
from graphnet.graph.finite import non_finite_error
from graphnet.optim import clip_grad_norm_, clip_grad_value_

if TYPE_CHECKING:
    from graphnet.optim import Optimizer
    from graphnet.train.dataset import Batch
    from graphnet.train.task import Task

Update = Callable[[Sequence["Batch"]], float]
"""Makes one update from the mean loss over the rows of some batches, and returns that mean.

Raises NonFiniteError where the loss is NaN or infinite; then no update was made.
"""


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


def update_of(task: Task, optimizer: Optimizer, way: Way, accumulate: int) -> Update:
    """The function that makes an update.

    Args:
        task: what is learned.
        optimizer: of its parameters.
        way: how.
        accumulate: how many batches make one update at most.
    """
    if way.compile:
        return _compiled(task, optimizer, way, accumulate)
    return _walked(task, optimizer, way)


def _walked(task: Task, optimizer: Optimizer, way: Way) -> Update:
    """Updates by the walk over the list."""

    def update(batches: Sequence[Batch]) -> float:
        with _buffers_as_before(task):
            return mean_of(batches)

    def mean_of(batches: Sequence[Batch]) -> float:
        rows, mean = sum(map(len, batches)), 0.0
        for place, batch in enumerate(batches):
            loss = task.graph.forward(task.feed(batch), outputs=task.loss)
            value = float(loss)
            if way.check_finite and not isfinite(value):
                raise non_finite_error(task.graph, f"the loss is {value}")
            share = loss.new_full((), len(batch) / rows) if len(batches) > 1 else None
            task.graph.backward(task.loss, share, accumulate=place > 0)
            mean += value * len(batch) / rows
        _clip(optimizer, way)
        optimizer.step()
        return mean

    return update


@contextmanager
def _buffers_as_before(task: Task) -> Iterator[None]:
    """Put the running means of a normalization back where no update is made."""
    kept = [(each, each.top.clone()) for each in task.graph.parameters() if each.is_buffer]
    try:
        yield
    except NonFiniteError:
        for buffer, before in kept:
            buffer.top.copy_(before)
        raise


def _clip(optimizer: Optimizer, way: Way) -> None:
    if way.clip is not None:
        clip_grad_norm_(optimizer.parameters, way.clip)
    if way.clip_value is not None:
        clip_grad_value_(optimizer.parameters, way.clip_value)


def _compiled(task: Task, optimizer: Optimizer, way: Way, accumulate: int) -> Update:
    """The same by a program.

    Where several batches make an update, the loss of each is multiplied by its share of the rows.
    """
    target = task.loss
    if accumulate > 1:
        with task.graph:
            target = target * Input((), name="share", dtype=target.dtype)
    step: Any = task.graph.compile(
        target,
        optimizer,
        max_norm=way.clip,
        clip_value=way.clip_value,
        tune=way.compile == "tune",
        check_finite=way.check_finite,
    )

    def update(batches: Sequence[Batch]) -> float:
        try:
            # a step leaves the buffers as before; those of several batches are put back here
            with _buffers_as_before(task) if len(batches) > 1 else nullcontext():
                return mean_of(batches)
        except NonFiniteError:
            optimizer.zero_grad()  # or the next update would add what was accumulated so far
            raise _explained(task) from None

    def mean_of(batches: Sequence[Batch]) -> float:
        if accumulate == 1:
            return float(step(task.feed(batches[0])))
        rows, mean = sum(map(len, batches)), 0.0
        for place, batch in enumerate(batches, start=1):
            share = batch.inputs[0].new_full((), len(batch) / rows, dtype=target.dtype)
            feed = {**task.feed(batch), "share": share}
            mean += float(step(feed) if place == len(batches) else step.accumulate(feed))
        return mean

    return update


def _explained(task: Task) -> NonFiniteError:
    """Why a step was not made, after the list was walked to find out."""
    value = float(task.loss.top)
    if isfinite(value):
        return NonFiniteError(
            f"the loss is {value:.4g}, and the norm of its gradients is NaN or infinite, so that "
            "they cannot be clipped. The parameters are as before this step. A smaller learning "
            "rate, or inputs of a smaller range, may help."
        )
    return non_finite_error(task.graph, f"the loss is {value}")
