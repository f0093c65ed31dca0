"""Inputs and targets with one row for each example, and batches of their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from graphnet.data.arrays import as_tensor, is_mapped
from graphnet.data.order import ALL
from graphnet.errors import FeedError, ShapeError
from graphnet.train.digests import digest_of_tensors

if TYPE_CHECKING:
    from torch import device

    from graphnet.data.order import RowOrder, Share
    from graphnet.data.splits import Part, Split

Tensors = tuple[Tensor, ...]
Transform = Callable[[Any], Any]
"""A function of the inputs of a batch, a tensor or a tuple of them, that returns other inputs."""


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

    def map(self, function: Callable[[Tensor], Tensor]) -> Batch:
        """Inputs and targets, each changed by a function; what is both is changed once."""
        inputs = tuple(map(function, self.inputs))
        same = self.targets is self.inputs
        return Batch(inputs, inputs if same else tuple(map(function, self.targets)), self.counts)

    def transformed(self, transform: Transform | None) -> Batch:
        """The batch with other inputs; without targets of its own, these are the targets too."""
        if transform is None:
            return self
        inputs = tensors_of(transform(single(self.inputs)), "what transform returns")
        return Batch(inputs, inputs if self.targets is self.inputs else self.targets)


class DataSet:
    """Tensors or arrays with one row for each example.

    Args:
        data: the pair (inputs, targets), each of them a tensor or what `data.arrays` converts, or a
            tuple of these. If the targets are omitted, as in a single tensor, (inputs,) or
            (inputs, None), they are the inputs, which trains an autoencoder.
        name: its name in messages.
        transform: changes the inputs of each batch.
        part: which rows are used; None for all.

    Attributes:
        inputs: all inputs, before `transform`.
        targets: all targets.
        is_mapped: True if some of them stay in a file until they are read.

    Raises:
        FeedError: it is not such a pair, or a tensor is sparse.
        ShapeError: the numbers of rows differ, or there are none.
        DtypeError: an array or a column holds no numbers.
    """

    def __init__(
        self,
        data: Any,
        name: str = "data",
        transform: Transform | None = None,
        part: Part | None = None,
    ) -> None:
        alone = as_tensor(data, name)
        pair: Any = data if alone is None else (alone,)
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) not in (1, 2):
            raise FeedError(
                f"{name} must be the pair (inputs, targets), each a tensor or a tuple of tensors; "
                f"got {described(data)}."
            )
        self.inputs = tensors_of(pair[0], name)
        left_out = len(pair) == 1 or pair[1] is None
        self.targets = self.inputs if left_out else tensors_of(pair[1], name)
        self.name, self.transform, self.part = name, transform, part
        self.is_mapped = any(map(is_mapped, _flat(data)))
        sizes = [len(each) for each in (*self.inputs, *self.targets)]
        if len(set(sizes)) != 1 or not sizes[0]:
            raise ShapeError(
                f"All tensors of {name} have the same number of rows, 1 or more; got {sizes}."
            )

    def __len__(self) -> int:
        return len(self.inputs[0]) if self.part is None else len(self.part)

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self)

    @property
    def is_ahead(self) -> bool:
        """True if a thread may read ahead: no random number is drawn, and a file is slow."""
        return self.is_mapped

    @property
    def is_plain(self) -> bool:
        """True if the rows are used as they are in memory: nothing has to be waited for."""
        return not self.is_mapped and self.transform is None and self.part is None

    @property
    def tensors(self) -> Tensors:
        """All inputs and targets; a tensor that is both occurs once."""
        return self.inputs if self.targets is self.inputs else (*self.inputs, *self.targets)

    def digest(self) -> str:
        """What distinguishes these data from others."""
        some = () if self.part is None else (self.part.rows(0, 1000),)
        return digest_of_tensors([*self.tensors, *some])

    def example(self, rows: int) -> Batch:
        """Some rows at least, for their shapes and dtypes; all if none has to be copied."""
        if self.is_plain:
            return Batch(self.inputs, self.targets)
        return self.rows(slice(0, rows), self.inputs[0].device)

    def rows(self, rows: Tensor | slice, to: device) -> Batch:
        """Some rows, on a device."""
        part = self.part
        if part is not None and isinstance(rows, slice):
            rows = part.rows(rows.start, min(rows.stop, len(part)))
        elif part is not None:
            rows = part.at(rows)  # type: ignore[arg-type]  # no slice here
        taken = Batch(self.inputs, self.targets).map(lambda each: _taken(each, rows))
        return taken.transformed(self.transform).map(lambda each: each.to(to))

    def batches(
        self,
        order: RowOrder,
        size: int,
        start: int,
        stop: int,
        to: device,
        seed: int = 0,
        share: Share = ALL,
    ) -> Iterator[Batch]:
        """The batches of the rows at the places from `start` to `stop` of an order.

        Of several processes each has its rows of every batch: see `RowOrder.share`.
        """
        del seed  # nothing is random here
        for first in range(start, stop, size):
            yield self.rows(order.share(first, min(first + size, stop), share), to)

    def split(self, split: Split) -> tuple[DataSet, DataSet]:
        """The rows to learn from, and those to measure, as two data sets.

        Raises:
            RangeError: one of them has no rows.
            ShapeError: the rows are stratified by targets that are no classes.

        >>> import torch
        >>> from graphnet.data import Split
        >>> first, last = DataSet(torch.arange(10.0)).split(Split(0.3))
        >>> last.inputs
        (tensor([7., 8., 9.]),)
        """
        labels = self.targets[0] if len(self.targets) == 1 else None
        first, last = (self._part(part, split) for part in split.of(len(self), labels))
        return first, last

    def _part(self, part: Part, split: Split) -> DataSet:
        """Some of the rows: a view if they are consecutive, a copy if they are in memory."""
        whole = Batch(self.inputs, self.targets)
        chosen: Tensor | slice = slice(None)
        if split.seed is None:
            chosen = slice(int(part.rows(0, 1)), int(part.rows(0, 1)) + len(part))
        elif not self.is_mapped:
            chosen = part.rows(0, len(part))
        given = whole.map(lambda each: _taken(each, chosen))
        pair = given.inputs, None if given.targets is given.inputs else given.targets
        left = part if self.is_mapped and split.seed is not None else None
        made = DataSet(pair, self.name, self.transform, left)
        made.is_mapped = self.is_mapped
        return made


def _flat(values: Any) -> Iterator[Any]:
    """The entries of nested tuples and lists."""
    if isinstance(values, tuple | list):
        for each in values:
            yield from _flat(each)
    else:
        yield values


def tensors_of(given: Any, name: str) -> Tensors:
    """Inputs or targets as a tuple of tensors with rows.

    Raises:
        FeedError: they are something else, or a tensor is sparse.
        DtypeError: an array or a column holds no numbers.
    """
    alone = as_tensor(given, name)
    tensors = given if alone is None else (alone,)
    if not isinstance(tensors, Sequence) or isinstance(tensors, str) or not tensors:
        raise FeedError(
            f"{name} holds tensors or tuples of tensors; got {described(given)} as inputs or "
            "targets. torch.as_tensor makes a tensor of a list of numbers."
        )
    for each in tensors if isinstance(given, list) else ():
        if isinstance(each, list | int | float):
            raise FeedError(
                f"{name} holds tensors with rows; got a list of {len(given):,} rows as inputs or "
                "targets. torch.tensor(rows) makes a tensor of them."
            )
    return tuple(_with_rows(each, name) for each in tensors)


def _with_rows(given: Any, name: str) -> Tensor:
    tensor = as_tensor(given, name)
    if tensor is None or not tensor.ndim:
        raise FeedError(
            f"{name} holds tensors with rows; got {described(given)}. torch.as_tensor makes a "
            "tensor of a list of numbers."
        )
    if tensor.layout != torch.strided or tensor.is_nested:
        layout = "nested" if tensor.is_nested else str(tensor.layout).removeprefix("torch.")
        raise FeedError(
            f"{name} holds tensors whose rows can be indexed; got one with the layout {layout}."
            " `each.to_dense()` converts a sparse one."
        )
    return tensor


def _taken(tensor: Tensor, rows: Tensor | slice) -> Tensor:
    if isinstance(rows, slice):
        return tensor[rows]
    return tensor.index_select(0, rows.to(tensor.device))


def single(tensors: Sequence[Tensor]) -> Any:
    """The only tensor, or a tuple of several."""
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


def described(value: Any) -> str:
    """A few words for a given value."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of the shape {tuple(value.shape)}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"a {type(value).__name__} of {len(value)}"
    return type(value).__name__
