"""The process that grades answers: `python -P -m graphnet.exercises.classroom.worker`.

It reads jobs as lines of JSON and answers each with a line. On systems that fork safely, it imports
torch once and grades each job in a child of its own; elsewhere it grades one job and ends.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

import torch

from graphnet.exercises.classroom.answers import exercise_named, graded
from graphnet.exercises.classroom.limits import forbid, limit_resources

FORKS = hasattr(os, "fork") and sys.platform != "darwin"
"""Whether a process can be copied after torch was imported; macOS forbids it."""

_LARGEST = 1_000_000  # bytes of a result
_MOST_HANDLES = 4096


def main() -> None:
    """Answer jobs until there are no more."""
    torch.set_num_threads(1)  # a copied process has no threads but one
    jobs, replies = sys.stdin, os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is printed is no reply
    _reply(replies, json.dumps({"reusable": FORKS}))
    for line in iter(jobs.readline, ""):
        job = json.loads(line)
        if FORKS:
            _reply(replies, json.dumps(in_child(job)))
        else:
            _reply(replies, json.dumps(result_of(job)))
            return


def result_of(job: dict[str, Any]) -> dict[str, Any]:
    """Grade one job under its limits.

    Args:
        job: the paths of the files, the name of the exercise, the limits, and a folder
            to work in.
    """
    work = Path(job["work"])
    exercise = exercise_named(job["exercise"])
    os.chdir(work)
    tempfile.tempdir = str(work)
    sys.dont_write_bytecode = True
    limit_resources(job["seconds"], job["megabytes"])
    forbid(work)
    return graded([Path(path) for path in job["files"]], exercise, work)


def in_child(job: dict[str, Any]) -> dict[str, Any]:
    """Grade one job in a copy of this process, which ends in time, whatever the answer does."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _be_child(job, writing)
    os.close(writing)
    text = _read(reading, time.monotonic() + job["seconds"])
    os.close(reading)
    with suppress(OSError):
        os.killpg(child, signal.SIGKILL)  # and whatever it has started
    with suppress(OSError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if text is None:
        return {"timeout": True}
    try:
        return dict(json.loads(text))
    except ValueError:
        return {"garbled": True} if text else {"status": os.waitstatus_to_exitcode(status)}


def _be_child(job: dict[str, Any], writing: int) -> NoReturn:
    """Grade the job, write the result, and end without any of Python's farewells."""
    try:
        os.setsid()
        os.closerange(3, writing)  # the answer reaches no pipe but its own
        os.closerange(writing + 1, _MOST_HANDLES)
        nothing = os.open(os.devnull, os.O_RDWR)
        for handle in (0, 1, 2):
            os.dup2(nothing, handle)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - until the process ends
        data = (json.dumps(result_of(job)) + "\n").encode()
        while data:
            data = data[os.write(writing, data) :]
    finally:
        os._exit(0)


def _read(handle: int, deadline: float) -> str | None:
    """A line from a pipe, or what there is of it at its end; None if the deadline passes."""
    data = b""
    while not data.endswith(b"\n") and len(data) < _LARGEST:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([handle], [], [], left)[0]:
            return None
        part = os.read(handle, 65536)
        if not part:
            break
        data += part
    return data.decode("utf-8", "replace")


def _reply(replies: IO[str], text: str) -> None:
    replies.write(text + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
