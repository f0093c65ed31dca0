"""The workers of loaders: Ctrl-C and SIGTERM are for the training, which ends them itself.

In a terminal, and under torchrun or Slurm, such a signal goes to all processes at once. Workers
that it ended could not give the batches of the step that is still to be made, and their end would
be an error in the middle of it.
"""

from __future__ import annotations

import atexit
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing import active_children, get_context, resource_tracker
from typing import Any
from weakref import WeakSet

from graphnet.train.signals import SIGNALS

_started: WeakSet[Any] = WeakSet()


def iterated(source: Iterable[Any]) -> Iterator[Any]:
    """An iterator over some batches; if they come from a loader, with its workers out of reach."""
    if not getattr(source, "num_workers", 0) or not hasattr(signal, "pthread_sigmask"):
        return iter(source)
    context = getattr(source, "multiprocessing_context", None) or get_context()
    if context.get_start_method() != "fork":
        resource_tracker.ensure_running()  # which lets the signals through when it starts
    with _out_of_reach():
        return iter(source)


def end_workers(batches: Iterator[Any] | None) -> None:
    """End the workers of a loader now, unless it keeps them for its next pass.

    An error keeps the loader until it is collected. Then the queues that tell its workers to end
    may be gone before it, and it waits for them for five seconds.
    """
    end = getattr(batches, "_shutdown_workers", None)  # torch has no other way
    if end is not None and not getattr(batches, "_persistent_workers", False):
        end()


@contextmanager
def _out_of_reach() -> Iterator[None]:
    """Inside, processes are started that the signals do not reach: they inherit that from here."""
    _end_at_exit()
    before = {*active_children()}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for each in {*active_children()} - before:
            each.terminate = each.kill  # type: ignore[method-assign]  # for those that hang
            _started.add(each)


@cache
def _end_at_exit() -> None:
    """End workers that hang, when the program ends: nothing else would, and it would wait."""
    atexit.register(_end)


def _end() -> None:
    for each in [*_started]:
        if each.is_alive():
            each.kill()
