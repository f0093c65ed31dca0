"""One update of the parameters from one or several batches: by a walk, or by a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from graphnet.compile.run.bursts import Bursts
from graphnet.errors import EmptyBatchError, NonFiniteError
from graphnet.graph import Input, Node
from graphnet.graph.finite import non_finite_error
from graphnet.optim import clip_grad_norm_, clip_grad_value_
from graphnet.snapshot import Snapshot, buffers_of
from graphnet.train.means import shares

if TYPE_CHECKING:
    from graphnet.optim import Optimizer
    from graphnet.train.dataset import Batch
    from graphnet.train.training_graph import TrainingGraph

Update = Callable[[Sequence["Batch"]], list[float]]
"""Makes one update from the loss over all rows of some batches, and returns that loss.

It is the list of its terms, or one number if these need not be distinguished.

Raises NonFiniteError if the loss is NaN or infinite, and EmptyBatchError if nothing counts; then
no update was made.
"""

NO_UPDATE = NonFiniteError, EmptyBatchError
"""Why an update may not be made."""


@dataclass(frozen=True)
class UpdateOptions:
    """How updates are made.

    Attributes:
        compile: True for a compiled program, False for the walk over the list, "tune" for a program
            whose kernels are chosen by measuring, "torch" or "c" to fix its backend.
        clip: the largest common norm of the gradients; None for any.
        clip_value: the largest element of a gradient; None for any.
        check_finite: False to go on if the loss is NaN or infinite.
        calls: how many batches there will be; None if that is not known.
    """

    compile: bool | str = True
    clip: float | None = None
    clip_value: float | None = None
    check_finite: bool = True
    calls: int | None = None


def update_of(
    task: TrainingGraph,
    optimizer: Optimizer,
    options: UpdateOptions,
    accumulate: int,
    alike: bool = True,
) -> Update:
    """The function that makes an update.

    Args:
        task: what is learned.
        optimizer: of its parameters.
        options: how to make updates.
        accumulate: how many batches make one update at most.
        alike: False if the terms of the loss divide by different things, so that each of them has
            its own shares.
    """
    nodes = [task.loss] if alike else [term.node for term in task.terms]
    walked = _walked(task, optimizer, options, nodes)
    if not options.compile:
        return walked
    if accumulate == 1:
        return _compiled(task, optimizer, options, nodes)
    return _accumulated(task, optimizer, options, nodes, walked)


def _walked(
    task: TrainingGraph, optimizer: Optimizer, options: UpdateOptions, nodes: list[Node]
) -> Update:
    """Updates by the walk over the list."""

    def update(batches: Sequence[Batch]) -> list[float]:
        means = [0.0] * len(nodes)
        with _buffers_as_before(task):
            for part in _parts(task, batches, nodes):
                for place, value in zip(part.places, _added(task, options, part), strict=True):
                    means[place] += value
            _clip(optimizer, options)
        optimizer.step()
        return means

    return update


@dataclass(frozen=True)
class _Part:
    """A batch, the losses that it contributes to, and its share; added to the parts before."""

    batch: Batch
    places: list[int]
    nodes: list[Node]
    shares: list[float]
    add: bool


def _parts(task: TrainingGraph, batches: Sequence[Batch], nodes: list[Node]) -> Iterator[_Part]:
    """What is walked for an update; batches in which nothing counts are left out."""
    if len(batches) == 1:
        yield _Part(batches[0], [*range(len(nodes))], nodes, [1.0] * len(nodes), add=False)
        return
    add = False
    for batch, parts in zip(batches, shares(task.terms, batches), strict=True):
        known = [place for place in range(len(nodes)) if parts[place]]
        if known:
            chosen, counts = [nodes[place] for place in known], [parts[place] for place in known]
            yield _Part(batch, known, chosen, counts, add)
            add = True


def _added(task: TrainingGraph, options: UpdateOptions, part: _Part) -> list[float]:
    """The losses of a part; their gradients are added to those of the parts before."""
    values = task.graph.forward(task.feed(part.batch), outputs=part.nodes)
    for value in values:
        if options.check_finite and not isfinite(float(value)):
            raise non_finite_error(task.graph, f"the loss is {float(value)}")
    pairs = list(zip(values, part.shares, strict=True))
    grads = [value.new_full((), share) for value, share in pairs]
    task.graph.backward(part.nodes, grads, accumulate=part.add)
    return [float(value) * share for value, share in pairs]


@contextmanager
def _buffers_as_before(task: TrainingGraph) -> Iterator[None]:
    """Restore the running means of a normalization if no update is made."""
    before = Snapshot(buffers_of(task.graph))
    try:
        yield
    except NO_UPDATE:
        before.restore()
        raise


def _clip(optimizer: Optimizer, options: UpdateOptions) -> None:
    if options.clip is not None:
        clip_grad_norm_(optimizer.parameters, options.clip)
    if options.clip_value is not None:
        clip_grad_value_(optimizer.parameters, options.clip_value)


def _step(
    task: TrainingGraph,
    target: Node,
    optimizer: Optimizer,
    options: UpdateOptions,
    terms: Sequence[Node],
) -> _Step:
    """The program of a step."""
    watch = terms if len(terms) > 1 else ()
    compiled: Any = task.graph.compile(
        target,
        optimizer,
        max_norm=options.clip,
        clip_value=options.clip_value,
        tune=options.compile == "tune",
        backend=options.compile if options.compile in ("torch", "c") else None,
        calls=options.calls,
        check_finite=options.check_finite,
        watch=watch,
    )
    return _Step(compiled, bool(watch))


@dataclass(frozen=True)
class _Step:
    """A program that makes a step, or only adds gradients, and returns the losses of a batch.

    Attributes:
        compiled: the program.
        watches: True if the loss has several terms, which are watched.
    """

    compiled: Any
    watches: bool

    def __call__(self, feed: Mapping[str, Any], last: bool) -> list[float]:
        step = self.compiled
        loss = step(feed) if last else step.accumulate(feed)
        return [float(each) for each in step.watched] if self.watches else [float(loss)]


def _compiled(
    task: TrainingGraph, optimizer: Optimizer, options: UpdateOptions, nodes: list[Node]
) -> Update:
    """Updates from one batch each, by a program."""
    return CompiledUpdate(task, optimizer, _step(task, task.loss, optimizer, options, nodes))


class CompiledUpdate:
    """Updates from one batch each, by a program, which may make several in one call.

    Args:
        task: what is learned.
        optimizer: of its parameters.
        step: the program.
    """

    def __init__(self, task: TrainingGraph, optimizer: Optimizer, step: _Step) -> None:
        self._task, self._optimizer, self._step = task, optimizer, step
        self.bursts = Bursts(step.compiled) if not step.watches else None

    def __call__(self, batches: Sequence[Batch]) -> list[float]:
        """Make an update."""
        try:
            return self._step(self._task.feed(batches[0]), True)
        except NonFiniteError:
            self._optimizer.zero_grad()
            raise _explained(self._task) from None


def _accumulated(
    task: TrainingGraph,
    optimizer: Optimizer,
    options: UpdateOptions,
    nodes: list[Node],
    walked: Update,
) -> Update:
    """Updates from several batches, by a program: the losses of each are multiplied by its shares.

    If nothing counts in one of the batches, its mean does not exist, and the list is walked.
    """
    names = ["share"] if len(nodes) == 1 else [f"share{place}" for place in range(len(nodes))]
    with task.graph:
        inputs = [
            Input((), name=name, dtype=node.dtype) for name, node in zip(names, nodes, strict=True)
        ]
        terms = [node * share for node, share in zip(nodes, inputs, strict=True)]
        target = terms[0]
        for term in terms[1:]:
            target = target + term
    step = _step(task, target, optimizer, options, terms)

    def update(batches: Sequence[Batch]) -> list[float]:
        parts = shares(task.terms, batches)
        if not all(map(all, parts)) or any(map(isnan, parts[0])):
            return walked(batches)
        try:
            # a step leaves the buffers unchanged; those of several batches are restored here
            with _buffers_as_before(task) if len(batches) > 1 else nullcontext():
                return mean_of(batches, parts)
        except NonFiniteError:
            optimizer.zero_grad()  # else the next update would add what was accumulated so far
            raise _explained(task) from None

    def mean_of(batches: Sequence[Batch], parts: Sequence[tuple[float, ...]]) -> list[float]:
        means = [0.0] * len(nodes)
        for place, (batch, part) in enumerate(zip(batches, parts, strict=True), start=1):
            fed = zip(inputs, part, strict=False)
            given = {
                each.name: batch.inputs[0].new_full((), x, dtype=each.dtype) for each, x in fed
            }
            feed = {**task.feed(batch), **given}
            losses = step(feed, place == len(batches))
            means = [mean + loss for mean, loss in zip(means, losses, strict=True)]
        return means

    return update


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
