"""Loss and metrics of a model on data that it does not learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, require_count
from graphnet.train.dataset import DataSet, described
from graphnet.train.task import Losses, Task

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.layers import Module

Metric = Callable[[Any, Any], Any]
"""A function of outputs and targets, each a tensor or a tuple; it returns a mean over the rows."""

Metrics = Mapping[str, Metric] | Sequence[Metric]


def evaluate(
    model: Module,
    loss: Losses,
    data: Any,
    *,
    metrics: Metrics = (),
    batch_size: int = 1000,
    compile: bool = True,
) -> dict[str, float]:
    """The loss and the metrics of a model in evaluation mode: means over all rows.

    Args:
        model: is not changed.
        loss: as for `fit`.
        data: the pair (inputs, targets), each a tensor or a tuple of tensors.
        metrics: functions such as `metrics.accuracy`, or a dict of them by name.
        batch_size: rows that are computed at once; it does not change the result.
        compile: False to walk the list.

    Raises:
        FeedError: the data are not such a pair.
        RangeError: the batch size is not a whole number of 1 or more.

    >>> import graphnet as gn
    >>> points, labels = gn.data.disk(100)
    >>> model = gn.Linear(2, 2)
    >>> measures = [gn.metrics.accuracy]
    >>> list(evaluate(model, gn.LossCrossEntropy(), (points, labels), metrics=measures))
    ['loss', 'accuracy']
    """
    given = DataSet(data)
    return Evaluation(Task(model, loss, given), metrics, batch_size, compile)(given)


class Evaluation:
    """Measures the loss and the metrics of a task on data sets.

    Args:
        task: what is measured.
        metrics: functions, or a dict of them by name.
        batch_size: rows that are computed at once.
        compile: False to walk the list.
    """

    def __init__(self, task: Task, metrics: Metrics, batch_size: int, compile: bool) -> None:
        require_count(batch_size=batch_size)
        self.task, self.metrics, self._size = task, named(metrics), batch_size
        targets = [task.loss, *task.outputs]
        self._compute: Callable[[Mapping[str, Tensor]], tuple[Tensor, ...]]
        if compile:
            self._compute = task.graph.compile(targets, tune=False)
        else:
            self._compute = lambda feed: task.graph.forward(feed, outputs=targets)

    def __call__(self, data: DataSet) -> dict[str, float]:
        """The means over all rows, in evaluation mode; each batch is weighted by its size."""
        totals = dict.fromkeys(("loss", *self.metrics), 0.0)
        with self.task.graph.evaluating():
            for batch in data.batches(self._size, self.task.device):
                loss, *outputs = self._compute(self.task.feed(batch))
                totals["loss"] += float(loss) * len(batch)
                given = single(outputs), single(batch.targets)
                for name, metric in self.metrics.items():
                    totals[name] += _number(name, metric(*given)) * len(batch)
        return {name: total / len(data) for name, total in totals.items()}


def named(metrics: Metrics) -> dict[str, Metric]:
    """The metrics by their names.

    Raises:
        GraphError: one is not a function, or has the name of the loss or of another.
    """
    if callable(metrics) or isinstance(metrics, str):
        raise GraphError(f"metrics are a list of functions, or a dict of them; {metrics!r} came.")
    pairs = (
        list(metrics.items())
        if isinstance(metrics, Mapping)
        else [(getattr(each, "__name__", str(each)), each) for each in metrics]
    )
    names = [name for name, _ in pairs]
    if not all(callable(each) for _, each in pairs) or len({"loss", *names}) <= len(names):
        raise GraphError(
            "metrics are functions with names of their own, other than 'loss', or a dict of them; "
            f"{names} came."
        )
    return dict(pairs)


def _number(name: str, value: Any) -> float:
    """What a metric has returned."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        raise GraphError(
            f"A metric returns one number, the mean over the rows; {name!r} returned "
            f"{described(value)}. What is not a number, such as a confusion matrix, is computed "
            "from model.forward(inputs)."
        ) from None


def single(tensors: Sequence[Tensor]) -> Any:
    """The only tensor, or a tuple of several."""
    return tensors[0] if len(tensors) == 1 else tuple(tensors)
