"""A learning rate that follows a metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from graphnet.errors import LoadError
from graphnet.validation import item_of, require_choice, require_integer, require_range


@dataclass(frozen=True)
class PlateauSettings:
    """When and by how much a `Plateau` reduces its rate; see `on_plateau`.

    Raises:
        RangeError: a setting is out of its range.
    """

    lr: float
    mode: str = "min"
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: str = "rel"
    cooldown: int = 0
    min_lr: float = 0.0
    eps: float = 1e-8

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_range("factor", self.factor, below=1)
        require_choice("mode", self.mode, ("min", "max"))
        require_choice("threshold_mode", self.threshold_mode, ("rel", "abs"))
        require_integer("patience", self.patience, 0)
        require_integer("cooldown", self.cooldown, 0)

    @property
    def worst(self) -> float:
        """The value that every metric improves on."""
        return inf if self.mode == "min" else -inf

    def is_better(self, metric: float, best: float) -> bool:
        """True if a metric is better than the best one by more than the threshold."""
        margin = -self.threshold if self.mode == "min" else self.threshold
        mark = best * (1.0 + margin) if self.threshold_mode == "rel" else best + margin
        return metric < mark if self.mode == "min" else metric > mark

    def reduced(self, rate: float) -> float:
        """The rate after a reduction."""
        lower = max(rate * self.factor, self.min_lr)
        return lower if rate - lower > self.eps else rate


class Plateau:
    """A learning rate that is reduced when a metric stops improving; `on_plateau` makes it.

    Attributes:
        settings: when it is reduced, and by how much.
        lr: the present learning rate.
        best: the best metric so far.
        waiting: the number of consecutive steps without a better one.
        resting: how many more steps after a reduction count as good, whatever the metric.
    """

    def __init__(self, settings: PlateauSettings) -> None:
        self.settings = settings
        self.reset()

    def reset(self) -> None:
        """Start again with the first learning rate; `fit` does so when a training starts."""
        self.lr, self.best = self.settings.lr, self.settings.worst
        self.waiting = self.resting = 0

    def step(self, metric: float) -> float:
        """Record a metric, a number or a tensor of one, and return the learning rate."""
        current, settings = float(metric), self.settings
        if settings.is_better(current, self.best):
            self.best, self.waiting = current, 0
        else:
            self.waiting += 1
        if self.resting:
            self.resting, self.waiting = self.resting - 1, 0
        if self.waiting > settings.patience:
            self.lr = settings.reduced(self.lr)
            self.resting, self.waiting = settings.cooldown, 0
        return self.lr

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to continue later, under the names of torch's `ReduceLROnPlateau`."""
        return {
            "best": self.best,
            "num_bad_epochs": self.waiting,
            "cooldown_counter": self.resting,
            "_last_lr": [self.lr],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state of `state_dict` or of torch; the settings stay.

        Raises:
            LoadError: the state does not fit, and nothing was loaded.
        """
        try:
            best, (lr,) = float(state_dict["best"]), state_dict["_last_lr"]
            lr = require_range("a learning rate", item_of(lr))
            waiting, resting = (
                require_integer(name, state_dict[name], 0)
                for name in ("num_bad_epochs", "cooldown_counter")
            )
        except (KeyError, TypeError, ValueError) as error:
            names = ", ".join(self.state_dict())
            raise LoadError(
                f"A state of a plateau must be a dict of {names}; nothing was loaded: "
                f"{type(error).__name__} {error}"
            ) from error
        self.lr, self.best, self.waiting, self.resting = lr, best, waiting, resting


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

    After each epoch call `set_lr(optimizer, plateau.step(metric))`, which keeps the ratio of the
    groups; `fit` does so.

    Args:
        lr: the first learning rate.
        mode: "min" if smaller metrics are better, "max" if larger ones are.
        factor: the factor of each reduction, from 0 to below 1.
        patience: the number of steps without improvement that are tolerated.
        threshold: how much better a metric must be to count.
        threshold_mode: "rel" if the threshold is a fraction of the best metric, else "abs".
        cooldown: the number of steps after a reduction that are not counted.
        min_lr: the smallest rate.
        eps: a reduction by no more than this is skipped.

    Source: torch's `ReduceLROnPlateau`.

    Raises:
        RangeError: a setting is out of its range.

    >>> plateau = on_plateau(1.0, factor=0.5, patience=1)
    >>> [plateau.step(metric) for metric in (3.0, 2.0, 2.0, 2.0, 2.0, 2.0)]
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]
    """
    limits = (patience, threshold, threshold_mode, cooldown, min_lr, eps)
    return Plateau(PlateauSettings(lr, mode, factor, *limits))
