"""Learning rates that change: each function returns a plain function of the step, from 0.

>>> import graphnet as gn
>>> rate = gn.schedules.cosine(0.1, steps=100)
>>> rate(0), round(rate(50), 3), round(rate(100), 3)
(0.1, 0.05, 0.0)

Before each update write `optimizer.lr = rate(step)`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi

from graphnet.errors import RangeError

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """The same learning rate at every step.

    >>> constant(0.1)(1000)
    0.1
    """
    return lambda step: lr


def step(lr: float, step_size: int, gamma: float = 0.1) -> Schedule:
    """lr gammaᵏ, where k is how often `step_size` steps have passed: torch's `StepLR`.

    Raises:
        RangeError: `step_size` is less than 1.

    >>> [step(1.0, step_size=2, gamma=0.5)(k) for k in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    _require_positive(step_size=step_size)
    return lambda step: lr * gamma ** (step // step_size)


def cosine(lr: float, steps: int, final: float = 0.0) -> Schedule:
    """Half a cosine from lr at step 0 down to `final` at step `steps`, and `final` from there on.

    Source: Loshchilov and Hutter, SGDR (2017), equation 5, without restarts; torch's
    `CosineAnnealingLR`.

    Raises:
        RangeError: `steps` is less than 1.
    """
    _require_positive(steps=steps)
    return lambda step: _cosine(lr, final, step / steps)


def one_cycle(
    lr: float,
    steps: int,
    *,
    warmup: float = 0.3,
    initial_factor: float = 25.0,
    final_factor: float = 1e4,
) -> Schedule:
    """Up to lr in the first part of the steps, then down to almost nothing, both along a cosine.

    It starts at lr / initial_factor, and ends at step `steps - 1` with that / final_factor.

    Source: Smith and Topin, Super-convergence (2018); torch's `OneCycleLR`.

    Raises:
        RangeError: `steps` is less than 1, `warmup` is not between 0 and 1, or a factor is not
            above 0.
    """
    _require_positive(steps=steps)
    if not 0 <= warmup <= 1:
        raise RangeError(f"warmup is a fraction of the steps, from 0 to 1; {warmup!r} came.")
    for name, factor in (("initial_factor", initial_factor), ("final_factor", final_factor)):
        if not factor > 0:
            raise RangeError(f"{name} divides a learning rate and is above 0; {factor!r} came.")
    first, peak, last = lr / initial_factor, warmup * steps - 1, steps - 1

    def rate(step: int) -> float:
        step = min(step, last)
        if step <= peak:
            return _cosine(first, lr, step / peak if peak else 1.0)
        return _cosine(lr, first / final_factor, (step - peak) / (last - peak))

    return rate


def _cosine(start: float, end: float, fraction: float) -> float:
    """Half a cosine from start to end, and constant beyond both."""
    fraction = min(max(fraction, 0.0), 1.0)
    return end + (start - end) / 2.0 * (1 + cos(pi * fraction))


def _require_positive(**counts: int) -> None:
    for name, count in counts.items():
        if not isinstance(count, int) or count < 1:
            raise RangeError(f"{name} is a whole number of 1 or more; {count!r} came.")
