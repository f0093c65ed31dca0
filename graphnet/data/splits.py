"""Which rows are held out to be measured only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from graphnet.data.order import RowOrder
from graphnet.errors import RangeError, ShapeError, counted
from graphnet.validation import require_flag, require_integer, require_numbers


@dataclass(frozen=True)
class Split:
    """How rows are divided into those to learn from and those to measure: `validation_split`.

    Args:
        fraction: how much of the rows is held out, between 0 and 1.
        seed: rows are drawn by this number; None holds out the last ones.
        stratify: True to hold out the same fraction of each class of the targets.

    Raises:
        RangeError: an argument has another type, or `stratify` comes without a seed.

    >>> train, held = Split(0.25, seed=0).of(8)
    >>> len(train), len(held), sorted([*train.rows(0, 6).tolist(), *held.rows(0, 2).tolist()])
    (6, 2, [0, 1, 2, 3, 4, 5, 6, 7])
    """

    fraction: float
    seed: int | None = None
    stratify: bool = False

    def __post_init__(self) -> None:
        if self.seed is not None:
            require_integer("seed", self.seed)
        if require_flag("stratify", self.stratify) and self.seed is None:
            raise RangeError("stratify=True draws rows of each class, so it needs a seed.")
        require_numbers(validation_split=self.fraction)

    def of(self, count: int, labels: Tensor | None = None) -> tuple[Part, Part]:
        """The rows to learn from, and those to hold out.

        Args:
            count: how many rows there are.
            labels: the class of each row, for `stratify`: a vector of integers.

        Raises:
            RangeError: one of the parts has no rows.
            ShapeError: the labels are no vector of integers with an entry for each row.
        """
        if self.stratify and 0 < self.fraction < 1:
            return self._stratified(_require_labels(labels, count))
        # 100 rows less 31 % are 69, and 100 * (1 - 0.31) is slightly less
        size = int(count * (1 - self.fraction) + 1e-9) if 0 < self.fraction < 1 else 0
        if not 0 < size < count:
            raise self._empty(count)
        order = RowOrder(count)
        if self.seed is not None:
            order = RowOrder.drawn(count, Generator().manual_seed(self.seed))
        return Part(order, 0, size), Part(order, size, count)

    def _stratified(self, labels: Tensor) -> tuple[Part, Part]:
        order = torch.randperm(len(labels), generator=Generator().manual_seed(self.seed or 0))
        order = order[labels[order].argsort(stable=True)]  # the classes one after the other
        held = torch.zeros(len(labels), dtype=torch.bool)
        sizes = torch.unique_consecutive(labels[order], return_counts=True)[1].tolist()
        start = done = 0
        for size in sizes:
            start += size
            more = int(start * self.fraction + 0.5) - done  # what is rounded off goes to the next
            held[start - size : start - size + more] = True
            done += more
        if not 0 < done < len(labels):
            raise self._empty(len(labels))
        chosen = [order[each].sort().values for each in (~held, held)]
        first, last = (Part(RowOrder(len(rows), rows), 0, len(rows)) for rows in chosen)
        return first, last

    def _empty(self, count: int) -> RangeError:
        return RangeError(
            "validation_split must be a fraction of the rows between 0 and 1 that leaves some on "
            f"both sides; got {self.fraction!r} of {counted(count, 'row')}."
        )


class Part:
    """Some of the rows of a data set, named by the places of an order; nothing is stored.

    Args:
        order: of all rows.
        first: the first place.
        last: the place behind the last one.
    """

    def __init__(self, order: RowOrder, first: int, last: int) -> None:
        self._order, self._first, self._last = order, first, last

    def __len__(self) -> int:
        return self._last - self._first

    def rows(self, start: int, stop: int) -> Tensor:
        """The rows at consecutive places of the part: int64."""
        return self._order.rows(self._first + start, min(self._first + stop, self._last))

    def at(self, places: Tensor) -> Tensor:
        """The rows at any places of the part: int64."""
        return self._order.at(places + self._first)


def _require_labels(labels: Tensor | None, count: int) -> Tensor:
    if labels is None or labels.shape != (count,) or labels.is_floating_point():
        got = "none" if labels is None else f"{tuple(labels.shape)} of {labels.dtype}"
        raise ShapeError(
            "stratify=True needs targets that are classes: one integer for each row, or a data set "
            f"with an attribute `targets`; got {got}."
        )
    return labels
