"""A program that runs in the background, and ends with this one."""

from __future__ import annotations

import os
import shutil
import signal
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subprocess import Popen

__all__ = ["Process", "answer"]

_LOG = "messages.txt"
_LONGEST = 1 << 20  # bytes of messages; a program that writes more is ended
_PAUSE = 0.002  # seconds between two looks


class Process:
    """A program without a shell, in a folder of its own, which is removed with it.

    It is started in a process group of its own: Ctrl-C does not reach it, and `stop` ends
    the programs that it has started as well. It is stopped if this object is dropped, and when
    Python exits; not by another process that was forked in between.

    Args:
        command: the program and its arguments.
        folder: its working directory, where it also keeps temporary files.
        variables: further variables of its environment; those that are set already stay.

    Raises:
        OSError: it cannot be started; the folder is removed.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, variables: dict[str, str] | None = None
    ) -> None:
        self.folder = folder
        try:
            self._process = _started(command, folder, variables or {})
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.stop = weakref.finalize(self, _end, self._process, folder, os.getpid())

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        code = self._process.poll()
        if code is None and self._written() > _LONGEST:
            _kill(self._process)
            return self._process.poll()
        return code

    def messages(self) -> str:
        """What it has printed."""
        try:
            with (self.folder / _LOG).open("rb") as file:
                return file.read(_LONGEST).decode(errors="replace")
        except OSError:
            return ""

    def _written(self) -> int:
        try:
            return (self.folder / _LOG).stat().st_size
        except OSError:
            return 0


def answer(command: Sequence[str], seconds: float) -> str | None:
    """What a program prints; None if it cannot be started, fails, or takes too long."""
    try:
        process = Process(command, Path(mkdtemp(prefix="graphnet-")))
    except OSError:
        return None
    try:
        deadline = monotonic() + seconds
        while (code := process.poll()) is None and monotonic() < deadline:
            sleep(_PAUSE)
        return process.messages() if code == 0 else None
    finally:
        process.stop()


def _started(command: Sequence[str], folder: Path, variables: dict[str, str]) -> Popen[bytes]:
    import subprocess

    own = {"LC_ALL": "C"} | {name: str(folder) for name in ("TMPDIR", "TMP", "TEMP")}
    with (folder / _LOG).open("wb") as log:
        return subprocess.Popen(
            list(command),
            cwd=folder,
            env=variables | os.environ | own,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )


def _end(process: Popen[bytes], folder: Path, owner: int) -> None:
    """End a program and remove its folder, in the process that started it."""
    if os.getpid() == owner:
        _kill(process)
        shutil.rmtree(folder, ignore_errors=True)


def _kill(process: Popen[bytes]) -> None:
    """End a program with all that it has started, and wait for it: no zombie stays."""
    from subprocess import TimeoutExpired

    if process.poll() is not None:
        return
    with suppress(OSError):
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutExpired):  # the system holds it
        process.wait(timeout=5)
