"""Tuning: measure several ways to compute the same, and keep the one that is fastest here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any

import torch

from graphnet.compile.targets.torch.execution import function_of
from graphnet.compile.targets.torch.lines import NotFinite

Candidate = Sequence[str]
"""Lines of a program."""

_ROUNDS, _LEAST = 50, 2
_ENOUGH = 0.05  # seconds for one question
_LONGEST = 1.2  # seconds that one compilation spends on measuring
_MARGIN = 1.05  # a smaller gain may be chance: the first way is kept
_measured: dict[object, int] = {}
"""The fastest way for each question asked so far in this process."""


class Tuner:
    """Chooses among ways to compute the same.

    Attributes:
        on: False to take the first way without measuring.
        spent: the seconds of measuring so far.
    """

    def __init__(self, on: bool = True) -> None:
        self.on = on
        self.spent = 0.0

    def fastest(self, question: object, ways: Sequence[Candidate], names: Mapping[str, Any]) -> int:
        """The index of the fastest way; the first if nothing is measured.

        Args:
            question: what the answer depends on: operation, shapes, dtype.
            ways: the lines of each way.
            names: what the lines work on; tensors are copied first.
        """
        return self._fastest(question, ways, [names] * len(ways), _ENOUGH)

    def fastest_program(
        self, question: object, ways: Sequence[Candidate], names: Sequence[Mapping[str, Any]]
    ) -> int:
        """The same for whole programs, each with names of its own."""
        return self._fastest(question, ways, names, 4 * _ENOUGH)

    def _fastest(
        self,
        question: object,
        ways: Sequence[Candidate],
        names: Sequence[Mapping[str, Any]],
        enough: float,
    ) -> int:
        key = (question, torch.get_num_threads())
        if key in _measured:
            return _measured[key]
        if len(ways) == 1 or not self.on or self.spent > _LONGEST:
            return 0
        begin = perf_counter()
        with torch.inference_mode():
            copies = {id(each): _copies(each) for each in names}
            runs = [_prepared(way, copies[id(each)]) for way, each in zip(ways, names, strict=True)]
            start = perf_counter()
            times = [_once(run) for run in runs]
            for turn in range(_ROUNDS):  # in turns, so that a noisy moment hits all alike
                times = [min(time, _once(run)) for time, run in zip(times, runs, strict=True)]
                if turn >= _LEAST and perf_counter() - start > enough:
                    break
        self.spent += perf_counter() - begin
        slowest = min(times) * _MARGIN
        _measured[key] = next(place for place, time in enumerate(times) if time <= slowest)
        return _measured[key]


def _prepared(way: Candidate, names: Mapping[str, Any]) -> Callable[[], None]:
    """The lines as a function that has already run once."""
    run, _ = function_of(way, [], dict(names))

    def trial() -> None:
        with suppress(NotFinite):  # the numbers of a part tried alone mean nothing
            run()

    trial()
    return trial


def _copies(names: Mapping[str, Any]) -> dict[str, Any]:
    """The same names for copies of the tensors: views of one memory stay so."""
    memories: dict[object, torch.Tensor] = {}
    return {
        name: _copied(each, memories) if isinstance(each, torch.Tensor) else each
        for name, each in names.items()
    }


def _copied(tensor: torch.Tensor, memories: dict[object, torch.Tensor]) -> torch.Tensor:
    """The same view of a copy of the memory, with ordinary numbers: unset memory may be slow.

    If a tensor sees a small part of its memory, one weight among many, only that is copied.
    """
    sizes = zip(tensor.shape, tensor.stride(), strict=True)
    span = 1 + sum((size - 1) * step for size, step in sizes) if tensor.numel() else 0
    start, length = tensor.storage_offset(), tensor.untyped_storage().nbytes() // tensor.itemsize
    if 2 * span >= length:
        start, span = 0, length
    place = tensor.untyped_storage().data_ptr(), start, span, tensor.dtype
    if place not in memories:
        memories[place] = _ordinary(tensor.as_strided((span,), (1,), start).clone())
    offset = tensor.storage_offset() - start
    return memories[place].as_strided(tensor.shape, tensor.stride(), offset)


def _ordinary(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of ordinary numbers: 0.1 to 1 if it is all 0, or has NaN or infinity.

    So a trial never divides by 0, nor takes the root of a negative second moment.
    """
    if tensor.is_floating_point() and not (tensor.isfinite().all() and tensor.any()):
        tensor.uniform_(0.1, 1, generator=torch.Generator(tensor.device))
    return tensor


def _once(run: Callable[[], None]) -> float:
    """The seconds of one run, the mean of as many as fit into a short time."""
    start = perf_counter()
    run()
    single = perf_counter() - start
    count = min(100, int(1e-4 / max(single, 1e-7)))
    for _ in range(count):
        run()
    return (perf_counter() - start) / (count + 1)
