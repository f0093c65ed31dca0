"""When a program moves to native code: at a number of calls that does not depend on the machine.

A program begins as calls of torch. Once it has run a while, it is printed as C and compiled in the
background, and from a fixed call on the library takes its place: so a short training never waits,
and a training that is repeated makes the same steps in the same way. If the number of steps is
known in advance, the first step decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from graphnet.compile.lower.loops import Contraction, Lowered
from graphnet.compile.lower.scalars import NotLowered
from graphnet.compile.targets.c.toolchain import NativeUnavailable

if TYPE_CHECKING:
    from graphnet.compile.run.runner import Runner
    from graphnet.compile.targets.c.assemble import NativeProgram

PREPARED = 100
"""The call in which a program is printed as C, and the compiler started."""
PATIENCE = 0.4
"""From this many seconds of calls of torch on, native code takes over; compiling takes less."""
FEWEST = 300
"""From this number of calls on, it is worth the milliseconds to find out what native code takes."""
PER_LOOP, PER_PRODUCT = 0.003, 0.02
"""An estimate of the seconds of compiling: for each statement, and more for sums of products."""
PER_STATEMENT, PER_CYCLE = 2e-6, 1 / 3e9
"""An estimate of seconds: for each call of torch, and for each cycle of its work."""
SHORT, LONG, LONGEST = 0.001, 0.01, 0.1
"""Estimated seconds of a step: from the shortest to the longest it is measured, if it may be, which
form is faster; without measuring, native code is used up to the one between."""
LARGE = 250_000_000
"""Products in one sum of products, above which native code is not used without measuring."""


@dataclass
class Native:
    """The native form of one program, which takes its place at some call.

    Attributes:
        make: lowers, prints, and starts to compile.
        expected: how many calls there will be; None if that is not known.
        measured: True if it may be measured which form is faster.
        calls: how many there have been.
    """

    make: Callable[[], NativeProgram]
    expected: int | None = None
    measured: bool = False
    calls: int = 0

    def __post_init__(self) -> None:
        """Nothing is made yet."""
        self._program: NativeProgram | None = None
        self._next: float = PREPARED

    @property
    def is_unclear(self) -> bool:
        """True if it is to be measured which form is faster."""
        low = None if self._program is None else self._program.printed.lowered
        return self.measured and low is not None and low.work * PER_CYCLE >= SHORT

    def is_due(self) -> bool:
        """Count a call; True if `advance` has something to do in it."""
        self.calls += 1
        return self.calls > self._next

    def advance(self) -> Runner | None:
        """Make what is due: print and compile, or return the program, from then on the one to run.

        It waits for the compiler only if the call has come in which native code is to take over.
        """
        if self._program is None:
            self._prepare()
        if self._program is None or self.calls <= self._next:
            return None
        self._next = float("inf")
        try:
            return self._program.runner()
        except NativeUnavailable:
            return None

    def first(self) -> Runner | None:
        """The program, if it is known now that it is to run from the first call on."""
        if self.expected is None:
            return None
        self._next = float("inf")
        if self.expected < FEWEST:
            return None
        self._prepare()
        if self._program is None or self.is_unclear:
            return None
        try:
            return self._program.runner()
        except NativeUnavailable:
            return None

    def _prepare(self) -> None:
        self._next = float("inf")
        try:
            program = self.make()
        except NotLowered:
            return
        low = program.printed.lowered
        seconds, compiling = seconds_of(low), compiling_seconds(low)
        repaid = self.expected is None or self.expected * seconds >= compiling
        if not is_small(low, self.measured) or not repaid:
            return
        program.start()
        self._program = program
        self._next = max(PATIENCE, compiling) / seconds if self.expected is None else 0


def seconds_of(low: Lowered) -> float:
    """An estimate of the seconds that a program takes as calls of torch."""
    return len(low.statements) * PER_STATEMENT + low.work * PER_CYCLE


def compiling_seconds(low: Lowered) -> float:
    """An estimate of the seconds that a compiler takes."""
    products = sum(isinstance(each, Contraction) for each in low.statements)
    return len(low.statements) * PER_LOOP + products * PER_PRODUCT


def is_small(low: Lowered, measured: bool = False) -> bool:
    """True if native code is faster by the estimate, or may be, if it is to be measured."""
    seconds = low.work * PER_CYCLE
    if measured:
        return seconds < LONGEST
    products = (each for each in low.statements if isinstance(each, Contraction))
    return seconds < LONG and all(prod(each.sizes) < LARGE for each in products)
