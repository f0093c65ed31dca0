"""Learning rates that follow a curve or a staircase."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from math import cos, pi

from graphnet.validation import require_counts, require_integer, require_range

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """The same learning rate at every step.

    >>> constant(0.1)(1000)
    0.1
    """
    return lambda step: lr


def step(lr: float, step_size: int, gamma: float = 0.1) -> Schedule:
    """lr gammaᵏ, where k counts the completed periods of `step_size` steps: torch's `StepLR`.

    Raises:
        RangeError: `step_size` is less than 1.

    >>> [step(1.0, step_size=2, gamma=0.5)(k) for k in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    require_counts(step_size=step_size)
    return lambda step: lr * gamma ** (step // step_size)


def multi_step(lr: float, milestones: Iterable[int], gamma: float = 0.1) -> Schedule:
    """lr gammaᵏ after k of the milestones: torch's `MultiStepLR`.

    Raises:
        RangeError: a milestone is not an integer of 0 or more.

    >>> [multi_step(1.0, [2, 3], gamma=0.5)(k) for k in range(5)]
    [1.0, 1.0, 0.5, 0.25, 0.25]
    """
    places = list(milestones)
    for place in places:
        require_integer("a milestone", place, 0)
    places.sort()
    return lambda step: lr * gamma ** bisect_right(places, step)


def exponential(lr: float, gamma: float) -> Schedule:
    """lr gammaᵏ at step k: torch's `ExponentialLR`.

    >>> [exponential(1.0, gamma=0.5)(k) for k in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    return lambda step: lr * gamma**step


def cosine(lr: float, steps: int, final: float = 0.0) -> Schedule:
    """Half a cosine from lr at step 0 down to `final` at step `steps`, then up again.

    Source: Loshchilov and Hutter, SGDR (2017), equation 5, without restarts; torch's
    `CosineAnnealingLR`, where `steps` is T_max and `final` eta_min.

    Raises:
        RangeError: `steps` is less than 1.
    """
    require_counts(steps=steps)
    return lambda step: cosine_part(lr, final, step / steps)


def cosine_warm_restarts(
    lr: float,
    T_0: int,  # noqa: N803 - torch's name
    T_mult: int = 1,  # noqa: N803 - torch's name
    final: float = 0.0,
) -> Schedule:
    """Half a cosine from lr towards `final` in T_0 steps, repeated.

    Each cycle is T_mult times as long as the one before it.

    Source: Loshchilov and Hutter, SGDR (2017), equation 5; torch's `CosineAnnealingWarmRestarts`.

    Raises:
        RangeError: `T_0` or `T_mult` is less than 1.

    >>> [round(cosine_warm_restarts(1.0, T_0=2, T_mult=2)(k), 3) for k in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """
    require_counts(T_0=T_0, T_mult=T_mult)

    def rate(step: int) -> float:
        length = T_0
        while T_mult > 1 and step >= length:
            step, length = step - length, length * T_mult
        return cosine_part(lr, final, step % length / length)

    return rate


def linear_warmup(
    lr: float, steps: int = 5, start_factor: float = 1 / 3, end_factor: float = 1.0
) -> Schedule:
    """A straight line from lr start_factor to lr end_factor at step `steps`, then constant.

    Source: torch's `LinearLR`.

    Raises:
        RangeError: `steps` is less than 1, or a factor is not between 0 and 1.

    >>> [linear_warmup(1.0, steps=2, start_factor=0.5)(k) for k in range(4)]
    [0.5, 0.75, 1.0, 1.0]
    """
    factor = _line(steps, start_factor, end_factor)
    return lambda step: lr * factor(step)


def warmup(steps: int, then: Schedule, start_factor: float = 1 / 3) -> Schedule:
    """A straight line up to the first rate of another schedule, which starts at step `steps`.

    It starts at then(0) start_factor. Source: Goyal et al., Accurate, large minibatch SGD (2017),
    section 2.2; torch's `SequentialLR` of `LinearLR` and another.

    Raises:
        RangeError: `steps` is less than 1, or the factor is not between 0 and 1.

    >>> rate = warmup(2, then=step(1.0, step_size=1, gamma=0.5), start_factor=0.5)
    >>> [rate(k) for k in range(5)]
    [0.5, 0.75, 1.0, 0.5, 0.25]
    """
    factor = _line(steps, start_factor, 1.0)
    return lambda step: then(0) * factor(step) if step < steps else then(step - steps)


def _line(steps: int, start: float, end: float) -> Callable[[int], float]:
    """A factor that changes linearly from start to end, and stays there."""
    require_counts(steps=steps)
    require_range("start_factor", start, above=0, high=1)
    require_range("end_factor", end, high=1)
    return lambda step: start + (end - start) * min(steps, step) / steps


def cosine_part(start: float, end: float, fraction: float) -> float:
    """Half a cosine from start at fraction 0 to end at 1."""
    return end + (start - end) / 2.0 * (1 + cos(pi * fraction))
