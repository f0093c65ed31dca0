"""One cycle: a learning rate that rises and falls, and a momentum that falls and rises."""

from __future__ import annotations

from graphnet.schedules.curves import Schedule, cosine_part
from graphnet.validation import require_choice, require_counts, require_range


def _line_part(start: float, end: float, fraction: float) -> float:
    """A straight line from start at fraction 0 to end at 1."""
    return (end - start) * fraction + start


_PARTS = {"cos": cosine_part, "linear": _line_part}


def one_cycle(
    lr: float,
    steps: int,
    *,
    warmup: float = 0.3,
    initial_factor: float = 25.0,
    final_factor: float = 1e4,
    anneal: str = "cos",
    three_phase: bool = False,
) -> Schedule:
    """Rise to lr in the first part of the steps, then fall to almost nothing.

    The rate starts at lr / initial_factor, and ends at step `steps - 1` at that / final_factor.

    Args:
        lr: the highest rate.
        steps: the number of steps; later the last rate stays.
        warmup: the fraction of the steps in which the rate rises, from 0 to 1.
        initial_factor: lr divided by the first rate.
        final_factor: the first rate divided by the last.
        anneal: "cos" for half cosines, "linear" for straight lines.
        three_phase: True to fall to the first rate in as many steps as it rose, then to the last.

    Source: Smith and Topin, Super-convergence (2018); torch's `OneCycleLR`, whose names are max_lr,
    total_steps, pct_start, div_factor, final_div_factor and anneal_strategy.

    Raises:
        RangeError: `steps` is less than 1, `warmup` is not between 0 and 1, a factor is not above
            0, or `anneal` is unknown.

    >>> rate = one_cycle(1.0, 5, warmup=0.6, initial_factor=5, final_factor=2, anneal="linear")
    >>> [round(rate(k), 3) for k in range(6)]
    [0.2, 0.6, 1.0, 0.55, 0.1, 0.1]
    """
    require_range("initial_factor", initial_factor, above=0)
    require_range("final_factor", final_factor, above=0)
    first = lr / initial_factor
    middle = [first] if three_phase else []
    return _cycle([first, lr, *middle, first / final_factor], steps, warmup, anneal)


def one_cycle_momentum(
    steps: int,
    *,
    warmup: float = 0.3,
    base_momentum: float = 0.85,
    max_momentum: float = 0.95,
    anneal: str = "cos",
    three_phase: bool = False,
) -> Schedule:
    """The momentum for `one_cycle`: down to `base_momentum` while the rate rises, then back.

    Before each update write `optimizer.momentum = momentum(step)`, or with Adam and its variants
    `optimizer.betas = (momentum(step), optimizer.betas[1])`. The arguments are those of
    `one_cycle`. Source: torch's `OneCycleLR`.

    Raises:
        RangeError: `steps` is less than 1, `warmup` is not between 0 and 1, or `anneal` is
            unknown.

    >>> momentum = one_cycle_momentum(5, warmup=0.6, anneal="linear")
    >>> [round(momentum(k), 3) for k in range(5)]
    [0.95, 0.9, 0.85, 0.9, 0.95]
    """
    middle = [max_momentum] if three_phase else []
    return _cycle([max_momentum, base_momentum, *middle, max_momentum], steps, warmup, anneal)


def _cycle(heights: list[float], steps: int, warmup: float, anneal: str) -> Schedule:
    """Interpolate the heights: `warmup` of the steps to the second, and to the third of four."""
    require_counts(steps=steps)
    require_range("warmup", warmup, high=1)
    part, last = _PARTS[require_choice("anneal", anneal, _PARTS)], steps - 1
    back = [2 * warmup * steps - 2] if len(heights) == 4 else []
    ends = [warmup * steps - 1, *back, last]

    def height(step: int) -> float:
        step = min(step, last)
        phase = next((k for k, end in enumerate(ends) if step <= end), len(ends) - 1)
        start = ends[phase - 1] if phase else 0.0
        length = ends[phase] - start
        return part(heights[phase], heights[phase + 1], (step - start) / length if length else 1.0)

    return height
