"""Inputs and targets with one row for each example, and batches of their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from graphnet.errors import FeedError, ShapeError

if TYPE_CHECKING:
    from torch import device


class Batch(NamedTuple):
    """Some rows of inputs and targets.

    Attributes:
        inputs: tensors of one first size.
        targets: tensors of the same first size.
    """

    inputs: tuple[Tensor, ...]
    targets: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.inputs[0])


class DataSet:
    """Tensors with one row for each example.

    Args:
        data: the pair (inputs, targets), each of them a tensor or a tuple of tensors.
        name: what it is called in messages.

    Raises:
        FeedError: it is not such a pair.
        ShapeError: the numbers of rows differ, or there are none.
    """

    def __init__(self, data: Any, name: str = "data") -> None:
        if not isinstance(data, Sequence) or len(data) != 2:
            raise FeedError(
                f"{name} is the pair (inputs, targets), each a tensor or a tuple of tensors; "
                f"{described(data)} came."
            )
        self.inputs, self.targets = (_tensors(each, name) for each in data)
        sizes = [len(each) for each in (*self.inputs, *self.targets)]
        if len(set(sizes)) != 1 or not sizes[0]:
            raise ShapeError(
                f"All tensors of {name} have the same number of rows, 1 or more; {sizes} came."
            )

    def __len__(self) -> int:
        return len(self.inputs[0])

    def rows(self, rows: Tensor | slice, to: device) -> Batch:
        """Some rows, on a device."""
        take = (
            (lambda each: each[rows])
            if isinstance(rows, slice)
            else (lambda each: each.index_select(0, rows.to(each.device)))
        )
        taken = [
            tuple(part if part.device == to else part.to(to) for part in map(take, tensors))
            for tensors in (self.inputs, self.targets)
        ]
        return Batch(*taken)

    def batches(self, size: int, to: device) -> Iterator[Batch]:
        """All rows in their order."""
        for start in range(0, len(self), size):
            yield self.rows(slice(start, start + size), to)


def _tensors(given: Any, name: str) -> tuple[Tensor, ...]:
    tensors = (given,) if isinstance(given, Tensor) else given
    if not isinstance(tensors, Sequence) or not tensors:
        raise FeedError(
            f"{name} holds tensors or tuples of tensors; {described(given)} came as inputs or "
            "targets. torch.as_tensor makes a tensor of an array or of a list of numbers."
        )
    for each in tensors:
        if not isinstance(each, Tensor) or not each.ndim:
            raise FeedError(
                f"{name} holds tensors with rows; {described(each)} came. torch.as_tensor makes a "
                "tensor of an array or of a list of numbers."
            )
    return tuple(tensors)


def described(value: Any) -> str:
    """What came, in a few words."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of the shape {tuple(value.shape)}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"
