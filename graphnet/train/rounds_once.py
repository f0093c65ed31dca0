"""One round: the same surroundings wherever it runs, with its numbers or its failure as result.

A round leaves nothing behind in its process, and nothing in its process changes its numbers.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from numbers import Real
from time import perf_counter
from traceback import format_exception, format_exception_only
from typing import Any

import torch

from graphnet.errors import GraphError
from graphnet.train.rounds_table import Failure, Round
from graphnet.train.signals import end_at_once_on_sigterm

Make = Callable[[int], Any]
"""Trains from a seed, and returns numbers and curves by their names."""

_ALONE = threading.RLock()
"""One round at a time in a process: threads would share random states and the thread count."""

_INSIDE: ContextVar[bool] = ContextVar("inside a round", default=False)


@dataclass(frozen=True)
class Once:
    """Runs one round from a seed; this is what is sent to the workers.

    Attributes:
        make: trains from a seed.
        threads: of torch, in each round.
        dtype: torch's default dtype, which a new process does not know.
        process: the one that starts the rounds; `sys.exit` in another one is a failure.
    """

    make: Make
    threads: int
    dtype: torch.dtype
    process: int

    def __call__(self, seed: int) -> Round | Failure:
        """The round of this seed; an exception makes it a failure."""
        if os.getpid() != self.process:
            end_at_once_on_sigterm()
        with _ALONE, self._surroundings(seed):
            start = perf_counter()
            try:
                made = self.make(seed)
                return round_of(seed, made, perf_counter() - start)
            except (Exception, SystemExit) as error:
                if isinstance(error, SystemExit) and os.getpid() == self.process:
                    raise
                return failure_of(seed, error)

    @contextmanager
    def _surroundings(self, seed: int) -> Iterator[None]:
        """Threads, dtype and random states of the round; the caller's come back at the end."""
        with ExitStack() as at_the_end:
            at_the_end.callback(torch.set_num_threads, torch.get_num_threads())
            at_the_end.callback(torch.set_default_dtype, torch.get_default_dtype())
            at_the_end.callback(torch.set_rng_state, torch.get_rng_state())
            at_the_end.callback(random.setstate, random.getstate())
            at_the_end.callback(_INSIDE.reset, _INSIDE.set(True))
            torch.set_num_threads(self.threads)
            torch.set_default_dtype(self.dtype)
            torch.manual_seed(seed)
            random.seed(seed)
            yield


def inside_a_round() -> bool:
    """True while a round runs in this thread: rounds inside a round use no more workers."""
    return _INSIDE.get()


def round_of(seed: int, made: Any, seconds: float) -> Round:
    """A round from what `make` has returned.

    A number called seconds replaces the measured time, and a seed is dropped: it is known.

    Raises:
        GraphError: it holds something other than numbers and curves.
    """
    record = made.to_record() if hasattr(made, "to_record") else made
    if not isinstance(record, Mapping):
        raise GraphError(
            f"make(seed) returns numbers by their names, as {{'accuracy': 0.9}}; "
            f"got {type(record).__name__}."
        )
    numbers: dict[str, float] = {}
    curves: dict[str, list[float]] = {}
    for name, value in record.items():
        plain = value.tolist() if hasattr(value, "tolist") else value  # a tensor, an array
        if isinstance(name, str) and isinstance(plain, Real):
            numbers[name] = float(plain)
        elif isinstance(name, str) and _is_curve(plain):
            curves[name] = [float(each) for each in plain]
        else:
            raise GraphError(
                "make(seed) returns by name a number, or a list of numbers (a curve); "
                f"{name!r} is {type(value).__name__}."
            )
    numbers.pop("seed", None)
    return Round(seed, numbers, curves, numbers.pop("seconds", seconds))


def _is_curve(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and all(isinstance(each, Real) for each in value)
    )


def failure_of(seed: int, error: BaseException) -> Failure:
    """The failure of a round from its exception, in texts that any process can send."""
    trace = error.__traceback__ and error.__traceback__.tb_next  # from make on
    return Failure(
        seed,
        "".join(format_exception_only(error)).strip(),
        "".join(format_exception(type(error), error, trace)),
    )
