"""Pictures of training, by matplotlib: curves with bands, decision boundary, gradients, confusion.

Each function draws into given axes, or makes a figure, and returns the axes. matplotlib comes with
the extra `plot`: pip install graphnet[plot].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.data.points import CENTER, RADIUS
from graphnet.errors import GraphError, ShapeError, shape_text
from graphnet.graph import Operation, Parameter
from graphnet.train.rounds_table import mean, std

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Graph

DASHES = ("-", "--", ":")
"""How further curves differ if all colours are used."""

BLUE, ORANGE, GREY = "#1f5fa8", "#d9730d", "#666666"

COLOURS = (BLUE, ORANGE, GREY, "#7fb3d5", "#f0b27a", "#111111")
"""Colours that colour-blind readers can distinguish, and that differ in grey."""

Rounds = Sequence[Sequence[float]]
"""One curve for each round; if some are shorter, as after early stopping, the others go on."""


def curves(
    series: Mapping[str, Rounds], *, xlabel: str = "epoch", ylabel: str = "loss", axes: Any = None
) -> Any:
    """The mean over rounds of each series, in a band of one standard deviation.

    The band goes from mean - deviation to mean + deviation, in the unit of the values. If it would
    reach 0 it ends at the lowest round, since a logarithmic scale has no 0.

    Args:
        series: by name, a list for each round, with a number for each epoch.
        xlabel: what is counted.
        ylabel: what is measured.
        axes: where to draw; None makes a new figure.

    Raises:
        GraphError: axes is None, and matplotlib is not installed.
    """
    axes = axes if axes is not None else new_axes()
    for place, (name, rounds) in enumerate(series.items()):
        means, spreads = mean_and_deviation(rounds)
        steps = range(1, len(means) + 1)
        turn, nth = divmod(place, len(COLOURS))
        look = {"color": COLOURS[nth], "linestyle": DASHES[turn % len(DASHES)]}
        (line,) = axes.plot(steps, means, label=name, linewidth=1.8, **look)
        if len(rounds) > 1:
            band = list(zip(means, spreads, map(min, _by_step(rounds)), strict=True))
            low = [at - spread if at > spread else min(at, least) for at, spread, least in band]
            high = [at + spread for at, spread, _ in band]
            axes.fill_between(steps, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return axes


def mean_and_deviation(rounds: Rounds) -> tuple[list[float], list[float]]:
    """The mean and the standard deviation (over n - 1) at each step; 0 for a single round.

    Each step uses the rounds that reach it.
    """
    reached = _by_step(rounds)
    return list(map(mean, reached)), list(map(std, reached))


def _by_step(rounds: Rounds) -> list[list[float]]:
    """The values of all rounds that reach a step, for each step."""
    length = max(map(len, rounds), default=0)
    return [[each[step] for each in rounds if step < len(each)] for step in range(length)]


def boundary(
    predict: Callable[[Tensor], Tensor],
    points: Tensor,
    labels: Tensor,
    *,
    circle: bool = True,
    grid: int = 200,
    axes: Any = None,
) -> Any:
    """How a classifier of points in [0, 1]² divides the plane, with the points and the true circle.

    Points on the wrong side are crossed out.

    Args:
        predict: from points (n, 2) to scores (n, 2); the class is the larger one.
        points: shape (n, 2).
        labels: 1 for points inside the disk, shape (n,).
        circle: True to draw the true circle of the disk experiment.
        grid: how many points are evaluated along each side.
        axes: where to draw; None makes a new figure.

    Raises:
        ShapeError: the points are not points of the plane.
    """
    _require_points(points)
    axes = axes if axes is not None else new_axes(5)
    scores = predict(plane(grid).to(points))
    margin = (scores[:, 1] - scores[:, 0]).view(grid, grid)
    _signed(axes, margin, alpha=0.35, extent=(0, 1, 0, 1))
    axes.contour(margin.tolist(), levels=[0], colors="black", linewidths=1.2, extent=(0, 1, 0, 1))
    _points(axes, points, labels, predict(points).argmax(1) != labels)
    _square(axes, circle)
    return axes


def classification(
    predict: Callable[[Tensor], Tensor],
    points: Tensor,
    labels: Tensor,
    *,
    circle: bool = True,
    axes: Any = None,
) -> Any:
    """The points in the colours of the classes that a classifier assigns to them.

    Points on the wrong side are crossed out. Arguments and errors: those of `boundary`.
    """
    _require_points(points)
    axes = axes if axes is not None else new_axes(5)
    predicted = predict(points).argmax(1)
    _points(axes, points, predicted, predicted != labels)
    _square(axes, circle)
    return axes


def _signed(axes: Any, values: Tensor, **options: Any) -> None:
    """A map of numbers: white is 0, orange above and purple below."""
    limit = max(float(values.abs().max()), 1e-12)
    axes.imshow(values.tolist(), origin="lower", cmap="PuOr_r", vmin=-limit, vmax=limit, **options)


def _require_points(points: Tensor) -> None:
    if points.ndim != 2 or points.shape[1] != 2:
        raise ShapeError(f"Points are (n, 2); got {shape_text(tuple(points.shape))}.")


def _points(axes: Any, points: Tensor, classes: Tensor, wrong: Tensor) -> None:
    """Points in the colours of their classes; the wrong ones are crossed out and counted."""
    for value, colour, marker in ((0, BLUE, "o"), (1, ORANGE, "s")):
        shown = points[(classes == value) & ~wrong]
        axes.scatter(*shown.mT.tolist(), s=9, c=colour, marker=marker, linewidths=0)
        missed = points[(classes == value) & wrong]
        axes.scatter(*missed.mT.tolist(), s=30, c="black", marker="x", linewidths=1.2)
    axes.set(title=f"{int(wrong.sum())} of {len(points)} wrong")


def _square(axes: Any, circle: bool) -> None:
    """The unit square, with the true circle if requested."""
    if circle:
        from matplotlib.patches import Circle

        edge = {"linestyle": "--", "color": GREY, "linewidth": 1.4}
        axes.add_patch(Circle((CENTER, CENTER), RADIUS, fill=False, **edge))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_aspect("equal")


def plane(grid: int) -> Tensor:
    """The centres of the cells of a grid over [0, 1]², row after row.  Shape (grid², 2)."""
    steps = (empty(grid).fill_(1).cumsum(0) - 0.5) / grid
    points = empty(grid, grid, 2)
    points[..., 0], points[..., 1] = steps, steps.unsqueeze(1)
    return points.view(-1, 2)


def units(values: Tensor, *, columns: int = 8, figure: Any = None) -> Any:
    """A map for each unit of a layer, from its values on `plane(grid)`.  Shape (grid², units).

    White is 0, orange above and purple below; each map has a scale of its own.

    Raises:
        ShapeError: the values are not those of a square grid.
    """
    grid = round(len(values) ** 0.5)
    if values.ndim != 2 or grid * grid != len(values):
        raise ShapeError(
            f"Values on plane(grid) are (grid², units); got {shape_text(tuple(values.shape))}."
        )
    count = values.shape[1]
    rows = -(-count // columns)
    figure = figure or new_figure(columns * 1.1, rows * 1.1)
    for unit in range(count):
        axes = figure.add_subplot(rows, columns, unit + 1)
        _signed(axes, values[:, unit].view(grid, grid))
        axes.set_title(str(unit), fontsize=7, pad=2)
        axes.set_axis_off()
    return figure


def gradient_flow(graph: Graph, *, axes: Any = None) -> Any:
    """The norm of each gradient in the order of the list, on a logarithmic scale.

    Raises:
        GraphError: there are no gradients yet.
    """
    found = [
        (graph.name_of(node), float(node.grad.norm()), isinstance(node, Parameter))
        for node in graph
        if isinstance(node, Operation | Parameter) and node.grad is not None
    ]
    if not found:
        raise GraphError("No node has a gradient yet: run graph.forward and graph.backward first.")
    axes = axes if axes is not None else new_axes(max(4.0, 0.28 * len(found)))
    colours = [ORANGE if is_parameter else BLUE for _, _, is_parameter in found]
    least = min((norm for _, norm, _ in found if norm > 0), default=1.0)
    axes.bar(range(len(found)), [max(norm, least / 10) for _, norm, _ in found], color=colours)
    axes.set_yscale("log")
    names = [name.replace("$", r"\$") for name, _, _ in found]  # $...$ would be mathematics
    axes.set_xticks(range(len(found)), names, rotation=90, fontsize=7)
    axes.set(ylabel="norm of the gradient", title="blue: operations, orange: parameters")
    return axes


def confusion(targets: Tensor, predictions: Tensor, classes: int, *, axes: Any = None) -> Any:
    """How often each class (row) was taken for each class (column).

    Raises:
        ShapeError: the numbers of predictions and targets differ.
    """
    if targets.shape != predictions.shape or targets.ndim != 1:
        shapes = [shape_text(tuple(each.shape)) for each in (targets, predictions)]
        raise ShapeError(f"Targets and predictions are two vectors of one size; got {shapes}.")
    counts = (targets * classes + predictions).bincount(minlength=classes**2).view(classes, classes)
    axes = axes if axes is not None else new_axes(1.5 + 0.4 * classes)
    axes.imshow(counts.tolist(), cmap="Blues")
    half = float(counts.max()) / 2
    for row, line in enumerate(counts.tolist()):
        for column, count in enumerate(line):
            colour = "white" if count > half else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true", xticks=range(classes), yticks=range(classes))
    return axes


def canvas(width: float, height: float) -> Any:
    """A figure of this size in inches, for files: it needs no window and opens none.

    Raises:
        GraphError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def new_axes(width: float = 6.0) -> Any:
    """Axes in a new figure, which a notebook shows.

    Raises:
        GraphError: matplotlib is not installed.
    """
    return new_figure(width, 4.5).subplots()


def new_figure(width: float, height: float) -> Any:
    """A figure of this size in inches, which a notebook shows.

    Raises:
        GraphError: matplotlib is not installed.
    """
    require_matplotlib()
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(width, height), layout="constrained")


def require_matplotlib() -> None:
    """Check that matplotlib is installed, or say how to get it.

    Raises:
        GraphError: it is not installed.
    """
    try:
        import matplotlib  # noqa: F401 - only to see whether it is installed
    except ImportError as error:
        raise GraphError(
            "Pictures of training need matplotlib: pip install 'graphnet[plot]'."
        ) from error
