"""Loss and metrics of a model on data that it does not learn from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch

from graphnet.errors import EmptyBatchError, FeedError, GraphError, RangeError
from graphnet.train.dataset import Batch, Transform, described, single
from graphnet.train.in_words_of_data import at_measured_row
from graphnet.train.means import Counts, Means
from graphnet.train.parts import emptied, passes
from graphnet.train.random_states import same_random_numbers
from graphnet.train.sources import Source, source_of
from graphnet.train.training_graph import Losses, TrainingGraph
from graphnet.validation import must_be, require_counts

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch import Tensor

    from graphnet.layers import Module
    from graphnet.train.across import Across


@runtime_checkable
class Accumulating(Protocol):
    """A metric that is given one batch after another, such as those of torchmetrics."""

    def reset(self) -> None:
        """Forget all batches."""
        ...

    def update(self, outputs: Any, targets: Any) -> None:
        """Take note of a batch: outputs and targets, each a tensor or a tuple."""
        ...

    def compute(self) -> Any:
        """The number for all batches since `reset`."""
        ...


Metric = Callable[[Any, Any], Any] | Accumulating
"""A function of all outputs and all targets, each a tensor or a tuple; or an `Accumulating`."""

Metrics = Mapping[str, Metric] | Sequence[Metric]


def evaluate(
    model: Module,
    loss: Losses,
    data: Any,
    *,
    metrics: Metrics = (),
    batch_size: int = 1000,
    compile: bool = True,
    transform: Transform | None = None,
    workers: int = 0,
) -> dict[str, float]:
    """The loss and the metrics of a model in evaluation mode, over all rows together.

    The loss is that of one batch of all rows: a mean divides by what all of them count, such as the
    weights of their classes, and a sum is the sum over all.

    Args:
        model: is not changed.
        loss: as for `fit`.
        data: as for `fit`, such as the pair (inputs, targets); without targets, they are the
            inputs.
        metrics: functions such as `metrics.accuracy`, or a dict of them by name. Each is given all
            outputs and all targets at once; an object with `reset`, `update` and `compute` is given
            one batch after another.
        batch_size: rows that are computed at once; it does not change the result. A loader or an
            iterable has batches of its own.
        compile: False to walk the list.
        transform: changes the inputs of each batch, as for `fit`.
        workers: processes that read a data set of items ahead.

    Raises:
        FeedError: the data are not of such a form.
        RangeError: the batch size is not an integer of 1 or more.
        EmptyBatchError: nothing in the data counts, for instance because all labels are ignored.

    >>> import graphnet as gn
    >>> points, labels = gn.data.disk(100)
    >>> model = gn.Linear(2, 2)
    >>> measures = [gn.metrics.accuracy]
    >>> list(evaluate(model, gn.LossCrossEntropy(), (points, labels), metrics=measures))
    ['loss', 'accuracy']
    """
    require_counts(batch_size=batch_size)
    given = source_of(data, batch_size=batch_size, transform=transform, workers=workers)
    with torch.no_grad(), same_random_numbers():
        task = TrainingGraph(model, loss, given.example(batch_size))
        return Evaluation(task, given, metrics, batch_size, compile)()


class Evaluation:
    """Measures the loss and the metrics of a task on a data set.

    Args:
        task: what is measured.
        data: the rows.
        metrics: functions, or a dict of them by name.
        batch_size: rows that are computed at once.
        compile: False to walk the list.
        across: the processes that take some rows of each batch; None for this one alone.
    """

    def __init__(
        self,
        task: TrainingGraph,
        data: Source,
        metrics: Metrics,
        batch_size: int,
        compile: bool,
        across: Across | None = None,
    ) -> None:
        require_counts(batch_size=batch_size)
        self._across, self._group = across, None if across is None else across.group
        self.task, self.data, self._size = task, data, batch_size
        self._counts = Counts(task.terms, data)
        self.metrics = {
            name: each if isinstance(each, Accumulating) else _AllAtOnce(each)
            for name, each in named(metrics).items()
        }
        targets = [*(term.node for term in task.terms), *task.outputs]
        self._compute: Callable[[Mapping[str, Tensor]], tuple[Tensor, ...]]
        if compile:
            self._compute = task.graph.compile(targets, tune=False)
        else:
            self._compute = lambda feed: task.graph.forward(feed, outputs=targets)

    def __call__(self) -> dict[str, float]:
        """The numbers for all rows, in evaluation mode."""
        means = Means([term.summed for term in self.task.terms])
        for metric in self.metrics.values():
            metric.reset()
        start, group = 0, self._group
        with self._same_random_numbers(), self.task.graph.evaluating():
            for taken in passes(self.data, self._size, self.task.device, group):
                rows = slice(start + taken.part.start, start + taken.part.stop)
                batch = emptied(taken.batch) if taken.is_empty else taken.batch
                batch = self._counts.counted(batch, rows)
                start += taken.size
                try:
                    losses, outputs = self._of(batch)
                except RangeError as error:
                    raise at_measured_row(error, self.task, rows.start) from None
                means.add(losses, batch.counts)
                self._update(taken.size, outputs, batch.targets)
        if group is not None:
            means.totals, means.weights = group.sum_of(means.totals), group.sum_of(means.weights)
        measured = {name: _number(name, each.compute()) for name, each in self.metrics.items()}
        if not start:
            raise FeedError(f"{self.data.name} has given no batch to measure.")
        if not all(means.weights):
            raise EmptyBatchError(
                "the mean over an empty batch does not exist: nothing in the data counts, "
                "since all labels are ignored, or all weights are 0 in sum"
            )
        return {"loss": means.loss(), **measured}

    def _same_random_numbers(self) -> AbstractContextManager[None]:
        """Inside, random numbers may be drawn, the same in all processes."""
        return same_random_numbers() if self._across is None else self._across.measuring()

    def _update(self, count: int, outputs: tuple[Tensor, ...], targets: tuple[Tensor, ...]) -> None:
        """Give the metrics the outputs and targets of all processes, in the order of the rows."""
        if not self.metrics:
            return
        group = self._group
        if group is not None:
            parts = (group.part(count, rank) for rank in range(group.size))
            sizes = [part.stop - part.start for part in parts]
            outputs = tuple(group.gather_rows(each, sizes) for each in outputs)
            targets = tuple(group.gather_rows(each, sizes) for each in targets)
        for metric in self.metrics.values():
            metric.update(single(outputs), single(targets))

    def _of(self, batch: Batch) -> tuple[list[float], tuple[Tensor, ...]]:
        """The losses and the outputs of a batch; a loss is 0 if nothing counts in it."""
        task, feed = self.task, self.task.feed(batch)
        if all(batch.counts):
            values = self._compute(feed)
            return [float(each) for each in values[: len(task.terms)]], values[len(task.terms) :]
        living = [term.node for term, n in zip(task.terms, batch.counts, strict=True) if n]
        values = task.graph.forward(feed, outputs=[*living, *task.outputs])
        known = dict(zip(living, values, strict=False))
        losses = [float(known.get(term.node, 0.0)) for term in task.terms]
        return losses, values[len(living) :]


class _AllAtOnce:
    """A function as a metric that is given batches: it gets all of them at once, at the end."""

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        self._function = function
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self._batches: list[tuple[Any, Any]] = []

    def update(self, outputs: Any, targets: Any) -> None:
        """Take note of a batch."""
        self._batches.append((outputs, targets))

    def compute(self) -> Any:
        """The metric's result over all batches."""
        outputs, targets = map(_together, zip(*self._batches, strict=True))
        self.reset()
        return self._function(outputs, targets)


