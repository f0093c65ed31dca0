"""Copies of a process that are made while its group works, such as the workers of a loader.

After a call a thread of gloo drops the tensors. If nobody else holds the call, it is the last one,
and makes a state in Python for that; a copy that is made in this moment waits for ever for the lock
of these states (in CPython 3.11, `_PyThreadState_DeleteExcept`). So the last calls are kept, and a
copy is made between calls, when their threads have had the time to finish.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from time import sleep
from typing import Any

_KEPT = 8
"""Calls after which no thread is busy with the first of them."""
_PAUSE = 0.002
"""Seconds in which a thread finishes."""


class Forks:
    """Keeps calls and forks of a process apart.

    Attributes:
        calls: the last ones.
    """

    def __init__(self) -> None:
        self.calls: deque[Any] = deque(maxlen=_KEPT)
        self._lock = RLock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, other threads wait until they make a copy of the process."""
        with self._lock:
            yield

    def watch(self) -> None:
        """From now on, a copy is made between calls."""
        if hasattr(os, "register_at_fork"):
            release = self._lock.release
            os.register_at_fork(
                before=self._before, after_in_parent=release, after_in_child=release
            )

    def _before(self) -> None:
        self._lock.acquire()
        sleep(_PAUSE)
