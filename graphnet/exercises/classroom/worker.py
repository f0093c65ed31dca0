"""The process that grades answers: `python -P -m graphnet.exercises.classroom.worker`.

It reads jobs as lines of JSON and answers each with a line; on systems that fork safely, it imports
torch once and grades each job in a child of its own. Elsewhere it grades one job and ends. A line
before each file and each point says that it begins, so that one that hangs is known.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

import torch

from graphnet.exercises.classroom.answers import Course, exercise_named, graded
from graphnet.exercises.classroom.limits import forbid, limit_resources
from graphnet.exercises.report import Mark

FORKS = hasattr(os, "fork") and sys.platform != "darwin"
"""Whether a process can be copied after torch was imported; macOS forbids it."""

_LARGEST = 1_000_000  # bytes of a result
_MOST_HANDLES = 4096
_GRACE = 1.0  # seconds beyond the limit until a child is stopped that does not stop itself


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
            _reply(replies, json.dumps(result_of(job, lambda text: _reply(replies, text))))
            return


def result_of(job: dict[str, Any], report: Callable[[str], object]) -> dict[str, Any]:
    """Grade one job under its limits.

    Args:
        job: the paths of the files, the name of the exercise, the limits, a folder
            to work in, and the marks that are known.
        report: is called with a line before each file and each point.
    """
    work = Path(job["work"])
    exercise = exercise_named(job["exercise"])
    os.chdir(work)
    tempfile.tempdir = str(work)
    sys.dont_write_bytecode = True
    stages = len(job["files"]) + len(exercise.points())
    limit_resources(job["seconds"] * stages, job["megabytes"])
    forbid(work)
    known = {name: Mark(name, *texts) for name, *texts in job["known"]}
    course = Course(job["seconds"], known, lambda name: report(json.dumps({"begun": name})))
    return graded([Path(path) for path in job["files"]], exercise, work, course)


def in_child(job: dict[str, Any]) -> dict[str, Any]:
    """Grade one job in a copy of this process, which ends in time, whatever the answer does."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _be_child(job, writing)
    os.close(writing)
    text, point = _read(reading, job["seconds"] + _GRACE)
    os.close(reading)
    with suppress(OSError):
        os.killpg(child, signal.SIGKILL)  # and whatever it has started
    with suppress(OSError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if text is None:
        return {"timeout": True, "point": point}
    try:
        return dict(json.loads(text))
    except ValueError:
        if text:
            return {"garbled": True}
        return {"status": os.waitstatus_to_exitcode(status), "point": point}


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
        _write(writing, json.dumps(result_of(job, lambda text: _write(writing, text))))
    finally:
        os._exit(0)


def _write(handle: int, text: str) -> None:
    data = (text + "\n").encode()
    while data:
        data = data[os.write(handle, data) :]


def _read(handle: int, seconds: float) -> tuple[str | None, str]:
    """The last line of a child, or what there is of it; and the point that it has begun, if any.

    The line is None if it comes too late: the time counts from the line before.
    """
    data, point, deadline = b"", "", time.monotonic() + seconds
    while len(data) < _LARGEST:
        line, end, rest = data.partition(b"\n")
        begun = begun_by(line) if end else None
        if begun is not None:
            point, data, deadline = begun, rest, time.monotonic() + seconds
            continue
        if end:
            break
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([handle], [], [], left)[0]:
            return None, point
        part = os.read(handle, 65536)
        if not part:
            break
        data += part
    return data.decode("utf-8", "replace"), point


def begun_by(line: bytes) -> str | None:
    """The point that a line says is begun, "" for a file; None if it says something else."""
    try:
        reply = json.loads(line)
    except ValueError:
        return None
    return str(reply["begun"]) if isinstance(reply, dict) and set(reply) == {"begun"} else None


def _reply(replies: IO[str], text: str) -> None:
    replies.write(text + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
