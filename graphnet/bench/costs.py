"""Memory of training and compile time, each measured in a separate process.

`python -m graphnet.bench.costs WHAT` is such a process: it prints one number.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from graphnet.bench import contestants
from graphnet.bench.networks import NETWORKS, Network, Workload, drawn
from graphnet.bench.turns import environment
from graphnet.bench.worker import pinned

STEPS = 5


def memory(make: Callable[[Workload], list[contestants.Contestant]], network: Network) -> float:
    """The bytes that training adds, at its peak, to those after the import."""
    before = resident("VmRSS")
    contestant = make(drawn(network))[0]
    for number in range(STEPS):
        contestant.step(number % 2)
    return resident("VmHWM") - before


def resident(kind: str) -> float:
    """The resident bytes of this process: now ("VmRSS") or at the peak ("VmHWM").

    If the system does not report them, the peak from `getrusage`; on Linux that would also count
    the memory of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        _, _, rest = status.read_text(encoding="utf-8").partition(f"{kind}:")
        return float(rest.split()[0]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)


def compiling(network: Network, tune: bool) -> float:
    """The seconds of compiling a step: the first step minus an ordinary one."""
    workload = drawn(network)
    _, graph, loss, optimizer = contestants.listed(workload)
    times = []
    compiled = None
    for _ in range(STEPS):
        start = perf_counter()
        compiled = compiled or graph.compile(loss, optimizer, tune=tune)
        compiled(x=workload.xs[0], t=workload.ts[0])
        times.append(perf_counter() - start)
    return times[0] - median(times[1:])


def costs(dense: str, images: str, repeats: int) -> dict[str, float]:
    """Every cost: the median over several processes each, which take turns.

    Args:
        dense: the network whose memory is measured.
        images: the network that is compiled.
        repeats: processes for each cost.
    """
    jobs = {
        "memory of the program": ("program", dense),
        "memory of torch.nn": ("torch.nn", dense),
        "compiling, tuned": ("tuned", images),
        "compiling, not tuned": ("plain", images),
    }
    values: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            command = [sys.executable, "-W", "ignore", "-m", "graphnet.bench.costs", *job]
            result = subprocess.run(
                command, capture_output=True, encoding="utf-8", check=True, env=environment(1)
            )
            values[name].append(float(result.stdout))
    return {name: median(each) for name, each in values.items()}


def main() -> None:
    """Measure one cost, and print it."""
    what, name = sys.argv[1:]
    network = NETWORKS[name]
    pinned(1)
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)  # contestants that need autograd turn it on
    if what in contestants.TORCH:
        value = memory(contestants.TORCH[what], network)
    else:
        value = compiling(network, what == "tuned")
    sys.stdout.write(f"{value}\n")


if __name__ == "__main__":
    main()
