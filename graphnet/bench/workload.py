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


def write_workload(network: Network, folder: Path) -> Workload:
    """Draw first values and batches, and write them to files."""
    start, (xs, ts) = network.first_values(), network.data()
    save_file(start, folder / "start.safetensors")
    data = {f"x{number}": x for number, x in enumerate(xs)}
    save_file(data | {f"t{number}": t for number, t in enumerate(ts)}, folder / "data.safetensors")
    return Workload(network, start, xs, ts)


def read_workload(network: Network, folder: Path) -> Workload:
    """Read them in another process."""
    start = load_file(folder / "start.safetensors")
    data = load_file(folder / "data.safetensors")
    xs, ts = ([data[f"{name}{number}"] for number in range(BATCHES)] for name in "xt")
    return Workload(network, start, xs, ts)


def left(folder: Path, name: str) -> list[Path]:
    """The files with the parameters of each form of a contestant."""
    return sorted(folder.glob(f"{name}-*.safetensors"))


def distance(
    values: dict[str, Tensor], exact: dict[str, Tensor], start: dict[str, Tensor]
) -> float:
    """How far values are from the exact ones, relative to the way from the start."""
    far = sum(float((values[name] - exact[name]).square().sum()) for name in exact)
    way = sum(float((start[name] - exact[name]).square().sum()) for name in exact)
    return float((far / way) ** 0.5)
