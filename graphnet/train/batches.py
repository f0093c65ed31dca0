"""The batches of a training run: those of each step, or of several processes the parts of them."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, cast

from graphnet.data.order import RowOrder, Share
from graphnet.errors import GraphError
from graphnet.train.dataset import Batch, DataSet
from graphnet.train.examples import augmented
from graphnet.train.means import Means
from graphnet.train.parts import Taken, emptied, part_of, same_batch
from graphnet.train.streams import Stream

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from graphnet.train.run import Run


def begin_epoch(run: Run) -> None:
    """Begin an epoch, or go on with one."""
    if run.order is None:
        run.order = _next_order(run)
        run.position, run.means = 0, Means(run.counts.summed)
    with _reading(run):
        _begin(run, run.order)


def _next_order(run: Run) -> RowOrder:
    """The order of an epoch."""
    count = run.data.count
    if run.settings.shuffle and count is not None:
        return RowOrder.drawn(count, run.generator)
    return RowOrder(count or 0)


def _begin(run: Run, order: RowOrder) -> None:
    """Begin a pass of the data, or go on with one."""
    seed = run.generator.initial_seed() + (run.epoch << 40)  # of workers, and of no rows
    if run.across is not None:
        seed = run.across.own_seed(seed)
    run.feeding.begin(order, run.position, run.rows, seed)


def _reading(run: Run) -> AbstractContextManager[None]:
    """Inside, all processes draw the same random numbers."""
    return nullcontext() if run.across is None else run.across.reading()


def next_batches(run: Run) -> list[Batch]:
    """The batches of the next update; the position of the run moves past them.

    Raises:
        FeedError: a batch has another form than the first one.
        ProcessError: several processes have read different batches of a stream.
    """
    batches: list[Batch] = []
    while len(batches) < run.settings.accumulate:
        taken = _of_stream(run) if isinstance(run.data, Stream) else _of_rows(run)
        if taken is None:
            break
        run.position += taken.size
        batches.append(_counted(run, taken))
    return batches


def _of_rows(run: Run) -> Taken | None:
    """The rows of this process of the next batch; None at the end of the epoch."""
    share = Share() if run.across is None else run.across.share
    start, order = run.position, cast("RowOrder", run.order)
    stop = min(start + run.settings.batch_size, run.rows or 0)
    if start >= stop:
        return None
    part = share.part(stop - start)
    if isinstance(run.data, DataSet) and run.feeding.is_direct:
        whole = order.rows(start, stop)
        own = whole[part] if part.start < part.stop else whole[:1]
        return Taken(run.data.rows(own, run.task.device), part, stop - start, whole)
    batch = run.feeding.next()
    return None if batch is None else Taken(batch, part, stop - start)


def _of_stream(run: Run) -> Taken | None:
    """The rows of this process of the next batch of a stream; None at the end of the epoch."""
    with _reading(run):
        batch = run.feeding.next()
        if batch is None and run.settings.steps_per_epoch is not None:
            _begin(run, cast("RowOrder", run.order))  # the next pass
            batch = run.feeding.next()
    if run.across is None:
        return None if batch is None else Taken(batch, slice(0, len(batch)), len(batch))
    batch = same_batch(run.across.group, batch, run.data.name, run.position)
    return None if batch is None else part_of(batch, run.across.share)


def _counted(run: Run, taken: Taken) -> Batch:
    """The rows as they are learned from, with how much they count."""
    batch = _augmented(run, taken.batch)
    if taken.is_empty:
        batch = emptied(batch)
    own = None if taken.whole is None else taken.whole[taken.part]
    batch = run.counts.counted(batch, own)
    if run.across is None or run.across.group.size == 1:
        return batch
    whole = run.counts.of_rows(taken.whole, taken.size)
    if whole is None:
        whole = tuple(run.across.group.sum_of(batch.counts))
    return Batch(batch.inputs, batch.targets, batch.counts, whole)


def _augmented(run: Run, batch: Batch) -> Batch:
    settings, across = run.settings, run.across
    if settings.augment is not None:
        generator = run.generator if across is None else across.source_of(run)
        changed = augmented(settings.augment, batch, generator)
        if across is not None and across.group.size > 1 and len(changed) != len(batch):
            raise GraphError(
                "With several processes, augment returns as many rows as it is given; got "
                f"{len(changed)} for {len(batch)}."
            )
        batch = changed.map(lambda each: each.to(run.task.device))
    if not run.feeding.is_direct:
        run.task.require(batch, f"batch {run.feeding.taken} of {run.data.name}")
    return batch
