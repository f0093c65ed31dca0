"""The settings of an optimizer in a program: numbers given anew at each step, or constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphnet.optim.adaptive import Adagrad
from graphnet.optim.base import Optimizer
from graphnet.optim.sgd import SGD

if TYPE_CHECKING:
    from graphnet.optim.buckets import Bucket

Known = dict[str, Any]
"""All settings and numbers of a bucket of parameters, by name."""


_STEADY = (Optimizer.numbers, SGD.numbers, Adagrad.numbers)
"""What gives all steps the same numbers if it gives them to the second and the third."""


class VaryingSettings:
    """Which settings and numbers of an optimizer change from step to step.

    What changes is an argument of the program; what does not is part of it, so that it can be
    folded. The learning rate is always an argument; others become one once they are seen to change.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self._varying = {"lr", "step"}
        for bucket in optimizer.buckets():
            now, then = (self.numbers(bucket, ahead) for ahead in (1, 2))
            self._varying |= {name for name in now if now[name] != then[name]}

    def numbers(self, bucket: Bucket, ahead: int) -> Known:
        """The numbers of a later step, without making those before it."""
        optimizer, group = self.optimizer, bucket.group
        scalars = {name: each.clone() for name, each in bucket.scalars.items()}
        step = bucket.steps + (1 + ahead) * optimizer.counts(group)
        return {**optimizer.numbers(group, step, **scalars), "step": float(step)}

    def are_steady(
        self,
        given: Sequence[tuple[int, str]],
        known: Sequence[Known],
        buckets: Sequence[Bucket],
    ) -> bool:
        """True if all steps from now on have known numbers: none of them depends on the step.

        A user's own `numbers` may change at any step.
        """
        if (
            type(self.optimizer).numbers not in _STEADY
            or self._varying - {"lr", "step"}
            or any(name == "step" for _, name in given)
            or any(bucket.scalars for bucket in buckets)
        ):
            return False
        following = [self.numbers(bucket, 0) for bucket in buckets]
        return all(
            name == "step" or old[name] == value
            for old, new in zip(known, following, strict=True)
            for name, value in new.items()
        )

    def of_all(self, buckets: Sequence[Bucket], ahead: int = 0) -> list[Known]:
        """The numbers of the next step, or of one further ahead, for each of several buckets."""
        optimizer, found = self.optimizer, []
        for bucket in buckets:
            step = bucket.steps + (1 + ahead) * optimizer.counts(bucket.group)
            numbers = optimizer.numbers(bucket.group, step, **bucket.scalars)
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
