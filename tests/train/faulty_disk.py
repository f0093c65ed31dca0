"""A disk on which any call can fail: the functions of `os` that write are replaced."""

from __future__ import annotations

import os

CALLS = ("open", "write", "fsync", "mkdir", "rename", "unlink", "rmdir")


class Crash(BaseException):
    """The program has ended at this call: from now on it can do nothing more."""


class FaultyDisk:
    """Counts the calls, and fails at one of them.

    With a Crash all later calls fail too, since a dead program makes none, and of a write that
    crashes one half is done. With `lasting` the same holds for an OSError.
    """

    def __init__(self, patch, at=None, error=Crash, lasting=False):
        self.trace, self.at, self.error, self.down = [], at, error, False
        self.lasting = lasting or error is Crash
        self.names = {}
        for call in CALLS:
            patch.setattr(os, call, self.wrapped(call, getattr(os, call)))

    def wrapped(self, call, original):
        def function(first, *arguments, **options):
            place = self.names.get(first, first)
            self.trace.append((call, str(place)))
            if self.down or len(self.trace) - 1 == self.at:
                if call == "write" and not self.down:
                    original(first, arguments[0][: len(arguments[0]) // 2])
                self.down = self.lasting
                raise self.error() if self.error is Crash else self.error
            result = original(first, *arguments, **options)
            if call == "open":
                self.names[result] = first
            return result

        return function
