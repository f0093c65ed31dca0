"""Isolates the grading program from the answers that it runs."""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch
from torch import _tensor_str

from graphnet.snapshot import Snapshot, default_generators


class EndedError(Exception):
    """A rule tried to end the program, by SystemExit or the like, which is not an `Exception`."""


@contextmanager
def contained() -> Iterator[None]:
    """Turn what would end the program into an error, except Ctrl-C, which is the user's.

    Raises:
        EndedError: instead of SystemExit, GeneratorExit and other exceptions that derive only
            from BaseException.

    >>> try:
    ...     with contained():
    ...         raise SystemExit(3)
    ... except EndedError as error:
    ...     print(error)
    SystemExit: 3
    """
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise EndedError(text) from error


@contextmanager
def isolated() -> Iterator[None]:
    """At the end, restore the global settings that a rule can change.

    These are torch's default dtype and device, its grad mode, threads, print options, precision of
    products and deterministic algorithms; the random states of torch and Python; the warning
    filters and the recursion limit.

    >>> import torch
    >>> with isolated():
    ...     torch.set_default_dtype(torch.float64)
    >>> torch.get_default_dtype()
    torch.float32
    """
    before = [(restore, read()) for read, restore in _SETTINGS]
    try:
        with warnings.catch_warnings():
            yield
    finally:
        for restore, value in before:
            restore(value)


def _default_device() -> Any:
    return torch.empty(0).device  # torch.get_default_device of torch 2.6 fails after a reset


def _restore_device(device: Any) -> None:
    if _default_device() != device:
        # The CPU is the device if none was set; a device that is set slows every call.
        torch.set_default_device(None if device.type == "cpu" else device)


def _restore_threads(number: int) -> None:
    if torch.get_num_threads() != number:
        torch.set_num_threads(number)


_SETTINGS: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
    (torch.get_default_dtype, torch.set_default_dtype),
    (_default_device, _restore_device),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_num_threads, _restore_threads),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (lambda: asdict(_tensor_str.PRINT_OPTS), vars(_tensor_str.PRINT_OPTS).update),
    (lambda: Snapshot(generators=default_generators()), Snapshot.restore),
    (random.getstate, random.setstate),
    (sys.getrecursionlimit, sys.setrecursionlimit),
]
"""How to read and restore each setting."""
