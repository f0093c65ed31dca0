"""Rows that no network can learn from: numbers that are not finite, labels that are no class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.console_text import printable
from graphnet.errors import FeedError, RangeError
from graphnet.graph import Graph, Input, Operation
from graphnet.ops.classification import Pick, class_dim
from graphnet.ops.embedding import Embedding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


def require_learnable_rows(graph: Graph, rows: Mapping[Input, Tensor], name: str) -> None:
    """Refuse rows that would stop the training in a page, or make all its numbers NaN.

    Args:
        graph: the list that they are fed to.
        rows: a tensor for each input.
        name: of the data, in messages.

    Raises:
        FeedError: a number is NaN or infinite.
        RangeError: a label is no class, or an index no row of its table.

    >>> import graphnet as gn, torch
    >>> graph = gn.Graph()
    >>> x = graph.input((None, 2), name="x")
    >>> require_learnable_rows(graph, {x: torch.tensor([[0.0, 1.0], [0.0, torch.nan]])}, "data")
    Traceback (most recent call last):
    graphnet.errors.FeedError: All numbers of data must be finite; row 1 of 'x' has nan.
    """
    for given, each in rows.items():
        _require_finite(given, each, name)
    for node in graph:
        if isinstance(node, Operation):
            _require_labels(node, rows, name)


def _require_labels(node: Operation, rows: Mapping[Input, Tensor], name: str) -> None:
    """Refuse labels and indices that an operation would refuse in the middle of a run."""
    if isinstance(node.op, Pick):
        scores, labels = node.inputs
        count, ignored = scores.shape[class_dim(scores)], node.op.ignored
        rule = "classes from 0 to {}, one for each output"
    elif isinstance(node.op, Embedding):
        labels, table = node.inputs
        count, ignored, rule = table.shape[0], None, "rows of the table, from 0 to {}"
    else:
        return
    if count is None or not isinstance(labels, Input) or labels not in rows:
        return
    given = rows[labels]
    wrong = (given < 0) | (given >= count)
    if ignored is not None:
        wrong &= given.ne(ignored)
    if wrong.any():
        row = int(wrong.nonzero()[0, 0])
        raise RangeError(
            f"The labels {printable(repr(labels.name))} of {name} must be "
            f"{rule.format(count - 1)}; row {row} has {int(given[wrong][0])}."
        )


def _require_finite(node: Input, rows: Tensor, name: str) -> None:
    wrong = ~rows.isfinite()
    if wrong.any():
        row = int(wrong.nonzero()[0, 0])
        raise FeedError(
            f"All numbers of {name} must be finite; row {row} of {printable(repr(node.name))} has "
            f"{float(rows[wrong][0])}."
        )
