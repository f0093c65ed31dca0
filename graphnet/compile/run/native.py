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
REPAID = 0.2
"""The seconds of calls of torch from which on native code is used at once."""
PER_STATEMENT, PER_CYCLE = 2e-6, 1 / 3e9
"""An estimate of seconds: for each call of torch, and for each cycle of its work."""
SHORT, LONG = 0.001, 0.01
"""Estimated seconds of a step: between them it is measured, if it may be, which form is faster;
without measuring, native code is used up to the longer one."""
LARGE = 250_000_000
"""Products in one sum of products, above which torch's own kernels are the faster ones."""


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
        if not is_small(low, self.measured):
            program.build.cancel()
            return
        seconds = seconds_of(low)
        if self.expected is None:
            self._program, self._next = program, PATIENCE / seconds
        elif self.expected * seconds >= REPAID:
            self._program, self._next = program, 0
        else:
            program.build.cancel()


def seconds_of(low: Lowered) -> float:
    """An estimate of the seconds that a program takes as calls of torch."""
    return len(low.statements) * PER_STATEMENT + low.work * PER_CYCLE


def is_small(low: Lowered, measured: bool = False) -> bool:
    """True if native code is faster by the estimate, or may be, if it is to be measured."""
    products = (each for each in low.statements if isinstance(each, Contraction))
    alone = all(prod(each.sizes) < LARGE for each in products)
    return alone and (measured or low.work * PER_CYCLE < LONG)
