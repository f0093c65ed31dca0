"""How a training run is made: the checked arguments of `fit`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, RangeError
from graphnet.schedules import Plateau
from graphnet.validation import (
    must_be,
    require_choice,
    require_counts,
    require_flags,
    require_integer,
)

if TYPE_CHECKING:
    from torch import Generator

Schedule = Callable[[int], float]
Augment = Callable[[Any, Any, "Generator"], tuple[Any, Any]]


@dataclass(frozen=True)
class FitSettings:
    """How to train; see `fit`.

    Raises:
        RangeError: a number or a policy is out of its range.
        GraphError: the schedule or `augment` is not a function.
    """

    epochs: int
    batch_size: int
    accumulate: int = 1
    compile: bool | str = True
    clip: float | None = None
    clip_value: float | None = None
    non_finite: str = "stop"
    schedule: Schedule | Plateau | None = None
    augment: Augment | None = None
    drop_last: bool = False
    shuffle: bool = True
    seed: int | str | None = None
    steps_per_epoch: int | None = None
    prefetch: int | None = None

    def __post_init__(self) -> None:
        require_counts(epochs=self.epochs, batch_size=self.batch_size, accumulate=self.accumulate)
        if self.steps_per_epoch is not None:
            require_counts(steps_per_epoch=self.steps_per_epoch)
        if self.prefetch is not None:
            require_integer("prefetch", self.prefetch, 0)
        require_flags(drop_last=self.drop_last, shuffle=self.shuffle)
        require_choice("non_finite", self.non_finite, ("stop", "skip", "ignore"))
        require_choice("compile", self.compile, (True, False, "tune", "torch", "c"))
        if not isinstance(self.schedule, Plateau):
            _require_function("schedule", self.schedule, "gn.schedules.cosine(0.1, steps=100)")
        _require_function("augment", self.augment, "lambda x, t, generator: (x.flip(-1), t)")

    def rows_of_epoch(self, rows: int | None) -> int | None:
        """How many rows an epoch takes; None if the number of rows is not known.

        Raises:
            RangeError: there are fewer than `steps_per_epoch` takes.
        """
        if rows is None:
            return None
        taken = rows - rows % self.batch_size * self.drop_last
        if self.steps_per_epoch is None:
            return taken
        most = self.steps_per_epoch * self.accumulate * self.batch_size
        if most - self.batch_size >= taken:
            raise RangeError(
                f"steps_per_epoch={self.steps_per_epoch} takes up to {most:,} rows, more than the "
                f"{taken:,} of an epoch."
            )
        return min(taken, most)


def _require_function(name: str, value: Any, example: str) -> None:
    if value is not None and not callable(value):
        raise GraphError(must_be(name, f"a function, such as {example}, or None", value))
