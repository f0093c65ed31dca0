"""The batches of several steps, from stacked tensors or a whole data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from graphnet.errors import FeedError
from graphnet.validation import must_be, require_counts

if TYPE_CHECKING:
    from torch import Tensor

Batch = dict[str, "Tensor"]


class Batches:
    """The batches of several steps, each made when it is asked for.

    Args:
        fed: tensors by name, with the same first size.
        size: the rows of a step; None if the first dimension counts the steps.
        order: the indices of the rows, in the order in which they are taken; None for all.

    Attributes:
        fed: the tensors.
        size: the rows of a step.
        order: the indices.

    Raises:
        FeedError: sizes differ, or the batch size or the order is invalid.
    """

    def __init__(self, fed: Mapping[str, Any], size: int | None, order: Any) -> None:
        self.fed: dict[str, Tensor] = dict(fed)
        self.size, self.order = size, order
        count = _first_size(fed)
        if size is None:
            if order is not None:
                raise FeedError("An order picks rows, so it needs a batch_size as well.")
        else:
            require_counts(FeedError, batch_size=size)
            if order is not None:
                _check_order(order, count)
        self._rows = count if order is None else len(order)

    def __len__(self) -> int:
        """The number of steps."""
        return self._rows if self.size is None else -(-self._rows // self.size)

    def __getitem__(self, place: int) -> Batch:
        """The feed of a step."""
        if self.size is None:
            return {name: each[place] for name, each in self.fed.items()}
        rows = slice(place * self.size, (place + 1) * self.size)
        if self.order is None:
            return {name: each[rows] for name, each in self.fed.items()}
        return {name: each.index_select(0, self.order[rows]) for name, each in self.fed.items()}

    @property
    def alike(self) -> int:
        """How many steps, from the first on, have batches of one size."""
        return self._rows if self.size is None else self._rows // self.size


def _first_size(fed: Mapping[str, Any]) -> int:
    """The first size that all tensors must share."""
    for name, each in fed.items():
        if not isinstance(each, torch.Tensor) or not each.ndim:
            raise FeedError(must_be(name, "a tensor of several rows", each))
    sizes = {name: each.shape[0] for name, each in fed.items()}
    if len(set(sizes.values())) != 1:
        raise FeedError(f"All tensors must have the same first size; got {sizes}.")
    return int(next(iter(sizes.values())))


def _check_order(order: Any, count: int) -> None:
    """Refuse an order that does not name rows."""
    if not isinstance(order, torch.Tensor) or order.dtype is not torch.int64 or order.ndim != 1:
        raise FeedError("order must be a vector of integers, int64, one for each row taken.")
    if order.numel() and not 0 <= int(order.min()) <= int(order.max()) < count:
        raise FeedError(f"order must name rows from 0 to {count - 1} only.")
