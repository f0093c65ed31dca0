"""What all contestants start from, written to files that their processes share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors.torch import load_file, save_file

from graphnet.bench.networks import BATCHES, Network

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Workload:
    """What every contestant is given: a network, first values, batches."""

    network: Network
    start: dict[str, Tensor]
    xs: list[Tensor]
    ts: list[Tensor]


def drawn(network: Network) -> Workload:
    """First values and batches, the same at each call."""
    return Workload(network, network.first_values(), *network.data())


def write_workload(network: Network, folder: Path) -> Workload:
    """Draw first values and batches, and write them to files."""
    workload = drawn(network)
    save_file(workload.start, folder / "start.safetensors")
    data = {f"x{number}": x for number, x in enumerate(workload.xs)}
    data |= {f"t{number}": t for number, t in enumerate(workload.ts)}
    save_file(data, folder / "data.safetensors")
    return workload


def read_workload(network: Network, folder: Path) -> Workload:
    """Read them in another process."""
    start = load_file(folder / "start.safetensors")
    data = load_file(folder / "data.safetensors")
    xs, ts = ([data[f"{name}{number}"] for number in range(BATCHES)] for name in "xt")
    return Workload(network, start, xs, ts)


def worst_distance(
    folder: Path, name: str, exact: dict[str, Tensor], start: dict[str, Tensor]
) -> float:
    """The largest distance of the parameters that any form of a contestant has written."""
    files = folder.glob(f"{name}-*.safetensors")
    return max(distance(load_file(path), exact, start) for path in files)


def distance(
    values: dict[str, Tensor], exact: dict[str, Tensor], start: dict[str, Tensor]
) -> float:
    """How far values are from the exact ones, relative to the way from the start."""
    far = sum(float((values[name] - exact[name]).square().sum()) for name in exact)
    way = sum(float((start[name] - exact[name]).square().sum()) for name in exact)
    return float((far / way) ** 0.5)
