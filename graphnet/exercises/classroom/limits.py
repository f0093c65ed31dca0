"""What the process of an answer may use: time, memory, files, output, and no other process.

These limits stop mistakes and pranks, not attackers: an answer is a Python program. Grade strangers
in a container or on a machine of its own.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_LARGEST_FILE = 16_000_000  # bytes
_MOST_FILES = 50
_OUTPUT = 4000  # characters that are kept of what an answer prints

_PROCESSES = {
    "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.posix_spawn", "os.spawn",
    "os.startfile", "os.system", "pty.spawn", "signal.pthread_kill", "subprocess.Popen",
    "_winapi.CreateProcess", "_winapi.TerminateProcess",
}  # fmt: skip
_LIBRARIES = {"ctypes.dlopen", "ctypes.dlsym", "ctypes.call_function"}
_NETWORK = {
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.sendto",
    "webbrowser.open",
}
_PATHS = {
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
    "os.symlink", "os.truncate", "os.utime", "shutil.copyfile", "shutil.move", "shutil.rmtree",
}  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Output(io.TextIOBase):
    """The beginning of what an answer prints; the rest is dropped."""

    def __init__(self) -> None:
        self.text, self.dropped = "", False

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, text: str) -> int:
        """Keep a text as far as there is room."""
        room = _OUTPUT - len(self.text)
        self.text += text[:room]
        self.dropped = self.dropped or len(text) > room
        return len(text)

    def __str__(self) -> str:
        return f"{self.text}\n[...]" if self.dropped else self.text


class StoppedError(BaseException):
    """The time of a file is over; no `except Exception` of an answer catches it."""


@contextmanager
def stopped_after(seconds: float) -> Iterator[None]:
    """Interrupt what runs too long, where the system has alarms; 0 sets no limit.

    Raises:
        StoppedError: the time is over.
    """
    if not (seconds and hasattr(signal, "setitimer")):
        yield
        return

    def stop(*_: object) -> None:
        raise StoppedError(f"after {seconds:g} seconds")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def limit_resources(seconds: float, megabytes: int) -> None:
    """Limit processor time, memory, files and processes, where the system can.

    Args:
        seconds: of processor time; whoever started the process limits the time on the clock.
        megabytes: of memory, besides what is in use already.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    used = _memory_in_use()
    wanted = {
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": int(time.process_time() + seconds) + 2,
        "RLIMIT_FSIZE": _LARGEST_FILE,
        "RLIMIT_NPROC": 0,
        **({"RLIMIT_AS": used + megabytes * 2**20} if used else {}),
    }
    for name, most in wanted.items():
        with suppress(AttributeError, ValueError, OSError):  # not on every system
            resource.setrlimit(getattr(resource, name), (most, most))


def _memory_in_use() -> int:
    """The address space of this process in bytes; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def forbid(folder: Path) -> None:
    """Let this process start no other one, use no network, and write only into a folder.

    What is forbidden raises a PermissionError from now on; this cannot be undone.
    """
    sys.addaudithook(_guard(str(folder.resolve())))


def _guard(folder: str) -> Callable[[str, tuple[Any, ...]], None]:
    """The hook that Python calls before each of these actions."""
    opened = 0

    def inside(path: Any) -> bool:
        if isinstance(path, int):
            return True
        real = os.path.realpath(os.fsdecode(path))
        return real in (os.devnull, folder) or real.startswith(folder + os.sep)

    def guard(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal opened
        if event in _PROCESSES:
            raise _refused("starting or ending processes", event)
        if event in _NETWORK:
            raise _refused("the network", event)
        if event in _LIBRARIES:
            raise _refused("loading machine code", event)
        if event in _PATHS and not inside(arguments[0]):
            raise _refused("changing files outside its own folder", event)
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            opened += 1
            if not inside(arguments[0]):
                raise _refused("writing outside its own folder", event)
            if opened > _MOST_FILES:
                raise _refused(f"writing more than {_MOST_FILES} files", event)

    return guard


def _refused(what: str, event: str) -> PermissionError:
    return PermissionError(f"{what} is not allowed while an answer is graded ({event})")
