"""Learning rates that change: each function returns a plain function of the step, from 0.

>>> import graphnet as gn
>>> rate = gn.schedules.cosine(0.1, steps=100)
>>> rate(0), round(rate(50), 3), round(rate(100), 3)
(0.1, 0.05, 0.0)

Before each update write `optimizer.lr = rate(step)`. Only `on_plateau` is an object with a memory,
because it follows what is measured.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from math import cos, inf, pi

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


def multi_step(lr: float, milestones: Iterable[int], gamma: float = 0.1) -> Schedule:
    """lr gammaᵏ, where k is how many of the milestones are reached: torch's `MultiStepLR`.

    Raises:
        RangeError: a milestone is not a whole number of 0 or more.

    >>> [multi_step(1.0, [2, 3], gamma=0.5)(k) for k in range(5)]
    [1.0, 1.0, 0.5, 0.25, 0.25]
    """
    places = list(milestones)
    for place in places:
        if not isinstance(place, int) or place < 0:
            raise RangeError(f"milestones are whole numbers of 0 or more; {place!r} came.")
    places.sort()
    return lambda step: lr * gamma ** bisect_right(places, step)


def exponential(lr: float, gamma: float) -> Schedule:
    """lr gammaᵏ at step k: torch's `ExponentialLR`.

    >>> [exponential(1.0, gamma=0.5)(k) for k in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    return lambda step: lr * gamma**step


def cosine(lr: float, steps: int, final: float = 0.0) -> Schedule:
    """Half a cosine from lr at step 0 down to `final` at step `steps`, and `final` from there on.

    Source: Loshchilov and Hutter, SGDR (2017), equation 5, without restarts; torch's
    `CosineAnnealingLR`.

    Raises:
        RangeError: `steps` is less than 1.
    """
    _require_positive(steps=steps)
    return lambda step: _cosine(lr, final, step / steps)


def cosine_warm_restarts(
    lr: float,
    T_0: int,  # noqa: N803  # torch's names
    T_mult: int = 1,  # noqa: N803
    final: float = 0.0,
) -> Schedule:
    """Half a cosine from lr towards `final` in T_0 steps, again and again.

    Each round is T_mult times as long as the one before it.

    Source: Loshchilov and Hutter, SGDR (2017), equation 5; torch's `CosineAnnealingWarmRestarts`.

    Raises:
        RangeError: `T_0` or `T_mult` is less than 1.

    >>> [round(cosine_warm_restarts(1.0, T_0=2, T_mult=2)(k), 3) for k in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """
    _require_positive(T_0=T_0, T_mult=T_mult)

    def rate(step: int) -> float:
        length = T_0
        while T_mult > 1 and step >= length:
            step, length = step - length, length * T_mult
        return _cosine(lr, final, step % length / length)

    return rate


def linear_warmup(
    lr: float, steps: int = 5, start_factor: float = 1 / 3, end_factor: float = 1.0
) -> Schedule:
    """A straight line from lr start_factor to lr end_factor at step `steps`, constant from there.

    Source: torch's `LinearLR`.

    Raises:
        RangeError: `steps` is less than 1, or a factor is not between 0 and 1.

    >>> [linear_warmup(1.0, steps=2, start_factor=0.5)(k) for k in range(4)]
    [0.5, 0.75, 1.0, 1.0]
    """
    factor = _line(steps, start_factor, end_factor)
    return lambda step: lr * factor(step)


def warmup(steps: int, then: Schedule, start_factor: float = 1 / 3) -> Schedule:
    """A straight line up to the first rate of another schedule, which begins at step `steps`.

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


class Plateau:
    """A learning rate that is reduced when a metric stops improving; `on_plateau` makes it.

    Attributes:
        lr: the learning rate now.
        best: the best metric so far.
        waiting: how many steps in a row brought no better one.
        resting: how many more steps count as good after a reduction.
    """

    def __init__(
        self, lr: float, is_better: Callable[[float, float], bool], worst: float,
        reduced: Callable[[float], float], patience: int, cooldown: int,
    ) -> None:  # fmt: skip
        self.lr = lr
        self.best = worst
        self.waiting = self.resting = 0
        self._is_better, self._reduced = is_better, reduced
        self._patience, self._cooldown = patience, cooldown

    def step(self, metric: float) -> float:
        """Take note of a metric, a number or a tensor of one, and return the learning rate."""
        current = float(metric)
        if self._is_better(current, self.best):
            self.best, self.waiting = current, 0
        else:
            self.waiting += 1
        if self.resting:
            self.resting, self.waiting = self.resting - 1, 0
        if self.waiting > self._patience:
            self.lr = self._reduced(self.lr)
            self.resting, self.waiting = self._cooldown, 0
        return self.lr


def on_plateau(
    lr: float,
    mode: str = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: str = "rel",
    cooldown: int = 0,
    min_lr: float = 0.0,
    eps: float = 1e-8,
) -> Plateau:
    """A learning rate that is multiplied by `factor` when a metric has stopped improving.

    After each epoch write `optimizer.lr = plateau.step(metric)`.

    Args:
        lr: the first learning rate.
        mode: "min" if smaller metrics are better, "max" if larger ones are.
        factor: what the rate is multiplied by, from 0 to below 1.
        patience: how many steps without improvement are let pass.
        threshold: how much better a metric must be to count.
        threshold_mode: "rel" if the threshold is a fraction of the best metric, "abs" if not.
        cooldown: how many steps after a reduction are not counted.
        min_lr: the smallest rate.
        eps: a reduction by no more than this is left out.

    Source: torch's `ReduceLROnPlateau`.

    Raises:
        RangeError: a setting is not among those above.

    >>> plateau = on_plateau(1.0, factor=0.5, patience=1)
    >>> [plateau.step(metric) for metric in (3.0, 2.0, 2.0, 2.0, 2.0, 2.0)]
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]
    """
    if not 0 <= factor < 1:
        raise RangeError(f"factor is a number from 0 to below 1; {factor!r} came.")
    for name, value, known in (
        ("mode", mode, ("min", "max")),
        ("threshold_mode", threshold_mode, ("rel", "abs")),
    ):
        if value not in known:
            raise RangeError(f"{name} is {known[0]!r} or {known[1]!r}; {value!r} came.")
    for name, count in (("patience", patience), ("cooldown", cooldown)):
        if not isinstance(count, int) or count < 0:
            raise RangeError(f"{name} is a whole number of 0 or more; {count!r} came.")
    down = mode == "min"
    margin = -threshold if down else threshold

    def is_better(metric: float, best: float) -> bool:
        mark = best * (1.0 + margin) if threshold_mode == "rel" else best + margin
        return metric < mark if down else metric > mark

    def reduced(rate: float) -> float:
        lower = max(rate * factor, min_lr)
        return lower if rate - lower > eps else rate

    return Plateau(lr, is_better, inf if down else -inf, reduced, patience, cooldown)


def _cosine(start: float, end: float, fraction: float) -> float:
    """Half a cosine from start to end, and constant beyond both."""
    fraction = min(max(fraction, 0.0), 1.0)
    return end + (start - end) / 2.0 * (1 + cos(pi * fraction))


def _require_positive(**counts: int) -> None:
    for name, count in counts.items():
        if not isinstance(count, int) or count < 1:
            raise RangeError(f"{name} is a whole number of 1 or more; {count!r} came.")


def _line(steps: int, start: float, end: float) -> Callable[[int], float]:
    """A factor that goes from start to end in a straight line, and stays there."""
    _require_positive(steps=steps)
    if not 0 < start <= 1:
        raise RangeError(f"start_factor is above 0 and at most 1; {start!r} came.")
    if not 0 <= end <= 1:
        raise RangeError(f"end_factor is a number from 0 to 1; {end!r} came.")
    return lambda step: start + (end - start) * min(steps, step) / steps
