"""Data that come as batches: from a DataLoader, an iterable, or a function that returns one."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator
from torch.utils.data import DataLoader, IterableDataset

from graphnet.data.columns import Columns
from graphnet.errors import FeedError, GraphError, LoadError
from graphnet.train.digests import digest_of
from graphnet.train.items import batch_of
from graphnet.train.workers import end_workers, iterated

if TYPE_CHECKING:
    from torch import device

    from graphnet.train.dataset import Batch, Transform


_END = object()


class Stream:
    """Batches, one after another, from what can be iterated.

    Args:
        source: what gives batches: a loader, an iterable, an iterator, or a function that returns
            one of these.
        name: its name in messages.
        transform: changes the inputs of each batch.
        state: the object whose `state_dict` tells where the iteration is; None for none.

    Attributes:
        source: what gives batches.
        taken: how many batches of the present pass are taken.
        has_state: True if the iteration can go on where it was.
    """

    is_plain = False

    def __init__(
        self, source: Any, name: str = "data", transform: Transform | None = None, state: Any = None
    ) -> None:
        self._columns = source if isinstance(source, Columns) else None
        self.source = self._columns.source if self._columns else source
        self.name, self.transform = name, transform
        self._state_of = state
        self.taken = 0
        self._iterator: Iterator[Any] | None = None
        self._peeked: list[Any] = []
        self._drawn_from: dict[str, Any] = {}
        # a data set of Hugging Face begins each pass at the state that it was given last
        self._first = deepcopy(state.state_dict()) if hasattr(state, "column_names") else None
        self._is_resumed = False
        self._pending: Mapping[str, Any] | None = None  # a state to go on from

    @property
    def is_once(self) -> bool:
        """True if there is only one pass: iterators cannot begin anew."""
        return hasattr(self.source, "__next__")

    @property
    def has_state(self) -> bool:
        """True if the source tells where it is, and goes on from there."""
        return self._state_of is not None

    @property
    def _is_replayed(self) -> bool:
        """True if the same random states give the same pass again."""
        loader = self.source
        if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
            return False
        return not loader.persistent_workers  # which remember what they have drawn

    @property
    def is_ahead(self) -> bool:
        """True if a thread may read ahead: random numbers are drawn by the workers only."""
        return self.workers > 0 and not self.has_state

    @property
    def workers(self) -> int:
        """The processes of a loader."""
        return int(getattr(self.source, "num_workers", 0))

    @property
    def count(self) -> int | None:
        """The number of rows, which is not known."""
        return None

    @property
    def length(self) -> int | None:
        """The number of batches of a pass; None if it is not known."""
        try:
            return len(self.source)
        except (TypeError, NotImplementedError):
            return None

    def digest(self) -> str:
        """What distinguishes these data from others, as far as it is known without reading them."""
        loader = self.source
        known = [type(loader).__name__]
        if isinstance(loader, DataLoader):
            known += [type(loader.dataset).__name__, str(loader.batch_size), str(loader.drop_last)]
        names = (self._columns.inputs, self._columns.targets) if self._columns else ()
        return digest_of((*known, str(self.length), names))

    def example(self, rows: int) -> Batch:
        """The first batch, which is not lost.

        Raises:
            FeedError: there is none.
        """
        del rows  # the batches have sizes of their own
        try:
            if not self.peek():
                raise FeedError(f"{self.name} has given no batch.")
            return self._batch(self._peeked[0], torch.device("cpu"))
        except BaseException:
            self.close()
            raise

    def peek(self) -> bool:
        """Read the next batch now, which is not lost; False at the end of a pass."""
        if not self._peeked and (raw := self._next()) is not _END:
            self._peeked.append(raw)
            self.taken -= 1
        return bool(self._peeked)

    def begin(self) -> None:
        """Begin a pass, or go on with one that was saved; if it has begun, nothing is done."""
        if self._iterator is None:
            self._open()

    def next(self, to: device) -> Batch | None:
        """The next batch on a device; None at the end, after which a new pass begins."""
        if self._peeked:
            self.taken += 1
            return self._batch(self._peeked.pop(), to)
        raw = self._next()
        return None if raw is _END else self._batch(raw, to)

    def all(self, to: device) -> Iterator[Batch]:
        """The batches of one pass."""
        while (batch := self.next(to)) is not None:
            yield batch

    def close(self) -> None:
        """End the pass, with its workers."""
        if not self.is_once:
            end_workers(self._iterator)
            self._iterator, self._peeked, self.taken = None, [], 0

    def _batch(self, raw: Any, to: device) -> Batch:
        name = f"batch {self.taken} of {self.name}"
        return batch_of(raw, name, self._columns, self.transform, to)

    def _next(self) -> Any:
        """What the source gives next; _END at the end of a pass."""
        self.begin()
        raw = _END if self._iterator is None else next(self._iterator, _END)
        if raw is _END:
            self.close()
        else:
            self.taken += 1
        return raw

    def _open(self) -> None:
        pending, self._pending = self._pending, None
        if pending is None:
            if self._first is not None and self._is_resumed:
                self._state_of.load_state_dict(deepcopy(self._first))
            self._drawn_from = self._random_states()
            self._iterator, self.taken = self._opened(), 0
            return
        now = self._random_states()  # what is drawn here was drawn before it was saved
        if self.has_state:
            self._is_resumed = True
            self._iterator, self.taken = self._opened(), pending["taken"]
        else:
            self._replay(pending)
        torch.set_rng_state(now["torch"])
        random.setstate(now["python"])

    def _opened(self) -> Iterator[Any]:
        source = self.source
        if callable(source) and not hasattr(source, "__iter__"):
            source = source()
        try:
            return iterated(source)
        except TypeError:
            raise FeedError(
                f"{self.name} is a function that returns an iterable of batches; got "
                f"{type(source).__name__}."
            ) from None

    # where the iteration is

    def state_dict(self, taken: int) -> dict[str, Any]:
        """What is needed to go on after so many batches of the present pass."""
        if self._pending is not None:
            return dict(self._pending)
        if self.has_state:
            return {"taken": taken, "state": self._state_of.state_dict() if taken else None}
        return {"taken": taken, "random": self._drawn_from if self._is_replayed and taken else None}

    def load_state_dict(self, state: Mapping[str, Any]) -> bool:
        """Go on from a state at the next batch; False if the pass has to begin anew.

        Raises:
            LoadError: it is no such state.
        """
        if type(state) is not dict or type(state.get("taken")) is not int or state["taken"] < 0:
            raise LoadError(f"No iteration of {self.name} has such a state.")
        fits = state.get("state" if self.has_state else "random") is not None
        if fits and self.has_state:
            self._state_of.load_state_dict(state["state"])
        elif fits:
            now = self._random_states()
            try:  # a state that is none is refused here, and not in the next step
                self._set_random_states(state["random"])
            finally:
                self._set_random_states(now)
        if fits or not self.is_once:
            self._iterator, self._peeked, self.taken = None, [], 0
            self._pending = state if fits else None
        return fits or not state["taken"]

    def _replay(self, state: Mapping[str, Any]) -> None:
        """Make a pass again up to a batch: the same random states draw the same rows."""
        self._set_random_states(state["random"])
        self._drawn_from = dict(state["random"])
        self._iterator, self.taken = self._opened(), 0
        for _ in range(state["taken"]):
            if self._next() is _END:
                raise GraphError(f"{self.name} has fewer batches than when it was saved.")

    def _random_states(self) -> dict[str, Any]:
        return {
            "torch": torch.get_rng_state(),
            "python": random.getstate(),
            "own": [each.get_state() for each in self._generators()],
        }

    def _set_random_states(self, states: Mapping[str, Any]) -> None:
        torch.set_rng_state(states["torch"])
        random.setstate(states["python"])
        for generator, state in zip(self._generators(), states["own"], strict=True):
            generator.set_state(state)

    def _generators(self) -> list[Generator]:
        """The generators of a loader and its samplers."""
        loader = self.source
        parts = [loader, getattr(loader, "sampler", None), getattr(loader, "batch_sampler", None)]
        found = [getattr(each, "generator", None) for each in parts]
        return list(dict.fromkeys(each for each in found if isinstance(each, Generator)))
