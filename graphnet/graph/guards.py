"""Keeps walks and steps whole: one walk at a time, and Ctrl-C only between steps."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from graphnet.errors import StateError

# The C functions behind the module's own, which spend microseconds on enumerations.
_signals: Any = getattr(signal, "_signal", signal)
_SIGINT = int(signal.SIGINT)


class Exclusive:
    """Allow one walk of a graph at a time: a second walk is refused, not mixed in.

    A walk is identified by the frame that entered. So a walk that an interrupt ended anywhere, even
    on the way in or out, blocks nobody: its frame is no longer on any stack, and the next walk may
    start. There is no lock, since an interrupt could leave it locked.
    """

    def __init__(self) -> None:
        self._walking: dict[FrameType | None, FrameType] = {}  # each walk's successor

    def __enter__(self) -> None:
        frame = sys._getframe(1)
        while (first := self._walking.setdefault(None, frame)) is not frame:  # atomic for threads
            if self._follows(first, frame):
                break

    def __exit__(self, *_: object) -> None:
        self._walking.clear()

    def _follows(self, first: FrameType, frame: FrameType) -> bool:
        """True if a walk may follow an abandoned one; False to try again: it has just ended.

        Raises:
            StateError: another walk is under way.
        """
        last = first
        while last is not frame:
            if _is_running(last):
                raise StateError(
                    "This graph is already being walked, by another thread or by one of its own "
                    "operations. Build a graph for each thread; they may share parameters."
                )
            before, last = last, self._walking.setdefault(last, frame)
        if self._walking.get(None) is not first:  # it ended normally
            self._walking.pop(before, None)
            return False
        self._walking[None] = frame  # so that nobody follows the abandoned ones again
        return True


def _is_running(frame: FrameType) -> bool:
    """True if a frame is on the stack of some thread."""
    for top in sys._current_frames().values():
        each: FrameType | None = top
        while each is not None:
            if each is frame:
                return True
            each = each.f_back
    return False


class Uninterrupted:
    """Inside the block, Ctrl-C waits; it takes effect at the end.

    Nothing changes outside the main thread, which alone gets signals, or where no Python function
    handles Ctrl-C.

    >>> import signal
    >>> try:
    ...     with Uninterrupted():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("whole")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    whole
    interrupted
    """

    __slots__ = ("_handler", "_received")
    _received: tuple[int, FrameType | None] | None
    _handler: Callable[[int, FrameType | None], Any] | None

    def __enter__(self) -> None:
        self._received = self._handler = None
        if callable(_signals.getsignal(_SIGINT)):
            try:
                self._handler = _signals.signal(_SIGINT, self._note)
            except ValueError:  # not in the main thread
                return

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received = number, frame

    def __exit__(self, *_: object) -> None:
        if self._handler is not None:
            _signals.signal(_SIGINT, self._handler)
            if self._received is not None:
                self._handler(*self._received)
