"""How a classifier divides the plane, and which points it gets wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphnet.data.points import CENTER, RADIUS
from graphnet.errors import ShapeError, shape_text
from graphnet.train.plots.figures import new_axes
from graphnet.train.plots.maps import largest, plane, signed
from graphnet.train.plots.themes import Theme, dressed, map_of

if TYPE_CHECKING:
    from torch import Tensor

CLASSES = ("class 0", "class 1")


def boundary(
    predict: Callable[[Tensor], Tensor],
    points: Tensor,
    labels: Tensor,
    *,
    circle: bool = True,
    grid: int = 200,
    axes: Any = None,
    theme: str = "auto",
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
        theme: "light", "dark", or "auto" for the one of the ground: of matplotlib's style.

    Raises:
        ShapeError: the points are not points of the plane.
        RangeError: the theme is another word.
    """
    _require_points(points)
    axes = axes if axes is not None else new_axes(5.0, 5.9)
    colours = dressed(axes, theme)
    scores = predict(plane(grid).to(points))
    margin = (scores[:, 1] - scores[:, 0]).view(grid, grid)
    ground = map_of(colours.classes)
    signed(axes, margin, largest(margin), ground, extent=(0, 1, 0, 1))
    if margin.min() < 0 < margin.max():
        edge = {"levels": [0], "colors": colours.ink, "linewidths": 1.4, "extent": (0, 1, 0, 1)}
        axes.contour(margin.tolist(), **edge)
    axes.plot([], [], color=colours.ink, linewidth=1.4, label="boundary of the network")
    _points(axes, points, labels, predict(points).argmax(1) != labels, colours)
    _square(axes, circle, colours)
    return axes


def classification(
    predict: Callable[[Tensor], Tensor],
    points: Tensor,
    labels: Tensor,
    *,
    circle: bool = True,
    axes: Any = None,
    theme: str = "auto",
) -> Any:
    """The points in the colours of the classes that a classifier assigns to them.

    Points on the wrong side are crossed out. Arguments and errors: those of `boundary`.
    """
    _require_points(points)
    axes = axes if axes is not None else new_axes(5.0, 5.9)
    colours = dressed(axes, theme)
    predicted = predict(points).argmax(1)
    _points(axes, points, predicted, predicted != labels, colours)
    _square(axes, circle, colours)
    return axes


def _require_points(points: Tensor) -> None:
    if points.ndim != 2 or points.shape[1] != 2:
        raise ShapeError(f"Points are (n, 2); got {shape_text(tuple(points.shape))}.")


def _points(axes: Any, points: Tensor, classes: Tensor, wrong: Tensor, colours: Theme) -> None:
    """Points in the colours of their classes; the wrong ones are crossed out and counted."""
    for value, marker in ((0, "o"), (1, "s")):
        shown = points[(classes == value) & ~wrong]
        look = {"c": colours.points[value], "edgecolors": colours.ground, "linewidths": 0.4}
        axes.scatter(*shown.mT.tolist(), s=14, label=CLASSES[value], marker=marker, **look)
    missed = points[wrong]
    cross = {"c": colours.ink, "marker": "x", "linewidths": 1.4}
    axes.scatter(*missed.mT.tolist(), s=34, label="wrong", **cross)
    axes.set(title=f"{int(wrong.sum())} of {len(points)} wrong")


def _square(axes: Any, circle: bool, colours: Theme) -> None:
    """The unit square, with the true circle if requested, and the legend below."""
    if circle:
        from matplotlib.patches import Circle

        edge = {"linestyle": "--", "color": colours.quiet, "linewidth": 1.4}
        axes.plot([], [], label="true circle", **edge)
        axes.add_patch(Circle((CENTER, CENTER), RADIUS, fill=False, **edge))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_aspect("equal")
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.06), "ncols": 2}
    axes.legend(frameon=False, fontsize=9, markerscale=1.6, labelcolor=colours.letters, **below)
