"""Inputs and targets with one row for each example, and batches of their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from graphnet.errors import FeedError, RangeError, ShapeError, counted
from graphnet.validation import require_numbers

if TYPE_CHECKING:
    from torch import device

Tensors = tuple[Tensor, ...]


class Batch(NamedTuple):
    """Some rows of inputs and targets.

    Attributes:
        inputs: tensors with the same first size.
        targets: tensors of the same first size.
        counts: how much the batch counts in each term of the loss; see `means`.
        whole: the same for the rows of all processes; empty if this one has all.
    """

    inputs: Tensors
    targets: Tensors
    counts: tuple[float, ...] = ()
    whole: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.inputs[0])


class DataSet:
    """Tensors with one row for each example.

    Args:
        data: the pair (inputs, targets), each of them a tensor or a tuple of tensors. If the
            targets are omitted, as in a single tensor, (inputs,) or (inputs, None), they are the
            inputs, which trains an autoencoder.
        name: its name in messages.

    Raises:
        FeedError: it is not such a pair, or a tensor is sparse.
        ShapeError: the numbers of rows differ, or there are none.
    """

    def __init__(self, data: Any, name: str = "data") -> None:
        pair: Any = (data,) if isinstance(data, Tensor) else data
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) not in (1, 2):
            raise FeedError(
                f"{name} must be the pair (inputs, targets), each a tensor or a tuple of tensors; "
                f"got {described(data)}."
            )
        self.inputs = _tensors(pair[0], name)
        left_out = len(pair) == 1 or pair[1] is None
        self.targets = self.inputs if left_out else _tensors(pair[1], name)
        sizes = [len(each) for each in (*self.inputs, *self.targets)]
        if len(set(sizes)) != 1 or not sizes[0]:
            raise ShapeError(
                f"All tensors of {name} have the same number of rows, 1 or more; got {sizes}."
            )

    def __len__(self) -> int:
        return len(self.inputs[0])

    @property
    def tensors(self) -> Tensors:
        """All inputs and targets; a tensor that is both occurs once."""
        return self.inputs if self.targets is self.inputs else (*self.inputs, *self.targets)

    def rows(self, rows: Tensor | slice, to: device) -> Batch:
        """Some rows, on a device."""
        return Batch(*self._map(lambda each: _taken(each, rows).to(to)))

    def _map(self, function: Callable[[Tensor], Tensor]) -> tuple[Tensors, Tensors]:
        """Inputs and targets, each changed by a function; what is both is changed once."""
        inputs = tuple(map(function, self.inputs))
        return inputs, inputs if self.targets is self.inputs else tuple(map(function, self.targets))

    def split(self, fraction: float) -> tuple[DataSet, DataSet]:
        """The first rows, and the last fraction of them, as two data sets.

        Raises:
            RangeError: one of them has no rows.

        >>> import torch
        >>> first, last = DataSet(torch.arange(10.0)).split(0.3)
        >>> last.inputs
        (tensor([7., 8., 9.]),)
        """
        require_numbers(validation_split=fraction)
        # 100 rows less 31 % are 69, and 100 * (1 - 0.31) is slightly less
        size = int(len(self) * (1 - fraction) + 1e-9) if 0 < fraction < 1 else 0
        if not 0 < size < len(self):
            raise RangeError(
                "validation_split must be a fraction of the rows between 0 and 1 that leaves some "
                f"on both sides; got {fraction!r} of {counted(len(self), 'row')}."
            )
        return self._part(slice(size)), self._part(slice(size, None))

    def _part(self, rows: slice) -> DataSet:
        inputs, targets = self._map(lambda each: each[rows])
        return DataSet((inputs, None if targets is inputs else targets))


def _tensors(given: Any, name: str) -> Tensors:
    tensors = (given,) if isinstance(given, Tensor) else given
    if not isinstance(tensors, Sequence) or not tensors:
        raise FeedError(
            f"{name} holds tensors or tuples of tensors; got {described(given)} as inputs or "
            "targets. torch.as_tensor makes a tensor of an array or of a list of numbers."
        )
    for each in tensors:
        if not isinstance(each, Tensor) or not each.ndim:
            raise FeedError(
                f"{name} holds tensors with rows; got {described(each)}. torch.as_tensor makes a "
                "tensor of an array or of a list of numbers."
            )
        if each.layout != torch.strided or each.is_nested:
            layout = "nested" if each.is_nested else str(each.layout).removeprefix("torch.")
            raise FeedError(
                f"{name} holds tensors whose rows can be indexed; got one with the layout {layout}."
                " `each.to_dense()` converts a sparse one."
            )
    return tuple(tensors)


def _taken(tensor: Tensor, rows: Tensor | slice) -> Tensor:
    if isinstance(rows, slice):
        return tensor[rows]
    return tensor.index_select(0, rows.to(tensor.device))


def described(value: Any) -> str:
    """A few words for a given value."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of the shape {tuple(value.shape)}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"a {type(value).__name__} of {len(value)}"
    return type(value).__name__
