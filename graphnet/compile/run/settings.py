"""The settings of an optimizer in a program: numbers given anew at each step, or constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphnet.optim.base import Optimizer
    from graphnet.optim.buckets import Stretch

Known = dict[str, Any]
"""All settings and numbers of a stretch of parameters, by name."""


class Settings:
    """Which settings and numbers of an optimizer change from step to step.

    What changes is an argument of the program; what does not is part of it, so that it can be
    folded. The learning rate is always an argument; others become one once they are seen to change.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self._varying = {"lr", "step"}
        for stretch in optimizer.stretches():
            now, then = (self.numbers(stretch, ahead) for ahead in (1, 2))
            self._varying |= {name for name in now if now[name] != then[name]}

    def numbers(self, stretch: Stretch, ahead: int) -> Known:
        """The numbers of a later step, without making those before it."""
        optimizer, group = self.optimizer, stretch.group
        scalars = {name: each.clone() for name, each in stretch.scalars.items()}
        step = stretch.steps + (1 + ahead) * optimizer.counts(group)
        return {**optimizer.numbers(group, step, **scalars), "step": float(step)}

    def of_all(self, stretches: Sequence[Stretch]) -> list[Known]:
        """The numbers of the next step, for each of several stretches."""
        optimizer, found = self.optimizer, []
        for stretch in stretches:
            step = stretch.steps + optimizer.counts(stretch.group)
            numbers = optimizer.numbers(stretch.group, step, **stretch.scalars)
            found.append({**numbers, "step": float(step)})
        return found

    def arguments(self, known: Known) -> list[str]:
        """The names of the numbers given at each step; 0 is not one, since it removes terms."""
        return [
            name
            for name, value in known.items()
            if name in self._varying and isinstance(value, float) and (value or name == "step")
        ]

    def constants(self, known: Sequence[Known]) -> tuple[object, ...]:
        """The numbers that are part of the program, as a key that distinguishes programs."""
        return tuple(
            (name, repr(value))
            for each in known
            for name, value in each.items()
            if name != "params" and name not in self.arguments(each)
        )

    def notice(self, before: Sequence[Known], now: Sequence[Known]) -> None:
        """Note which numbers have changed."""
        for old, new in zip(before, now, strict=True):
            self._varying |= {
                name
                for name, value in new.items()
                if isinstance(value, float) and old.get(name) != value
            }
