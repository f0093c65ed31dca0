"""The process of one framework: it builds its contestants, and takes turns on request.

The first line of the standard input is the job, each further line a contestant and a number of
steps; each is answered by a line: who takes part, then the seconds of each turn.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, TextIO

import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file

from graphnet.bench import contestants, limit
from graphnet.bench.networks import BATCHES, NETWORKS, read_workload

CHOICE = 0.05
"""Seconds for each turn when choosing between the forms of a contestant."""


@dataclass(frozen=True)
class Job:
    """The job of a worker.

    Attributes:
        framework: "torch" or "jax".
        network: the name of the network.
        contestants: the names of those that should take part.
        folder: where the start is, and where parameters are written.
        threads: how many threads, on as many cores.
        steps: after this many steps from the start each contestant writes its parameters.
    """

    framework: str
    network: str
    contestants: list[str]
    folder: str
    threads: int
    steps: int


@dataclass(frozen=True)
class Entry:
    """A contestant as its worker presents it.

    Attributes:
        note: its form.
        missing: why it does not take part; "" if it does.
        operations: of a step of the limit.
        version: of its framework, if that is not torch.
    """

    note: str = ""
    missing: str = ""
    operations: float = 0.0
    version: str = ""


def pinned(threads: int) -> None:
    """Restrict this process to as many cores as it has threads, if the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def turn(contestant: contestants.Contestant, steps: int) -> float:
    """The seconds of this many steps, after a call that is not counted."""
    contestant.step(0)
    contestant.finish()
    several = contestant.several
    calls = max(1, round(steps / several))
    start = perf_counter()
    for number in range(calls):
        contestant.step(number % BATCHES)
    contestant.finish()
    return (perf_counter() - start) * steps / (calls * several)


class Worker:
    """Holds the contestants of a process.

    Args:
        job: what to do.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.folder = job, Path(job.folder)
        self.contestants: dict[str, contestants.Contestant] = {}
        self.entries: dict[str, Entry] = {}
        {"torch": self._torch, "jax": self._jax}[job.framework]()

    def _torch(self) -> None:
        """The contestants that compute with torch, and the limit of the machine."""
        torch.set_num_threads(self.job.threads)
        torch.set_grad_enabled(False)  # contestants that need autograd turn it on
        workload = read_workload(NETWORKS[self.job.network], self.folder)
        for name in self.job.contestants:
            if name == "limit":
                found = limit.limits(self.folder, self.job.threads)
                fastest, operations = min(found, key=lambda each: self._seconds(each[0]))
                self.contestants[name] = fastest
                self.entries[name] = Entry(fastest.note, operations=operations)
            elif name == "torch.compile":
                self._try(name, lambda: contestants.torch_compile(workload))
            else:
                self._add(name, contestants.TORCH[name](workload))

    def _jax(self) -> None:
        """JAX, if it is installed."""
        try:
            from graphnet.bench.jax_step import VERSION, jax_jit
        except ImportError:
            missing = Entry(missing="JAX is not installed: pip install graphnet[bench]")
            self.entries = dict.fromkeys(self.job.contestants, missing)
            return
        workload = read_workload(NETWORKS[self.job.network], self.folder)
        for name in self.job.contestants:
            self._add(name, jax_jit(workload, scan=name == "JAX scan"), VERSION)

    def _try(self, name: str, make: Callable[[], list[contestants.Contestant]]) -> None:
        """Add a contestant that may not run on this machine: it needs a C++ compiler."""
        try:
            self._add(name, make())
        except Exception as error:
            self.entries[name] = Entry(missing=f"{type(error).__name__}: {error}".split("\n")[0])

    def _add(self, name: str, forms: list[contestants.Contestant], version: str = "") -> None:
        """Let each form make the first steps, keep their parameters, and choose the fastest."""
        for place, form in enumerate(forms):
            for number in range(0, self.job.steps, form.several):
                form.step(number % BATCHES)
            form.finish()
            self._leave(f"{name}-{place}", form.values())
        fastest = min(forms, key=self._seconds) if len(forms) > 1 else forms[0]
        self.contestants[name] = fastest
        self.entries[name] = Entry(fastest.note, version=version)

    def _leave(self, name: str, values: Any) -> None:
        """Write parameters to a file, from which `turns` compares them."""
        path = self.folder / f"{name}.safetensors"
        if self.job.framework == "jax":
            save_arrays({name: value.copy(order="C") for name, value in values.items()}, path)
        else:
            save_file({name: value.detach().contiguous() for name, value in values.items()}, path)

    def _seconds(self, contestant: contestants.Contestant) -> float:
        """The seconds of a step, from a few turns."""
        steps = max(1, round(CHOICE / turn(contestant, 1)))
        return median(turn(contestant, steps) / steps for _ in range(3))

    def turn(self, name: str, steps: int) -> float:
        """Let a contestant make this many steps; returns the seconds."""
        return turn(self.contestants[name], steps)


def serve(requests: TextIO, replies: TextIO) -> None:
    """Answer each line until the last."""
    job = Job(**json.loads(requests.readline()))
    pinned(job.threads)
    worker = Worker(job)
    _answer(replies, {name: asdict(entry) for name, entry in worker.entries.items()})
    for line in requests:
        request = json.loads(line)
        _answer(replies, worker.turn(request["name"], request["steps"]))


def _answer(replies: TextIO, answer: object) -> None:
    replies.write(json.dumps(answer) + "\n")
    replies.flush()


def main() -> None:
    """Serve the standard input and output; what libraries print goes to the standard error."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, replies)


if __name__ == "__main__":
    main()
