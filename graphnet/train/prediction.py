"""The outputs of a model for data, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch

from graphnet.errors import FeedError
from graphnet.train.dataset import Transform, single
from graphnet.train.model_graph import ModelGraph, require_model
from graphnet.train.parts import passes
from graphnet.train.sources import source_of
from graphnet.validation import require_counts, require_flags

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.layers import Module
    from graphnet.train.dataset import Batch
    from graphnet.train.sources import Source


def predict(
    model: Module,
    data: Any,
    *,
    batch_size: int = 1000,
    compile: bool = True,
    transform: Transform | None = None,
    workers: int = 0,
) -> Iterator[Any]:
    """The outputs of a model in evaluation mode, one batch after another.

    A batch is read and computed when its outputs are asked for, so that neither all data nor all
    outputs have to fit into memory.

    Args:
        model: is not changed.
        data: as for `fit`; targets may be omitted, and are not used.
        batch_size: rows that are computed at once; of a loader or an iterable, its own.
        compile: False to walk the list.
        transform: changes the inputs of each batch, as for `fit`.
        workers: processes that read a data set of items ahead.

    Yields:
        For each batch its output, a tensor with a row for each of its rows, in the order of the
        data; or a tuple of tensors if the model has several outputs.

    Raises:
        FeedError: the data are not of such a form.
        GraphError: the model does not take the inputs.
        RangeError: the batch size is not an integer of 1 or more.

    >>> import graphnet as gn
    >>> points, labels = gn.data.disk(250)
    >>> [len(output) for output in predict(gn.Linear(2, 3), points, batch_size=100)]
    [100, 100, 50]
    """
    require_model(model)
    require_counts(batch_size=batch_size)
    require_flags(compile=compile)
    source = source_of(data, batch_size=batch_size, transform=transform, workers=workers)
    with torch.no_grad():
        task = ModelGraph(model, source.example(batch_size).inputs)
        outputs = list(task.outputs)
        compute: Callable[[Mapping[str, Tensor]], tuple[Tensor, ...]]
        if compile:
            compute = task.graph.compile(outputs, tune=False)
        else:
            compute = lambda feed: task.graph.forward(feed, outputs=outputs)  # noqa: E731 - one of two
    return _outputs(task, source, batch_size, compute)


def _outputs(
    task: ModelGraph,
    source: Source,
    size: int,
    compute: Callable[[Mapping[str, Tensor]], tuple[Tensor, ...]],
) -> Iterator[Any]:
    for batch, *_ in passes(source, size, task.device):
        with torch.no_grad(), task.graph.evaluating():
            values = compute(_feed(task, batch))
        yield single([value.clone() for value in values])


def _feed(task: ModelGraph, batch: Batch) -> dict[str, Tensor]:
    """The inputs of a batch by name."""
    if len(batch.inputs) != len(task.inputs):
        raise FeedError(f"A batch has {len(batch.inputs)} inputs, the first {len(task.inputs)}.")
    return {node.name: each for node, each in zip(task.inputs, batch.inputs, strict=True)}
