"""Curves over epochs or steps, with a band over several rounds; the norms of gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError
from graphnet.graph import Operation, Parameter
from graphnet.train.plots.figures import new_axes
from graphnet.train.plots.themes import dressed
from graphnet.train.rounds_table import mean, std
from graphnet.validation import require_choice

if TYPE_CHECKING:
    from graphnet.graph import Graph

DASHES = ("-", "--", ":")
"""How further curves differ if all colours are used."""

Rounds = Sequence[Sequence[float]]
"""One curve for each round; if some are shorter, as after early stopping, the others go on."""

STEEP = 2.0  # how many times higher than the rest of all curves their start must be to be cut off
FEW = 4  # steps below which nothing is cut off


def curves(
    series: Mapping[str, Rounds],
    *,
    xlabel: str = "epoch",
    ylabel: str = "loss",
    yscale: str = "linear",
    axes: Any = None,
    theme: str = "auto",
) -> Any:
    """The mean over rounds of each series, in a band of one standard deviation.

    The band goes from mean - deviation to mean + deviation, in the unit of the values. If it would
    reach 0 it ends at the lowest round, since a logarithmic scale has no 0.

    Where the first epoch is so high that the rest would be a flat line, a linear axis shows the
    rest, and a note says how high the curves begin.

    Args:
        series: by name, a list for each round, with a number for each epoch.
        xlabel: what is counted.
        ylabel: what is measured.
        yscale: "linear" or "log".
        axes: where to draw; None makes a new figure.
        theme: "light", "dark", or "auto" for the one of the ground: of matplotlib's style.

    Raises:
        RangeError: the scale or the theme is another word.
        GraphError: axes is None, and matplotlib is not installed.
    """
    require_choice("yscale", yscale, ("linear", "log"))
    axes = axes if axes is not None else new_axes()
    colours = dressed(axes, theme)
    spans = []
    for place, (name, rounds) in enumerate(series.items()):
        means, low, high = band(rounds)
        steps = range(1, len(means) + 1)
        turn, nth = divmod(place, len(colours.lines))
        look = {"color": colours.lines[nth], "linestyle": DASHES[turn % len(DASHES)]}
        dot = "o" if len(means) == 1 else ""  # a line through one point would not be seen
        (line,) = axes.plot(steps, means, label=name, linewidth=1.8, marker=dot, **look)
        if len(rounds) > 1:
            axes.fill_between(steps, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        spans.append((low, high))
    axes.set(xlabel=xlabel, ylabel=ylabel, yscale=yscale)
    if yscale == "linear" and (note := _cut_off_the_start(axes, spans, xlabel)):
        axes.set_title(note, loc="left", fontsize=8, color=colours.quiet)
    _whole_numbers(axes)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, labelcolor=colours.letters)
    return axes


def band(rounds: Rounds) -> tuple[list[float], list[float], list[float]]:
    """The mean of a series, and the ends of its band, at each step."""
    means, spreads = mean_and_deviation(rounds)
    steps = list(zip(means, spreads, map(min, _by_step(rounds)), strict=True))
    low = [at - spread if at > spread else min(at, least) for at, spread, least in steps]
    return means, low, [at + spread for at, spread, _ in steps]


def _cut_off_the_start(
    axes: Any, spans: Sequence[tuple[list[float], list[float]]], xlabel: str
) -> str:
    """End the axis above what follows the first steps, if these are much higher, and say so."""
    count = max((len(high) for _, high in spans), default=0)
    skipped = max(1, count // 50)
    start = [each for _, high in spans for each in high[:skipped] if isfinite(each)]
    rest = [each for _, high in spans for each in high[skipped:] if isfinite(each)]
    least = [each for low, _ in spans for each in low if isfinite(each)]
    if count < FEW or not start or not rest:
        return ""
    bottom, top = min(least), max(rest)
    height = top - bottom
    if not max(start) - bottom > STEEP * height > 0:
        return ""
    low = bottom - 0.05 * height
    axes.set_ylim(max(low, 0.8 * bottom) if bottom > 0 else low, top + 0.15 * height)
    where = f"{xlabel} 1" if skipped == 1 else f"the first {skipped} {xlabel}s"
    return f"above, {where}: up to {max(start):.3g}"


def _whole_numbers(axes: Any) -> None:
    """Marks at integers only: there is no epoch 2.5."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))


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


def gradient_flow(graph: Graph, *, axes: Any = None, theme: str = "auto") -> Any:
    """The norm of each gradient in the order of the list, on a logarithmic scale.

    Args:
        graph: the list, after a backward walk.
        axes: where to draw; None makes a new figure.
        theme: "light", "dark", or "auto" for the one of the ground: of matplotlib's style.

    Raises:
        GraphError: there are no gradients yet.
        RangeError: the theme is another word.
    """
    found = [
        (graph.name_of(node), float(node.grad.norm()), isinstance(node, Parameter))
        for node in graph
        if isinstance(node, Operation | Parameter) and node.grad is not None
    ]
    if not found:
        raise GraphError("No node has a gradient yet: run graph.forward and graph.backward first.")
    axes = axes if axes is not None else new_axes(max(4.0, 0.28 * len(found)))
    blue, orange, *_ = dressed(axes, theme).lines
    colours = [orange if is_parameter else blue for _, _, is_parameter in found]
    least = min((norm for _, norm, _ in found if norm > 0), default=1.0)
    axes.bar(range(len(found)), [max(norm, least / 10) for _, norm, _ in found], color=colours)
    axes.set_yscale("log")
    names = [name.replace("$", r"\$") for name, _, _ in found]  # $...$ would be mathematics
    axes.set_xticks(range(len(found)), names, rotation=90, fontsize=7)
    axes.set(ylabel="norm of the gradient", title="blue: operations, orange: parameters")
    return axes
