"""What keeps walks and steps whole: one walk at a time, and Ctrl-C between steps."""

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


class OneAtATime:
    """A graph is walked by one thread at a time: a second walk is refused, not mixed in.

    Who walks is told by the frame that entered. So a walk that an interrupt ended anywhere, even
    on the way in or out, holds nobody up: its frame is on no stack any more, and the next one that
    asks follows it. No lock is held, since that too could be left behind.
    """

    def __init__(self) -> None:
        self._walking: dict[FrameType | None, FrameType] = {}  # for each walk the one that follows

    def __enter__(self) -> None:
        frame = sys._getframe(1)
        while (first := self._walking.setdefault(None, frame)) is not frame:  # for threads one step
            if self._follows(first, frame):
                break

    def __exit__(self, *_: object) -> None:
        self._walking.clear()

    def _follows(self, first: FrameType, frame: FrameType) -> bool:
        """True if a walk may follow one that was abandoned; False to ask again: it has just ended.

        Raises:
            StateError: another walk is under way.
        """
        last = first
        while last is not frame:
            if _is_running(last):
                raise StateError(
                    "This graph is being walked already, by another thread or by an operation of "
                    "its own. Build a graph for each thread; they may share parameters."
                )
            before, last = last, self._walking.setdefault(last, frame)
        if self._walking.get(None) is not first:  # it ended in the usual way, and made room
            self._walking.pop(before, None)
            return False
        self._walking[None] = frame  # so that nobody goes along those that were abandoned again
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
    """Inside, Ctrl-C waits: what it would have done is done at the end.

    In another thread than the main one, which gets no signals, and where no function of Python
    answers to Ctrl-C, nothing changes.

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

    __slots__ = ("_came", "_handler")
    _came: tuple[int, FrameType | None] | None
    _handler: Callable[[int, FrameType | None], Any] | None

    def __enter__(self) -> None:
        self._came = self._handler = None
        if callable(_signals.getsignal(_SIGINT)):
            try:
                self._handler = _signals.signal(_SIGINT, self._note)
            except ValueError:  # of another thread than the main one
                return

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came = number, frame

    def __exit__(self, *_: object) -> None:
        if self._handler is not None:
            _signals.signal(_SIGINT, self._handler)
            if self._came is not None:
                self._handler(*self._came)
