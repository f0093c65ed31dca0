"""Tuning: measure several ways to compute the same, and keep the one that is fastest here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property, partial
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import torch

from graphnet.compile.targets.torch.execution import NotFinite
from graphnet.compile.targets.torch.printer import Printer

if TYPE_CHECKING:
    from graphnet.compile.plan.calls import Call
    from graphnet.compile.plan.slots import Buffer, Slot

Trial = Callable[[], None]
"""Something that can be run again and again."""


class Candidate(NamedTuple):
    """Calls that compute a node, and where its value then lies."""

    calls: list[Call]
    out: Slot


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

    def fastest(
        self, question: object, choices: Sequence[Sequence[Call]], device: torch.device | None
    ) -> int:
        """The index of the fastest way; the first if nothing is measured.

        Args:
            question: what the answer depends on: operation, shapes, strides, dtype.
            choices: the calls of each way.
            device: where they are tried, on memory of their own.
        """
        memory = Samples(choices, device)
        trials = [partial(_trial, calls, memory) for calls in choices]
        return self._fastest(question, trials, _ENOUGH)

    def fastest_program(self, question: object, trials: Sequence[Callable[[], Trial]]) -> int:
        """The same for whole programs, given what prepares each."""
        return self._fastest(question, trials, 4 * _ENOUGH)

    def _fastest(
        self, question: object, trials: Sequence[Callable[[], Trial]], enough: float
    ) -> int:
        key = (question, torch.get_num_threads())
        if key in _measured:
            return _measured[key]
        if len(trials) == 1 or not self.on or self.spent > _LONGEST:
            return 0
        begin = perf_counter()
        with torch.inference_mode():
            runs = [_prepared(each()) for each in trials]
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


class Samples:
    """Memory to try calls on: numbers from 0.1 to 1, so that a trial never divides by 0."""

    def __init__(self, choices: Sequence[Sequence[Call]], device: torch.device | None) -> None:
        self._choices, self._device = choices, device

    def tensor(self, slot: Slot) -> torch.Tensor:
        """The tensor in a slot."""
        start, memory = self._memory[slot.buffer]
        return memory.as_strided(slot.shape, slot.strides, slot.offset - start)

    @cached_property
    def _memory(self) -> dict[Buffer, tuple[int, torch.Tensor]]:
        """Memory for the part of each buffer that the calls use, made when first needed."""
        used: dict[Buffer, list[Slot]] = {}
        for call in (call for calls in self._choices for call in calls):
            for slot in call.slots():
                used.setdefault(slot.buffer, []).append(slot)
        found = {}
        for buffer, slots in used.items():
            start = min(slot.span[0] for slot in slots)
            count = max(slot.span[1] for slot in slots) - start
            memory = torch.zeros(count, dtype=slots[0].dtype, device=self._device)
            found[buffer] = start, ordinary(memory)
        return found


def _trial(calls: Sequence[Call], memory: Samples) -> Trial:
    """Calls as a function."""
    printer = Printer({})
    printer.print(calls)
    return printer.function(printer.bound(memory.tensor))[0]


def _prepared(run: Trial) -> Trial:
    """A trial that has already run once."""

    def trial() -> None:
        with suppress(NotFinite):  # the numbers of a part tried alone mean nothing
            run()

    trial()
    return trial


def copied(tensor: torch.Tensor) -> torch.Tensor:
    """A copy of all memory behind a tensor, with ordinary numbers: unset memory may be slow."""
    count = tensor.untyped_storage().nbytes() // tensor.itemsize
    return ordinary(tensor.as_strided((count,), (1,), 0).clone())


def ordinary(tensor: torch.Tensor) -> torch.Tensor:
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
