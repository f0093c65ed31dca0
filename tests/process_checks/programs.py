"""Programs that tests start, and that cannot hang: torchrun, and checks of several processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

MERCY = 40
"""Seconds in which a program that is told to end may end its own: torchrun takes 30 to give up."""


def start(command, output, environment=None, **options):
    """Start a program that leads a session of its own; its output goes to a file."""
    with output.open("w", encoding="utf-8") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,  # a pipe stays open as long as any process that has inherited it
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**_own_environment(), "OMP_NUM_THREADS": "1", **(environment or {})},
            **options,
        )


def _own_environment():
    """Without what a launcher of this process has set."""
    return {key: each for key, each in os.environ.items() if key not in ("RANK", "WORLD_SIZE")}


def text_of(process, output, seconds):
    """What a program has written; it is ended if it takes too long.

    Raises:
        AssertionError: it has not ended in time.
    """
    hangs = False
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        hangs = True
    finally:
        end(process)
    text = output.read_text(encoding="utf-8")
    assert not hangs, f"{process.args} has not ended after {seconds} s.\n{text}"
    return text


def end(process):
    """End a program with all that it has started: it is asked first, and then killed."""
    if process.poll() is None:
        process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(MERCY)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def python(*arguments):
    """A command of this Python."""
    return [sys.executable, *map(str, arguments)]


def gone(number, seconds=10):
    """Wait until a process has ended, or is only waiting for its parent to notice."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(FileNotFoundError):
            state = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2]
            if state.split()[0] != "Z":
                time.sleep(0.01)
                continue
        return True
    return False
