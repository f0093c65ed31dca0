"""How much each batch counts in the mean that a loss computes.

The mean over many rows is the sum of the means of their batches, each weighted by what it divides
by: its rows, the weights of its classes, its labels that are not ignored. A loss of several terms
divides each of them by something different.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import signature
from types import FunctionType
from typing import TYPE_CHECKING, Any
from warnings import warn

from graphnet import losses
from graphnet.errors import ShapeError
from graphnet.graph import Parameter
from graphnet.graph.location import user_level
from graphnet.losses import Loss
from graphnet.train.dataset import Batch, DataSet

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Node
    from graphnet.train.sources import Source


@dataclass(frozen=True)
class Term:
    """One of the losses that are added, with its weight.

    Attributes:
        node: its value, including the weight.
        target: the place of its targets.
        counted: how much each row counts, given those targets; None if each counts 1.
        summed: True if it is a sum over the rows, not a mean.
    """

    node: Node
    target: int
    counted: Callable[[Tensor], Tensor] | None
    summed: bool

    @classmethod
    def of(cls, node: Node, loss: Any, target: int = 0, built: Sequence[Any] = ()) -> Term:
        """The term of a loss: as defined by a `losses.Loss`; for other functions 1 for each row.

        The functions of `ops` that losses are made of, and partial forms of them, are such losses.
        A function or module that calls one loss counts like that loss.

        Args:
            node: its value, including the weight.
            loss: the loss.
            target: the place of its targets.
            built: the modules that were built for it.
        """
        loss = _called(_as_module(loss), built)
        counted = getattr(loss, "counted", None)
        if isinstance(loss, Loss) and type(loss).counted is Loss.counted:
            counted = None
        summed = isinstance(loss, Loss) and loss.reduction == "sum"
        return cls(node, target, None if summed else counted, summed)

    def count_rows(self, targets: Sequence[Tensor]) -> Tensor | None:
        """How much each row counts, on the CPU; None if each counts 1."""
        if self.counted is None:
            return None
        given = targets[self.target]
        counts = self.counted(given)
        if not isinstance(counts, type(given)) or counts.shape != given.shape[:1]:
            raise ShapeError(
                f"`counted` of a loss returns a number for each row, ({len(given)},); "
                f"got {counts!r}."
            )
        return counts.detach().cpu().double()


_MODULES: dict[Any, type[Any]] = {
    kind.function: kind
    for kind in (getattr(losses, name) for name in losses.__all__)
    if kind is not Loss
}
"""The losses by the functions of `ops` that they apply."""


def _called(loss: Any, built: Sequence[Any]) -> Any:
    """The loss that a function or module of the user calls; itself if it calls none."""
    if isinstance(loss, Loss) or hasattr(loss, "counted"):
        return loss
    inner = [each for each in built if isinstance(each, Loss)]
    plain = [each for each in inner if type(each).counted is Loss.counted]
    if len(inner) > 1 and len(plain) < len(inner):
        names = ", ".join(type(each).__name__ for each in inner)
        warn(
            f"A loss calls {names}, which may divide by different things; its means over batches "
            "are weighted by rows. Pass several losses as a list of losses or pairs "
            "(weight, loss), or write `counted(targets)`.",
            stacklevel=user_level(),
        )
        return loss
    return inner[0] if len(inner) == 1 else loss


def _as_module(loss: Any) -> Any:
    """The loss module that corresponds to a function of `ops`; anything else as it is."""
    whole = isinstance(loss, partial) and not loss.args
    function, options = (loss.func, loss.keywords) if whole else (loss, {})
    kind = _MODULES.get(function) if isinstance(function, FunctionType) else None
    if kind is None or not options.keys() <= signature(kind).parameters.keys():
        return loss
    given = {k: each.top if isinstance(each, Parameter) else each for k, each in options.items()}
    return kind(**given)


class Counts:
    """How much the rows of a data set count in each term.

    Args:
        terms: those of the loss.
        data: the rows; only of those in memory all are counted before the first step.
        changing: True if batches have other targets than the data.

    Attributes:
        are_equal: True if every row counts as one in each term.
        alike: True if a batch has the same share of every term, so that one number is enough.
        summed: for each number of an update, whether it is a sum over the rows and not a mean.
    """

    def __init__(self, terms: Sequence[Term], data: Source, *, changing: bool = False) -> None:
        self.terms = terms
        self._changing = any(term.counted is not None for term in terms)
        if isinstance(data, DataSet) and data.is_plain and not changing:
            self._changing = False
            self._rows = [_unequal(term.count_rows(data.targets)) for term in terms]
        else:
            self._rows = [] if self._changing else [None for _ in terms]
        self.are_equal = not self._changing and all(each is None for each in self._rows)
        kinds = [term.summed for term in terms]
        self.alike = len(terms) == 1 or (self.are_equal and len(set(kinds)) == 1)
        self.summed = kinds[:1] if self.alike else kinds

    def counted(self, batch: Batch, rows: Tensor | slice | None) -> Batch:
        """A batch with how much it counts in each term; `rows` are those of data in memory."""
        if self.are_equal or not self._changing:
            return Batch(batch.inputs, batch.targets, self._known(rows, len(batch)))
        known = [term.count_rows(batch.targets) for term in self.terms]
        counts = tuple(float(len(batch) if each is None else each.sum()) for each in known)
        return Batch(batch.inputs, batch.targets, counts)

    def of_rows(self, rows: Tensor | None, count: int) -> tuple[float, ...] | None:
        """How much so many rows of the data count in each term; None if only batches tell."""
        return None if self._changing else self._known(rows, count)

    def _known(self, rows: Tensor | slice | None, count: int) -> tuple[float, ...]:
        if self.are_equal:
            return (float(count),) * len(self.terms)
        return tuple(float(count if each is None else each[rows].sum()) for each in self._rows)

    def of(self, batches: Sequence[Batch]) -> list[float]:
        """How much the batches of an update count together in each of its numbers."""
        return [sum(_whole(batch)[k] for batch in batches) for k in range(len(self.summed))]


class Means:
    """The losses of many batches, each number weighted by what it divides by.

    Attributes:
        totals: for each number the sum, over batches that count differently.
        weights: how much these batches count together.
    """

    def __init__(self, summed: Sequence[bool]) -> None:
        self.summed = summed
        self.totals, self.weights = [0.0] * len(summed), [0.0] * len(summed)

    def add(self, losses: Sequence[float], counts: Sequence[float]) -> None:
        """Take note of a batch, or of an update from several."""
        for place, (loss, count) in enumerate(zip(losses, counts, strict=True)):
            self.totals[place] += loss if self.summed[place] else loss * count
            self.weights[place] += count

    def loss(self) -> float:
        """The loss over all of them; NaN if nothing counts in one of the numbers."""
        if not all(self.weights):
            return float("nan")
        parts = zip(self.summed, self.totals, self.weights, strict=True)
        return sum(total if summed else total / weight for summed, total, weight in parts)


def _whole(batch: Batch) -> tuple[float, ...]:
    """How much the rows of all processes count."""
    return batch.whole or batch.counts


def shares(terms: Sequence[Term], batches: Sequence[Batch]) -> list[tuple[float, ...]]:
    """The share of each batch in the mean over all of them, for each term; 1 in a sum.

    The rows of other processes count in the mean. A batch in which nothing counts has no share. If
    nothing counts in any, all shares are NaN.
    """
    totals = [sum(_whole(batch)[k] for batch in batches) for k in range(len(terms))]
    return [
        tuple(
            1.0 if term.summed else count / total if total else float("nan")
            for term, count, total in zip(terms, batch.counts, totals, strict=True)
        )
        for batch in batches
    ]


def _unequal(counts: Tensor | None) -> Tensor | None:
    """None if all rows count the same nonzero amount: then the rows themselves are counted."""
    if counts is None or (bool(counts[0] != 0) and bool((counts == counts[0]).all())):
        return None
    return counts
