"""From C source to a loaded library, compiled in the background."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path
from textwrap import shorten
from threading import RLock
from time import monotonic, sleep
from typing import TYPE_CHECKING

from graphnet.compile.targets.c.background import Process
from graphnet.compile.targets.c.compilers import (
    HOW_TO_INSTALL,
    Compiler,
    Flags,
    accepted,
    find_compiler,
    processor,
)
from graphnet.compile.targets.c.library_cache import open_cache, remove, temporary_cache
from graphnet.console_text import printable

if TYPE_CHECKING:
    from ctypes import CDLL

__all__ = ["Build", "Compiler", "NativeUnavailable", "begin", "find_compiler"]

_PATIENCE = 120.0  # seconds for a compiler
_PAUSE = 0.005  # seconds between two looks at it
_SOURCE, _LIBRARY = "program.c", "library"
_CANCELLED = "the build was cancelled"
_FULL = ("No space left on device", "Disk quota exceeded", "Read-only file system")


class NativeUnavailable(Exception):  # noqa: N818 - a signal: there is another way to go on
    """There is no native code for a source; the text is one line that says why."""


def begin(source: str, seconds: float = _PATIENCE) -> Build:
    """Look a source up in the cache; if it is not there, start the compiler, and do not wait.

    Whatever goes wrong is said by `Build.library`. It may be called in several threads at once.

    Args:
        source: the C source; what it exports is marked as `printer.EXPORTED`.
        seconds: after which a compiler is killed.
    """
    return Build(source, seconds)


class Build:
    """A library that is loaded, or being compiled in the background; `begin` makes it.

    It belongs to the process that made it: in a forked one, it is unavailable until it is loaded. A
    compiler that still runs is killed when the build is dropped, and when Python exits.
    """

    def __init__(self, source: str, seconds: float) -> None:
        self._lock = RLock()
        self._owner = os.getpid()
        self._seconds = seconds
        self._deadline = monotonic() + seconds
        self._process: Process | None = None
        self._library: CDLL | None = None
        self._failure = _CANCELLED
        self._source = source.encode("utf-8", "backslashreplace")
        self._flags = Flags.of()
        self._optional = self._flags.optional
        compiler = find_compiler()
        if compiler is None:
            self._failure = f"there is no C compiler: {HOW_TO_INSTALL}"
            return
        self._compiler = compiler
        self._key = _key(self._source, self._flags, compiler)
        try:
            self._cache = open_cache()
            self._look_up()
        except OSError as error:
            self._failure = f"there is no folder for libraries: {_reason(error)}"

    def ready(self) -> bool:
        """Whether `library` would return or raise at once; it never waits."""
        if os.getpid() != self._owner:
            return True
        with self._lock:
            if self._process is not None:
                self._look_at(self._process)
            return self._process is None

    def library(self) -> CDLL:
        """The loaded library; waits for the compiler. Ctrl-C cancels the build.

        Raises:
            NativeUnavailable: there is none.
        """
        try:
            while not self.ready():
                sleep(_PAUSE)
        except BaseException:
            self.cancel()
            raise
        if self._library is None:
            foreign = os.getpid() != self._owner and self._process is not None
            raise NativeUnavailable(
                f"process {self._owner} compiles it, and this is another one"
                if foreign
                else self._failure
            )
        return self._library

    def cancel(self) -> None:
        """Kill the compiler if it runs; a library that is loaded stays."""
        if os.getpid() == self._owner:
            with self._lock:
                process, self._process = self._process, None
                if process is not None:
                    self._failure = _CANCELLED
                    process.stop()

    def _look_up(self) -> None:
        try:
            path = self._cache.find(self._key)
        except OSError:  # the folder can be entered, and not be read
            self._cache = temporary_cache()
            path = self._cache.find(self._key)
        if path is None or not self._load(path):
            self._compile()

    def _load(self, path: Path) -> bool:
        """Open a library; one that cannot be opened is removed."""
        import ctypes

        try:
            self._library = ctypes.CDLL(str(path), mode=ctypes.RTLD_LOCAL)
        except OSError as error:
            self._failure = f"the library of {self._compiler} cannot be loaded: {_reason(error)}"
            remove(path)
        return self._library is not None

    def _compile(self) -> None:
        """Start the compiler; if the cache cannot be written, in a folder of this process."""
        arguments = [*self._flags.needed, *self._optional, "-o", _LIBRARY + self._flags.suffix]
        arguments += [_SOURCE, *self._flags.libraries]
        try:
            folder = self._cache.workspace(_SOURCE, self._source)
            command = [*self._compiler.command, *arguments]
            self._process = Process(command, folder, self._cache.variables(folder))
        except OSError as error:
            self._failure = f"{self._compiler} cannot be started: {_reason(error)}"
            self._compile_elsewhere()

    def _compile_elsewhere(self) -> None:
        """Start again in a folder of this process, unless this was there."""
        if not self._cache.temporary:
            self._cache = temporary_cache()
            self._compile()

    def _look_at(self, process: Process) -> None:
        """Take what a compiler has written, if it is done."""
        code = process.poll()
        if code is None and monotonic() < self._deadline:
            return
        self._process = None
        try:
            if code is None:
                self._failure = f"{self._compiler} took more than {self._seconds:g} seconds"
            elif code:
                self._take_failure(code, process.messages())
            else:
                self._take_library(process.folder / (_LIBRARY + self._flags.suffix))
        except OSError as error:
            self._failure = f"there is no folder for libraries: {_reason(error)}"
        finally:
            process.stop()

    def _take_library(self, output: Path) -> None:
        if not output.is_file():
            self._failure = f"{self._compiler} has written no library"
            return
        try:
            loaded = self._load(self._cache.keep(self._key, output))
        except OSError as error:
            self._failure = f"the library cannot be kept: {_reason(error)}"
            loaded = False
        if loaded:
            self._cache.tidy()
        else:
            self._compile_elsewhere()

    def _take_failure(self, code: int, messages: str) -> None:
        self._failure = f"{self._compiler} {_ending(code, messages)}"
        optional = accepted(self._optional, messages)
        if optional is not None:
            self._optional = optional
            self._compile()
        elif any(each in messages for each in _FULL):
            self._compile_elsewhere()


def _key(source: bytes, flags: Flags, compiler: Compiler) -> str:
    """What a library depends on, as one number."""
    every = [*flags.needed, *flags.optional, *flags.libraries]
    about = json.dumps([every, compiler.command, compiler.version, processor()])
    return hashlib.sha256(about.encode() + b"\n" + source).hexdigest()


def _ending(code: int, messages: str) -> str:
    """How a compiler ended: by a signal, or with an error message."""
    if code < 0:
        names = {each.value: each.name for each in signal.Signals}
        return f"was ended by signal {names.get(-code, -code)}"
    lines = [line for line in messages.splitlines() if line.strip()] or [f"exit code {code}"]
    errors = [line for line in lines if "error" in line.lower()]
    return f"failed: {printable(shorten((errors or lines[-1:])[0], 200))}"


def _reason(error: OSError) -> str:
    return printable(shorten(error.strerror or str(error), 200))
