"""Batches that a thread makes ready while the steps before them are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

NAME = "graphnet reads ahead"
"""The name of the threads."""

_POLL = 0.1  # seconds after which a thread looks whether it is still needed
_PATIENCE = 50  # such times until a thread that hangs in its source is left alone


class Ahead(Generic[T]):
    """An iterator whose items are computed by a thread, some of them before they are needed.

    An error in the thread is raised where its item would have come.

    Args:
        items: what the thread iterates.
        depth: how many items wait at most.

    >>> list(Ahead(range(5), depth=2))
    [0, 1, 2, 3, 4]
    """

    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._queue: Queue[tuple[T | None, BaseException | None]] = Queue(depth)
        self._closed = Event()
        self._thread = Thread(target=self._work, args=(iter(items),), name=NAME, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._closed.is_set():
            raise StopIteration
        item, error = self._queue.get()
        if error is not None:
            self.close()
            raise error
        return item  # type: ignore[return-value]  # without an error there is an item

    def close(self) -> None:
        """End the thread; what it has made ready is dropped."""
        self._closed.set()
        for _ in range(_PATIENCE):
            try:
                self._queue.get_nowait()
            except Empty:
                self._thread.join(_POLL)
                if not self._thread.is_alive():
                    break

    def _work(self, items: Iterator[T]) -> None:
        try:
            for item in items:
                if not self._put(item, None):
                    return
        except BaseException as error:  # for whoever waits for the item
            self._put(None, error)
        else:
            self._put(None, StopIteration())

    def _put(self, item: T | None, error: BaseException | None) -> bool:
        """Hand over an item; False if nobody wants it any more."""
        while not self._closed.is_set():
            try:
                self._queue.put((item, error), timeout=_POLL)
            except Full:
                continue
            return True
        return False
