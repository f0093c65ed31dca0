"""What is measured after each epoch of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import FeedError, GraphError
from graphnet.train.evaluation import Evaluation, refuse_columns
from graphnet.train.random_states import same_random_numbers
from graphnet.train.streams import Stream

if TYPE_CHECKING:
    from graphnet.train.evaluation import Metrics
    from graphnet.train.run import Run
    from graphnet.train.sources import Source

COLUMNS = ("epoch", "step", "loss", "lr", "seconds", "waiting")
"""Columns of a history that no metric of the training data may be named like."""


def evaluations_of(run: Run, metrics: Metrics, training: bool) -> dict[str, Evaluation]:
    """The evaluations of the validation data and of the training data, by the prefix of columns.

    Args:
        run: with its validation data, if there are any.
        metrics: functions, or a dict of them by name.
        training: True to also measure the metrics on the rows to learn from.

    Raises:
        GraphError: there is no metric for the training data, or it has the name of a column.
        FeedError: the data are not like those that are learned from, or can be read only once.
    """
    if training and not metrics:
        raise GraphError("train_metrics=True measures the metrics: give `metrics`, too.")
    measured = {}
    if run.validation is not None:
        _require_alike(run, run.validation, "validation")
        measured["validation_"] = run.validation
    if metrics and (training or run.validation is None):
        refuse_columns(metrics, COLUMNS)
        if isinstance(run.data, Stream) and run.settings.steps_per_epoch is not None:
            raise FeedError(
                "Metrics of the training data read all of it after each epoch, and with "
                "steps_per_epoch an epoch ends before the data do: give validation data."
            )
        _require_alike(run, run.data, "data, without augment,")
        measured[""] = run.data
    size, compiled = max(1000, run.settings.batch_size), bool(run.settings.compile)
    return {
        prefix: Evaluation(run.task, data, metrics, size, compiled, run.across)
        for prefix, data in measured.items()
    }


def _require_alike(run: Run, data: Source, name: str) -> None:
    """Refuse data that cannot be measured after each epoch."""
    if isinstance(data, Stream) and data.is_once:
        raise FeedError(
            f"{name} is measured after each epoch, and an iterator can be read only once: pass a "
            "function that returns a new one."
        )
    with same_random_numbers() if run.across is None else run.across.measuring():
        run.task.require(data.example(run.settings.batch_size), name)