def _together(batches: Sequence[Any]) -> Any:
    """The tensors of all batches, concatenated."""
    if isinstance(batches[0], tuple):
        return tuple(map(torch.cat, zip(*batches, strict=True)))
    return torch.cat([*batches])


def named(metrics: Metrics) -> dict[str, Metric]:
    """The metrics by name.

    Raises:
        GraphError: one is not a metric, or has the name of the loss or of another metric.
    """
    if callable(metrics) or isinstance(metrics, str):
        raise GraphError(must_be("metrics", "a list of functions, or a dict of them", metrics))
    pairs = (
        list(metrics.items())
        if isinstance(metrics, Mapping)
        else [(_name_of(each), each) for each in metrics]
    )
    names = [name for name, _ in pairs]
    right = all(
        not isinstance(each, type) and (callable(each) or isinstance(each, Accumulating))
        for _, each in pairs
    )
    if not right or len({"loss", *names}) <= len(names):
        raise GraphError(
            "metrics are functions with names of their own, other than 'loss', or a dict of them; "
            f"got {names}."
        )
    return dict(pairs)


def refuse_columns(metrics: Metrics, columns: Collection[str]) -> None:
    """Refuse metrics of the training data with the name of another column of the history."""
    taken = [name for name in named(metrics) if name in columns]
    if taken:
        raise GraphError(
            f"The history already has a column {taken[0]!r}: give metrics of the training data "
            "other names, by a dict."
        )


def _name_of(metric: Any) -> str:
    """The name of a function, of a partial's function, or of a class."""
    if isinstance(metric, partial):
        return _name_of(metric.func)
    return str(getattr(metric, "__name__", None) or type(metric).__name__)


def _number(name: str, value: Any) -> float:
    """The number that a metric has returned."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        raise GraphError(
            f"A metric returns one number for all rows; {name!r} returned "
            f"{described(value)}. Anything else, such as a confusion matrix, is computed "
            "from model.forward(inputs)."
        ) from None
