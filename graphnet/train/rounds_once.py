"""One round: the same surroundings wherever it runs, with its numbers or its failure as result.

A round leaves nothing behind in its process, and nothing in its process changes its numbers.
"""

from __future__ import annotations

import os
import random
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from linecache import getline
from numbers import Real
from time import perf_counter
from traceback import format_exception, format_exception_only
from types import CodeType, FunctionType, MethodType
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


# source lines for tracebacks of workers, which receive functions without their files

_FRAME = re.compile(r'^  File ".*", line (\d+), in (.+)\n(?!    )', re.MULTILINE)
"""A frame of a traceback without a source line below it."""


def sourced(traceback: str, make: Callable[..., Any]) -> str:
    """A traceback with the source lines that the process that made it did not have.

    Args:
        traceback: as Python prints it. A function that was sent to another process by value has
            lost the name of its file, and so the line that failed.
        make: that function, in this process, along with what it holds or names in its module.
    """
    return _FRAME.sub(partial(_with_source, list(_codes(make))), traceback)


def _with_source(codes: list[CodeType], frame: re.Match[str]) -> str:
    """The lines of a frame, with those of the matching code; unchanged if none fits."""
    place, name = int(frame[1]), frame[2]
    for code in codes:
        if code.co_name == name and place in {line for *_, line in code.co_lines()}:
            text = getline(code.co_filename, place).strip()
            if text:
                return f'  File "{code.co_filename}", line {place}, in {name}\n    {text}\n'
    return frame[0]


def _codes(make: Any) -> Iterator[CodeType]:
    """The code of a function, and of everything that it holds or names in its own module.

    Objects of another module are sent by name, and have a file wherever they are imported.
    """
    todo, seen = [make], {id(make): make}
    while isinstance(make, partial):
        make = make.func
    module = getattr(make, "__module__", None)
    while todo:
        each = todo.pop()
        if isinstance(each, CodeType):
            yield each
        for part in _parts(each, module):
            if id(part) not in seen:
                seen[id(part)] = part
                todo.append(part)


def _parts(each: Any, module: str | None) -> list[Any]:
    """What may be called inside an object that is called, or that holds such an object."""
    match each:
        case CodeType():
            return [part for part in each.co_consts if isinstance(part, CodeType)]
        case MethodType():
            return [each.__func__, each.__self__]
        case staticmethod() | classmethod():
            return [each.__func__]
        case partial():
            return [each.func, *each.args, *each.keywords.values()]
        case FunctionType() if each.__module__ == module:
            return [each.__code__, *_held(each), *_named(each.__code__, each.__globals__)]
        case type() if each.__module__ == module:
            return list(vars(each).values())
        case FunctionType() | type():
            return []
    return [type(each)]


def _held(function: FunctionType) -> Iterator[Any]:
    """The values of the variables around a function."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # a variable without a value yet
            yield cell.cell_contents


def _named(code: CodeType, known: Mapping[str, Any]) -> Iterator[Any]:
    """The values of the global names in a code, and in the functions inside it."""
    yield from (known[name] for name in code.co_names if name in known)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _named(inner, known)
