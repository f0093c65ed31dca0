"""The figures of the disk experiment: network, curves, boundary, classification, hidden units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.experiments.disk import centered
from graphnet.graph import Operation
from graphnet.train import plots

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from graphnet.experiments.disk import Points, Task
    from graphnet.experiments.report import Result


def write_figures(folder: Path, task: Task, points: Points, results: Sequence[Result]) -> None:
    """Write all figures to a folder.

    Args:
        folder: created if it does not exist.
        task: the network of the last round.
        points: its test points.
        results: of all rounds; their curves are averaged.

    Raises:
        GraphError: matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in ("svg", "png"):
        task.graph.draw().save(folder / f"network.{suffix}")
    if results[0].losses:
        _curves(results).savefig(folder / "curves.png", dpi=150)

    def predict(x: Tensor) -> Tensor:
        scores: Tensor = task.graph.forward(x=centered(x), outputs=task.y)
        return scores

    for name in ("boundary", "classification"):
        axes = plots.canvas(5, 5).subplots()
        getattr(plots, name)(predict, *points, axes=axes)
        axes.figure.savefig(folder / f"{name}.png", dpi=150)
    for place, figure in enumerate(_units(task), start=1):
        figure.savefig(folder / f"units-{place}.png", dpi=150)


def _curves(results: Sequence[Result]) -> Any:
    """Loss and errors over the epochs: the mean of all rounds, in bands of one deviation."""
    figure = plots.canvas(10, 4)
    left, right = figure.subplots(1, 2)
    plots.curves({"training loss": [each.losses for each in results]}, axes=left)
    left.set_yscale("log")
    errors = {
        name: [[100 * both[place] for both in result.curve] for result in results]
        for place, name in enumerate(("train", "test"))
    }
    plots.curves(errors, ylabel="error in %", axes=right)
    right.set_ylim(bottom=0)
    return figure


def _units(task: Task) -> list[Any]:
    """For each hidden layer a map of each of its units over the square."""
    layers = [node for node in task.graph if isinstance(node, Operation) and node.op.bounds()]
    if not layers:
        return []
    maps = task.graph.forward(x=centered(plots.plane(60)), outputs=layers)
    return [plots.units(each, figure=plots.canvas(8.8, 4.6)) for each in maps]
