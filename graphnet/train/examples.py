"""Some rows as the model gets them: to learn shapes from, and to look at while training goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from graphnet.train.dataset import Batch, DataSet, single
from graphnet.train.random_states import same_random_numbers
from graphnet.train.streams import Stream

if TYPE_CHECKING:
    from torch import Generator

    from graphnet.train.run import Run
    from graphnet.train.settings import Augment, FitSettings
    from graphnet.train.sources import Source


def augmented(augment: Augment, batch: Batch, generator: Generator) -> Batch:
    """A batch changed by the function of the user.

    Raises:
        FeedError: the function returns something other than inputs and targets.
    """
    changed = augment(single(batch.inputs), single(batch.targets), generator)
    data = DataSet(changed, "what augment returns")
    return Batch(data.inputs, data.targets)


def example_of(data: Source, settings: FitSettings) -> Batch:
    """Rows as they are learned from, after `augment`.

    No random number is missing afterwards, except those of a stream, whose first pass has begun.
    """
    if isinstance(data, Stream):
        return _changed(data.example(settings.batch_size), settings)
    with same_random_numbers():
        return _changed(data.example(settings.batch_size), settings)


def _changed(batch: Batch, settings: FitSettings) -> Batch:
    if settings.augment is None or any(each.is_meta for each in batch.inputs):
        return batch
    few = batch.map(lambda each: each[: settings.batch_size])
    with same_random_numbers():
        return augmented(settings.augment, few, torch.Generator().manual_seed(0))


def examined(run: Run) -> int:
    """How many rows can be looked at while training goes on."""
    return len(run.data) if _are_learned(run) else len(run.example)  # type: ignore[arg-type]  # those have a length


def looked_at(run: Run, start: int, stop: int) -> Batch:
    """Some of these rows: of the data, if they are in memory, else of one batch."""
    if _are_learned(run) and isinstance(run.data, DataSet):
        return run.data.rows(slice(start, stop), run.task.device)
    return run.example.map(lambda each: each[start:stop].to(run.task.device))


def _are_learned(run: Run) -> bool:
    """True if the data are in memory in the form that the model gets."""
    data, example = run.data, run.example
    return (
        isinstance(data, DataSet)
        and data.is_plain
        and all(
            one.dtype == other.dtype and one.shape[1:] == other.shape[1:]
            for one, other in zip(
                (*data.inputs, *data.targets), (*example.inputs, *example.targets), strict=False
            )
        )
    )


def no_batch(data: Source, epoch: int) -> str:
    """Why an epoch has nothing to learn from."""
    if isinstance(data, Stream) and data.is_once:
        return (
            f"{data.name} is an iterator, which can be read only once, and there is nothing left "
            f"for epoch {epoch}: pass a function that returns a new one, or the number of updates "
            "that it is enough for as epochs and steps_per_epoch."
        )
    return f"{data.name} has given no batch in epoch {epoch}."
