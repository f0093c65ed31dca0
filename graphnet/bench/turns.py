"""The contestants take turns, so that a busy machine slows all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any

from graphnet.bench import limit
from graphnet.bench.contestants import OURS, SEVERAL, TORCH, reference
from graphnet.bench.networks import write_workload
from graphnet.bench.worker import Entry, Job

if TYPE_CHECKING:
    from graphnet.bench.networks import Network

CONTESTANTS = [*TORCH, "JAX jit", "JAX scan"]

TOLERANCE = 5e-3
"""How far parameters may be from those of float64, relative to the way from the start.

float32 keeps 7 digits (6e-8), and each update rounds a parameter that it changes only slightly,
since the learning rate is low: after some steps that is up to 6e-4 of the way, equally for every
contestant. If a unit is so close to the kink of a relu, or to its neighbour in a pooling window,
that rounding decides, its gradient changes by one sample of the batch: up to 2e-3 in the networks
here. A wrong rule, a wrong order of batches or a forgotten state moves the parameters by a tenth
of their way or more.
"""


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        turns: of each contestant.
        seconds: the approximate length of a turn.
        steps: from the start, after which the parameters are compared.
    """

    turns: int = 31
    seconds: float = 0.05
    steps: int = SEVERAL


@dataclass(frozen=True)
class Measured:
    """One network on a number of threads.

    Attributes:
        network: what was trained.
        threads: on how many threads.
        seconds: of a step, the median over all turns, for each that took part.
        entries: all contestants that were invited, with their notes.
        distances: from the parameters of float64, relative to the way from the start.
        limit: the floating-point operations per second that the machine can do.
        limit_note: how that was measured.
    """

    network: Network
    threads: int
    seconds: dict[str, float]
    entries: dict[str, Entry]
    distances: dict[str, float]
    limit: float
    limit_note: str

    @property
    def wrong(self) -> list[str]:
        """Those whose parameters differ."""
        return [name for name, far in self.distances.items() if not far <= TOLERANCE]

    @property
    def peers(self) -> list[str]:
        """All except graphnet's own, the fastest first."""
        others = (name for name in self.seconds if name not in OURS)
        return sorted(others, key=lambda name: self.seconds[name])

    def share(self, name: str) -> float:
        """The share of the machine's limit that a contestant reaches."""
        return self.network.operations / self.seconds[name] / self.limit


def taking_part(network: Network, names: Sequence[str]) -> list[str]:
    """Those that a network is for.

    Dense layers have no channels. In a loop on a processor JAX computes convolutions some thirty
    times slower than outside, which is no contest and takes hours.
    """
    left_out = "JAX scan" if network.images else "channels last"
    return [name for name in names if name != left_out]


def measure(network: Network, threads: int, names: Sequence[str], effort: Effort) -> Measured:
    """Let all take turns with one network."""
    names = taking_part(network, names)
    with TemporaryDirectory() as place:
        folder = Path(place)
        limit.build(folder)
        workload = write_workload(network, folder)
        with ExitStack() as stack:
            workers = [
                stack.enter_context(
                    started(Job(framework, network.name, group, place, threads, effort.steps))
                )
                for framework, group in _groups(names).items()
            ]
            entries = {name: entry for each in workers for name, entry in each.entries.items()}
            playing = {
                name: each for each in workers for name in each.entries if not entries[name].missing
            }
            seconds = take_turns(playing, effort)
        exact = reference(workload, effort.steps)
        distances = {
            name: workload.worst_distance(folder.glob(f"{name}-*.safetensors"), exact)
            for name in playing
            if name != "limit"
        }
    top = entries.pop("limit")
    speed = top.operations / seconds.pop("limit")
    return Measured(network, threads, seconds, entries, distances, speed, top.note)


def _groups(names: Sequence[str]) -> dict[str, list[str]]:
    """The contestants of each framework; that of torch also measures the limit."""
    groups = {"torch": ["limit", *(name for name in names if name in TORCH)]}
    others = [name for name in names if name not in TORCH]
    return groups | {"jax": others} if others else groups


def take_turns(playing: dict[str, Remote], effort: Effort) -> dict[str, float]:
    """The seconds of a step of each: the median over all turns."""
    steps = {
        name: max(1, round(effort.seconds / worker.turn(name, 1)))
        for name, worker in playing.items()
    }
    times: dict[str, list[float]] = {name: [] for name in playing}
    for _ in range(effort.turns):
        for name, worker in playing.items():
            times[name].append(worker.turn(name, steps[name]) / steps[name])
    return {name: median(each) for name, each in times.items()}


# the processes


class Remote:
    """A worker, seen from here."""

    def __init__(self, requests: IO[str], replies: IO[str], errors: Path) -> None:
        self._requests, self._replies, self._errors = requests, replies, errors
        self.entries: dict[str, Entry] = {}

    def ask(self, request: object) -> Any:
        """Send a line, and read the answer.

        Raises:
            RuntimeError: the worker has failed; with the last lines of its output.
        """
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()
        answer = self._replies.readline()
        if not answer:
            said = self._errors.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
            raise RuntimeError("A contestant failed:\n" + "\n".join(said))
        return json.loads(answer)

    def turn(self, name: str, steps: int) -> float:
        """The seconds of this many steps of a contestant."""
        return float(self.ask({"name": name, "steps": steps}))


@contextmanager
def started(job: Job) -> Iterator[Remote]:
    """A worker that has built its contestants."""
    errors = Path(job.folder) / f"{job.framework}.txt"
    command = [sys.executable, "-W", "ignore", "-m", "graphnet.bench.worker"]
    with (
        errors.open("w", encoding="utf-8") as said,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            encoding="utf-8",
            env=environment(job.threads),
        ) as process,
    ):
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("The worker has no standard input and output.")
        remote = Remote(process.stdin, process.stdout, errors)
        answer = remote.ask(asdict(job))
        remote.entries = {name: Entry(**entry) for name, entry in answer.items()}
        yield remote  # leaving closes the standard input, which ends the worker


def environment(threads: int) -> dict[str, str]:
    """The settings that limit every library to this many threads."""
    settings = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    settings |= {"JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if threads == 1:
        settings["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return settings
