"""The rows of each batch that one of several processes takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from graphnet.data.order import RowOrder, Share
from graphnet.errors import ProcessError
from graphnet.train.digests import digest_of_tensors
from graphnet.train.streams import Stream

if TYPE_CHECKING:
    from torch import Tensor, device

    from graphnet.distributed import Group
    from graphnet.train.dataset import Batch
    from graphnet.train.sources import Source

_MARKS = 2**20
"""How many different marks there are: their squares are added up exactly."""


class Taken(NamedTuple):
    """The rows of a batch that this process takes.

    Attributes:
        batch: these rows; if there are none, one row of the batch, which shows its form.
        part: which rows of the batch they are.
        size: how many rows the batch has.
        whole: the places of all its rows in data in memory; None for other data.
    """

    batch: Batch
    part: slice
    size: int
    whole: Tensor | None = None

    @property
    def is_empty(self) -> bool:
        """True if this process takes no row."""
        return bool(self.part.start == self.part.stop)


def emptied(batch: Batch) -> Batch:
    """A batch of the same form, without rows."""
    return batch.map(lambda each: each[:0])


def part_of(batch: Batch, share: Share) -> Taken:
    """The rows of one process of a batch that all of them have."""
    part = share.part(len(batch))
    rows = slice(part.start, max(part.stop, part.start + 1))
    rows = rows if rows.stop <= len(batch) else slice(0, 1)
    return Taken(batch.map(lambda each: each[rows]), part, len(batch))


def passes(source: Source, size: int, to: device, group: Group | None = None) -> Iterator[Taken]:
    """All rows once, in their order, in batches of a size or of those that a stream has.

    Raises:
        ProcessError: the processes get different batches of a stream.
    """
    share = Share() if group is None else Share(group.rank, group.size)
    if isinstance(source, Stream):
        start, batches = 0, source.all(to)
        while (batch := same_batch(group, next(batches, None), source.name, start)) is not None:
            start += len(batch)
            yield part_of(batch, share)
        return
    start, order = 0, RowOrder(len(source))
    for batch in source.batches(order, size, 0, len(source), to, share=share):
        count = min(size, len(source) - start)
        yield Taken(batch, share.part(count), count)
        start += count


def same_batch(group: Group | None, batch: Batch | None, name: str, start: int) -> Batch | None:
    """A batch that all processes have read; None if all are at the end of their data.

    Its first and its last row are compared, by one sum of two numbers.

    Args:
        group: the processes; None for this one alone.
        batch: what this process has read.
        name: that of the data.
        start: how many rows have been read before.

    Raises:
        ProcessError: the processes have read different batches.
    """
    if group is None or group.size == 1:
        return batch
    mark = _mark(batch)
    total, squares = map(int, group.sum_of([mark, mark * mark]))
    if total * total != squares * group.size:  # equal only if all marks are
        text = "nothing more" if batch is None else f"{len(batch)} rows"
        said = group.gather(f"{text} (mark {mark:x})".encode())
        found = ", ".join(f"rank {rank}: {each.decode()}" for rank, each in enumerate(said))
        raise ProcessError(
            f"All processes read the same batches of {name}, and each takes its rows of them; "
            f"the batch after {start:,} rows differs: {found}. Draw its random numbers from a "
            "seed, without a sampler that divides the rows among processes."
        )
    return batch


def _mark(batch: Batch | None) -> int:
    """A number for what is at the ends of a batch, below `_MARKS`; 0 for none."""
    if batch is None:
        return 0
    tensors = (*batch.inputs, *batch.targets)
    ends = [each[rows] for each in tensors for rows in (slice(1), slice(-1, None))]
    digest = int(digest_of_tensors(ends)[:8], 16) ^ len(batch)
    return 1 + digest % (_MARKS - 1)
