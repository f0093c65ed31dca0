"""Let Ctrl-C and SIGTERM wait for the end of a step."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any] | int

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(SystemExit, KeyboardInterrupt):
    """Ctrl-C ended a program: with exit code 130, unless it is caught as either of its bases."""


class Interruption:
    """While inside, the first Ctrl-C or SIGTERM is only noted, so that no step is left half done.

    A second one acts at once, as it would outside. A signal that is ignored outside stays ignored.
    In threads other than the main one, which get no signals, nothing changes.

    Attributes:
        signal: the signal that was received, or None.

    >>> with Interruption() as interruption:
    ...     for step in range(1, 1_000):
    ...         if step == 3:
    ...             signal.raise_signal(signal.SIGINT)
    ...         if interruption.signal is not None:
    ...             break
    >>> step, interruption.signal.name, interruption.exit_code
    (3, 'SIGINT', 130)
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._outside: dict[signal.Signals, Handler] = {}

    @property
    def exit_code(self) -> int:
        """What a shell expects of a program ended by a signal: 128 and its number; else 0."""
        return 0 if self.signal is None else 128 + self.signal

    def ending(self) -> BaseException:
        """What to raise at the end of the step: a session at a prompt goes on after Ctrl-C."""
        if self.signal is signal.SIGINT:
            return KeyboardInterrupt() if hasattr(sys, "ps1") else Stopped(self.exit_code)
        return SystemExit(self.exit_code)

    def __enter__(self) -> Interruption:
        if _in_main_thread():
            for each in SIGNALS:
                outside = signal.getsignal(each)
                if outside not in (signal.SIG_IGN, None):  # None: not set from Python
                    self._outside[each] = outside  # first: it may arrive between these two lines
                    signal.signal(each, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal is None:
            self.signal = signal.Signals(number)
            return
        self._restore()
        signal.raise_signal(number)

    def _restore(self) -> None:
        for number, handler in self._outside.items():
            signal.signal(number, handler)


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """While inside, SIGTERM raises SystemExit(143), so that work in progress is cleaned up.

    If SIGTERM would do anything but end the program, and in threads other than the main one,
    nothing changes.
    """
    if not _in_main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def end_at_once_on_sigterm() -> None:
    """Undo `exit_on_sigterm` in a worker that was forked inside it and inherited it."""
    if _in_main_thread() and signal.getsignal(signal.SIGTERM) is _leave:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
