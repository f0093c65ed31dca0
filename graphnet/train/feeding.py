"""The batches of an epoch, one after another, and how long training waits for them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from graphnet.data.order import ALL
from graphnet.errors import GraphError, LoadError
from graphnet.graph.location import user_level
from graphnet.train.ahead import Ahead
from graphnet.train.dataset import Batch, DataSet
from graphnet.train.streams import Stream

if TYPE_CHECKING:
    from torch import device

    from graphnet.data.order import RowOrder, Share
    from graphnet.train.sources import Source

_MOST_WAITING = 0.2
"""The share of an epoch that may be spent waiting without a warning."""

_LEAST_SECONDS = 1.0
"""Waiting in an epoch that is too short to be worth a warning."""

_AHEAD = 2
"""Batches that are read ahead where no random numbers are drawn in the thread."""


class WaitingWarning(UserWarning):
    """Training waits for its data."""


class Feeding:
    """Takes batches from the data of a training run.

    Args:
        data: in one of the forms.
        size: rows in a batch.
        prefetch: batches that a thread reads ahead; None to choose.
        to: the device of the batches.
        share: of several processes, which rows of each batch this one reads.

    Attributes:
        waited: the seconds that were spent waiting in this epoch.
        taken: how many batches of the present pass of a stream are taken.
        ended: True if a pass of a stream has just ended.
        is_direct: True if rows are taken from memory, without anything to wait for.

    Raises:
        GraphError: batches are to be read ahead of a state that would not be of the last one.
    """

    def __init__(
        self, data: Source, size: int, prefetch: int | None, to: device, share: Share = ALL
    ) -> None:
        if prefetch and isinstance(data, Stream) and data.has_state:
            raise GraphError(
                f"prefetch={prefetch} reads ahead, and the state_dict of {data.name} would be that "
                "of a later batch: omit prefetch, or give the loader workers."
            )
        self._data, self._size, self._to, self._share = data, size, to, share
        self._depth = prefetch if prefetch is not None else _AHEAD * data.is_ahead
        self._batches: Iterator[Batch] | None = None
        self.waited, self.taken = 0.0, 0
        self.is_direct = isinstance(data, DataSet) and data.is_plain and not self._depth
        self._warned = self.ended = self._is_at_end = False

    def begin(self, order: RowOrder, position: int, stop: int | None, seed: int) -> None:
        """Begin an epoch, or go on with it at a position."""
        data = self._data
        if self.is_direct or (isinstance(data, Stream) and self._batches is not None):
            return  # a stream goes on where the last epoch has ended
        if isinstance(data, Stream) and self._is_at_end:
            self._is_at_end = False  # the epoch was saved behind its last batch
            batches: Iterator[Batch] = iter(())
        elif isinstance(data, Stream):
            data.begin()
            self.taken = data.taken
            is_left = not self._depth or data.workers > 0 or data.peek()  # not in the thread
            batches = data.all(self._to) if is_left else iter(())
        else:
            end, self.taken = len(data) if stop is None else stop, 0
            batches = data.batches(order, self._size, position, end, self._to, seed, self._share)
        self._batches = Ahead(batches, self._depth) if self._depth else batches

    def next(self) -> Batch | None:
        """The next batch; None at the end of the data."""
        start = perf_counter()
        batch = next(self._batches, None) if self._batches is not None else None
        self.waited += perf_counter() - start
        self.taken += 1
        self.ended = batch is None
        if batch is None:
            self.close()
        return batch

    def close(self) -> None:
        """End what reads ahead."""
        if isinstance(self._batches, Ahead):
            self._batches.close()
        self._batches, self.taken = None, 0

    def finish(self) -> None:
        """End the training: workers are released."""
        self.close()
        if isinstance(self._data, Stream):
            self._data.close()

    def share(self, seconds: float) -> float:
        """The share of some seconds that was spent waiting; too large a one is warned of once."""
        share = self.waited / seconds if seconds > 0 else 0.0
        if share > _MOST_WAITING and self.waited > _LEAST_SECONDS and not self._warned:
            self._warned = True
            warnings.warn(
                f"{share:.0%} of the time of an epoch was spent waiting for data. "
                f"{self._way_out()}",
                WaitingWarning,
                stacklevel=user_level(),
            )
        return share

    def _way_out(self) -> str:
        data = self._data
        if isinstance(data, DataSet):
            return "A faster disk, shuffle=False or a larger prefetch may help."
        if data.workers:
            return "More workers, cheaper transforms or larger batches may help."
        if isinstance(data, Stream):
            return (
                "A DataLoader with num_workers=2 or more reads ahead in processes, prefetch=2 any "
                "batches in a thread."
            )
        return "workers=2 or more reads items ahead in processes."

    # where a stream is; rows are found by their position

    def state_dict(self) -> dict[str, Any] | None:
        """Where a stream is; None for rows, whose position says it."""
        if not isinstance(self._data, Stream):
            return None
        return {**self._data.state_dict(self.taken), "ended": self.ended}

    def load_state_dict(self, state: Any, epoch: int, within: bool) -> bool:
        """Go on from a state; False if the epoch has to begin anew, which is warned of.

        Args:
            state: what `state_dict` has returned.
            epoch: how many epochs are done.
            within: True if it was saved within an epoch.

        Raises:
            LoadError: it is no such state.
        """
        self.close()
        if not isinstance(self._data, Stream):
            if state is not None:
                raise LoadError("The data have no iteration that could be gone on with.")
            return True
        if self._data.load_state_dict(state):
            self._is_at_end = within and state.get("ended") is True
            return True
        warnings.warn(
            f"{self._data.name} cannot tell where it was, since it has no state_dict: epoch "
            f"{epoch + 1} goes on from the beginning of the data.",
            stacklevel=user_level(),
        )
        return False
