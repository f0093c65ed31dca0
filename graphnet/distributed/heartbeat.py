"""What each process says about itself once a second, to be read when one does not come."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from time import sleep
from typing import Any

EVERY = 0.5
"""Seconds between two messages."""
STALE = 4 * EVERY
"""Seconds without a message after which a process has ended or hangs."""


class Heartbeat:
    """Leaves messages in a store from a thread of its own, also while the process waits.

    Args:
        store: where the processes leave messages.
        rank: the number of this process.
        state: what it is doing: in words, and whether it waits for the others.
    """

    def __init__(self, store: Any, rank: int, state: Callable[[], tuple[str, bool]]) -> None:
        self._store, self._rank, self._state = store, rank, state
        self._ended = Event()
        self._count = 0
        self._thread = Thread(target=self._run, name="graphnet heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Say nothing more: a thread that is in the store while Python ends would abort it."""
        self._ended.set()
        self._thread.join(timeout=10 * EVERY)

    def _run(self) -> None:
        with suppress(Exception):  # the store has gone with the process that kept it
            while not self._ended.is_set():
                self.beat()
                self._ended.wait(EVERY)

    def beat(self) -> None:
        """Leave a message."""
        self._count += 1
        self._store.set(f"beat/{self._rank}", json.dumps([self._count, *self._state()]))

    def others(self, size: int) -> dict[int, str]:
        """The processes that do not wait, and what they do instead; it takes two seconds."""
        self.beat()
        ranks = [rank for rank in range(size) if rank != self._rank]
        before = {rank: self._last(rank) for rank in ranks}
        sleep(STALE)
        found = {}
        for rank in ranks:
            count, place, waits = self._last(rank)
            if count == before[rank][0]:
                found[rank] = f"has ended, or hangs (last heard of at {place})"
            elif not waits:
                found[rank] = f"is still at {place}"
        return found

    def _last(self, rank: int) -> tuple[int, str, bool]:
        """The last message of a process."""
        if not self._store.check([f"beat/{rank}"]):
            return 0, "the start", False
        count, place, waits = json.loads(self._store.get(f"beat/{rank}"))
        return count, place, waits
