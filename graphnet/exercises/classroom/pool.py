"""Processes that grade answers, and what becomes of one that hangs or dies."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphnet.errors import GraphError
from graphnet.exercises.classroom.results import reason_of
from graphnet.exercises.classroom.worker import begun_by

_PACKAGE = Path(__file__).parents[2]
_START = 300.0  # seconds until a worker has imported torch, on the slowest of machines
_MOST_POINTS = 20  # of an exercise
_GRACE = 30.0  # seconds beyond the limit until a worker that forks must have replied


@dataclass(frozen=True)
class Job:
    """What one process grades.

    Attributes:
        files: the files of the student.
        exercise: the exercise, as the command line names it.
        seconds: the limit of time for each file and each point.
        megabytes: the limit of memory.
    """

    files: Sequence[Path]
    exercise: str
    seconds: float
    megabytes: int

    def text(self, work: Path, known: Mapping[str, Sequence[str]]) -> str:
        """The job as a line for a worker, which grades no point again that is known."""
        marks = [[name, *texts] for name, texts in known.items()]
        files = [str(path.resolve()) for path in self.files]
        return json.dumps(
            {**vars(self), "files": files, "known": marks, "work": str(work.resolve())}
        )


class Worker:
    """A process that grades one job after another; it is started again if it dies."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reusable = False
        self._point = ""  # what a worker that does not fork has begun

    def grade(self, job: Job) -> dict[str, Any]:
        """The reply to a job: there is one whatever the answer does.

        A point that ends or stops its process gets the reason as its mark, and the others are
        graded anew without it.

        Raises:
            GraphError: no worker can be started.
        """
        known: dict[str, Sequence[str]] = {}
        while True:
            reply = self._once(job, known)
            point = reply.pop("point", "")
            if not point or point in known or len(known) == _MOST_POINTS:
                return reply
            known[point] = reason_of(reply, job.seconds)

    def _once(self, job: Job, known: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        self._point = ""
        if self._process is None:
            self._start()
        with tempfile.TemporaryDirectory(prefix="graphnet-", ignore_cleanup_errors=True) as work:
            line = self._asked(job, Path(work), known)
        try:
            late = {"timeout": True, "point": self._point}
            reply = late if line is None else dict(json.loads(line))
        except ValueError:  # it died with its answer
            return {"status": self.stop(), "point": self._point}
        if line is None or not self._reusable:
            self.stop()
        return reply

    def _asked(self, job: Job, work: Path, known: Mapping[str, Sequence[str]]) -> bytes | None:
        """The line that answers a job; empty if the process is dead, None if it hangs."""
        process = self._process
        if process is None or process.stdin is None:
            return b""
        try:
            process.stdin.write(job.text(work, known).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            return b""
        if self._reusable:  # it sees to the time of each file and each point itself
            return self._line((job.seconds + 1) * (len(job.files) + _MOST_POINTS) + _GRACE)
        while (line := self._line(job.seconds + 1)) is not None:
            point = begun_by(line)
            if point is None:
                return line
            self._point = point
        return None

    def _line(self, seconds: float) -> bytes | None:
        with suppress(queue.Empty):
            return self._lines.get(timeout=seconds)
        return None

    def _start(self) -> None:
        """Start the process, and wait until it has imported what it needs."""
        path = os.pathsep.join(filter(None, [str(_PACKAGE.parent), os.environ.get("PYTHONPATH")]))
        settings = {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
        settings |= {"MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "graphnet.exercises.classroom.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **settings},
            start_new_session=True,
        )
        self._lines = queue.Queue()
        threading.Thread(target=_read, args=(self._process, self._lines), daemon=True).start()
        try:
            self._reusable = bool(json.loads(self._line(_START) or b"")["reusable"])
        except ValueError as error:
            self.stop()
            raise GraphError(
                "The process that grades answers does not start: does `python -m graphnet` work?"
            ) from error

    def stop(self) -> int:
        """End the process, and whatever it has started; returns its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if hasattr(os, "killpg"):
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
        with suppress(OSError):
            process.kill()
        status = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        return status


def _read(process: subprocess.Popen[bytes], lines: queue.Queue[bytes]) -> None:
    """Pass the lines of a process on; an empty one says that it has ended."""
    with suppress(OSError, ValueError):  # the pipe is closed while it is read
        if process.stdout is not None:
            for line in iter(process.stdout.readline, b""):
                lines.put(line)
    lines.put(b"")


@dataclass
class Pool:
    """Several workers that share the jobs.

    Attributes:
        count: how many answers are graded at the same time.
    """

    count: int
    _idle: queue.Queue[Worker] = field(default_factory=queue.Queue)

    def grade(
        self, jobs: Sequence[Job], done: Callable[[], object] = lambda: None
    ) -> list[dict[str, Any]]:
        """The replies to the jobs, in their order.

        Args:
            jobs: the jobs.
            done: is called after each job.
        """
        workers = [Worker() for _ in range(min(self.count, len(jobs)))]
        for worker in workers:
            self._idle.put(worker)

        def graded(job: Job) -> dict[str, Any]:
            worker = self._idle.get()
            try:
                return worker.grade(job)
            finally:
                self._idle.put(worker)
                done()

        threads = ThreadPoolExecutor(max(1, len(workers)))
        try:
            return list(threads.map(graded, jobs))
        finally:
            for worker in workers:
                worker.stop()
            threads.shutdown(cancel_futures=True)
