"""Maps of numbers: of each unit of a layer over the plane, and of a confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import ShapeError, counted, shape_text
from graphnet.train.plots.figures import new_axes, new_figure
from graphnet.train.plots.themes import dressed, letters_on, map_of
from graphnet.validation import require_counts

if TYPE_CHECKING:
    from torch import Tensor


def plane(grid: int) -> Tensor:
    """The centres of the cells of a grid over [0, 1]², row after row.  Shape (grid², 2)."""
    steps = (empty(grid).fill_(1).cumsum(0) - 0.5) / grid
    points = empty(grid, grid, 2)
    points[..., 0], points[..., 1] = steps, steps.unsqueeze(1)
    return points.view(-1, 2)


def units(
    values: Tensor,
    *,
    columns: int = 8,
    title: str | None = None,
    figure: Any = None,
    theme: str = "auto",
) -> Any:
    """A map for each unit of a layer, from its values on `plane(grid)`.  Shape (grid², units).

    The ground is 0, orange above and purple below, with one scale for all maps, at the right.

    Args:
        values: one column for each unit.
        columns: how many maps a row may have; fewer are taken where that fills all rows.
        title: what is above the maps; None counts the units.
        figure: where to draw; None makes a new one.
        theme: "light", "dark", or "auto" for the one of the ground: of matplotlib's style.

    Raises:
        RangeError: the columns are not an integer of 1 or more, or the theme is another word.
        ShapeError: the values are not those of a square grid.
    """
    require_counts(columns=columns)
    grid = round(len(values) ** 0.5)
    if values.ndim != 2 or grid * grid != len(values) or not values.numel():
        raise ShapeError(
            f"Values on plane(grid) are (grid², units); got {shape_text(tuple(values.shape))}."
        )
    count = values.shape[1]
    across = even_columns(count, columns)
    rows = -(-count // across)
    figure = figure or new_figure(across * 1.1 + 1.0, rows * 1.25 + 0.5)
    places = list(figure.subplots(rows, across, squeeze=False).flat)
    limit = largest(values)
    image = None
    for unit, axes in enumerate(places):
        colours = dressed(axes, theme)
        axes.set_axis_off()
        if unit < count:
            shown = values[:, unit].view(grid, grid)
            image = signed(axes, shown, limit, map_of(colours.values))
            axes.set_title(str(unit), fontsize=8, pad=2)
    whole = counted(count, "unit") if title is None else title
    figure.suptitle(whole, fontsize=11, color=colours.letters)
    bar = figure.colorbar(image, ax=places, shrink=0.8, aspect=30, label="value")
    dressed(bar.ax, theme)
    return figure


def even_columns(count: int, most: int) -> int:
    """How many columns fill rows best: the fewest empty places, then the fewest rows.

    >>> even_columns(25, 8), even_columns(24, 8), even_columns(3, 8), even_columns(13, 8)
    (5, 8, 3, 7)
    """
    if count <= most:
        return count
    return min(range(-(-most // 2), most + 1), key=lambda across: (-count % across, -across))


def largest(values: Tensor) -> float:
    """The largest finite number without its sign, for the ends of a scale; 1 if all are 0."""
    finite = values[values.isfinite()]
    return float(finite.abs().max()) or 1.0 if finite.numel() else 1.0


def signed(axes: Any, values: Tensor, limit: float, colours: Any, **options: Any) -> Any:
    """A map of numbers from -limit to limit."""
    options = {"cmap": colours, "vmin": -limit, "vmax": limit, **options}
    return axes.imshow(values.tolist(), origin="lower", **options)


def confusion(
    targets: Tensor, predictions: Tensor, classes: int, *, axes: Any = None, theme: str = "auto"
) -> Any:
    """How often each class (row) was taken for each class (column).

    Args:
        targets: the class of each example.
        predictions: the class that it was taken for.
        classes: how many classes there are.
        axes: where to draw; None makes a new figure.
        theme: "light", "dark", or "auto" for the one of the ground: of matplotlib's style.

    Raises:
        ShapeError: the numbers of predictions and targets differ.
        RangeError: the theme is another word.
    """
    if targets.shape != predictions.shape or targets.ndim != 1:
        shapes = [shape_text(tuple(each.shape)) for each in (targets, predictions)]
        raise ShapeError(f"Targets and predictions are two vectors of one size; got {shapes}.")
    counts = (targets * classes + predictions).bincount(minlength=classes**2).view(classes, classes)
    axes = axes if axes is not None else new_axes(1.5 + 0.4 * classes)
    image = axes.imshow(counts.tolist(), cmap=map_of(dressed(axes, theme).counts))
    for row, line in enumerate(counts.tolist()):
        for column, count in enumerate(line):
            colour = letters_on(image.cmap(image.norm(count))[:3])
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true", xticks=range(classes), yticks=range(classes))
    return axes
