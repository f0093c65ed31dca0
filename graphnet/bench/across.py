"""A step of several processes beside that of torch's DistributedDataParallel, and of one process.

torchrun --standalone --nproc-per-node 2 -m graphnet.bench.across

Networks of three layers, Adam, float32; the three take turns, so that other work on the machine
slows all of them. The times are medians.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import nn

import graphnet as gn

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.distributed import Group

SIZES = ((64, 256), (256, 256), (1024, 256), (1024, 512), (1024, 2048))
"""Widths and global batches."""
FEATURES, CLASSES = 784, 10
ROUNDS, SECONDS = 15, 0.4

Step = Callable[[], object]


def ours(width: int, x: Tensor, t: Tensor, group: Group | None) -> Step:
    """A compiled step on some rows, of a group or of this process alone."""
    torch.manual_seed(0)
    model = gn.Sequential(
        gn.Linear(FEATURES, width), gn.ReLU(), gn.Linear(width, width), gn.ReLU(),
        gn.Linear(width, CLASSES),
    )  # fmt: skip
    with gn.Graph() as graph:
        a = gn.Input((None, FEATURES), name="x")
        b = gn.Input((None,), name="t", dtype=torch.int64)
        loss = gn.LossCrossEntropy()(model(a), b)
    adam = gn.Adam(model.parameters())
    if group is None:
        alone = graph.compile(loss, adam)
        return lambda: alone(x=x, t=t)
    step = graph.compile(loss, adam, across=group)
    return lambda: step(x=x, t=t)


def torchs(width: int, x: Tensor, t: Tensor) -> Step:
    """The same by torch's DistributedDataParallel."""
    torch.manual_seed(0)
    layers = (nn.Linear(FEATURES, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
    model = nn.parallel.DistributedDataParallel(nn.Sequential(*layers, nn.Linear(width, CLASSES)))
    adam = torch.optim.Adam(model.parameters())

    def step() -> None:
        with torch.enable_grad():
            adam.zero_grad()
            nn.functional.cross_entropy(model(x), t).backward()
            adam.step()

    return step


def milliseconds(step: Step, count: int) -> float:
    """The time of a step, over some of them; all processes begin together."""
    dist.barrier()
    begin = perf_counter()
    for _ in range(count):
        step()
    return (perf_counter() - begin) / count * 1e3


def measured(width: int, batch: int, group: Group) -> list[float]:
    """The milliseconds of a step: of the group, of torch, and of rank 0 with the whole batch."""
    x, t = torch.randn(batch, FEATURES), torch.randint(CLASSES, (batch,))
    mine = group.part(batch)
    steps = [ours(width, x[mine], t[mine], group), torchs(width, x[mine], t[mine])]
    whole = ours(width, x, t, None)
    for _ in range(3):
        first = max(milliseconds(step, 3) for step in steps)
        alone = milliseconds(whole if group.rank == 0 else lambda: None, 3)
    count = int(max(group.sum_of([SECONDS * 1e3 / max(first, alone, 0.1)])[0] / group.size, 2))
    times: list[list[float]] = [[], [], []]
    for _ in range(ROUNDS):
        for place, step in enumerate(steps):
            times[place].append(milliseconds(step, count))
        times[2].append(milliseconds(whole if group.rank == 0 else lambda: None, count))
    return [median(each) for each in times]


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    group = gn.distributed.join()
    if not dist.is_initialized():
        sys.exit("Start it by torchrun --standalone --nproc-per-node 2 -m graphnet.bench.across")
    with torch.no_grad():
        rows = {size: measured(*size, group) for size in SIZES}
    if group.rank == 0:
        lines = [
            f"{'width, batch':14} {group.size} processes   torch DDP   one process   ms a step"
        ]
        for (width, batch), (own, other, alone) in rows.items():
            lines.append(f"{f'{width}, {batch}':14} {own:11.2f} {other:11.2f} {alone:13.2f}")
        sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
