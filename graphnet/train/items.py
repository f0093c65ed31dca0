"""Data sets that give one example at a time, such as those of torch and Hugging Face."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader, Dataset, default_collate, get_worker_info

from graphnet.data.arrays import as_tensor
from graphnet.data.columns import Columns
from graphnet.data.order import ALL
from graphnet.errors import FeedError, ShapeError
from graphnet.train.dataset import Batch, DataSet, Transform, described
from graphnet.train.digests import digest_of
from graphnet.train.random_states import seed_everything
from graphnet.train.workers import end_workers, iterated

if TYPE_CHECKING:
    from torch import device

    from graphnet.data.order import RowOrder, Share
    from graphnet.data.splits import Part, Split

_MOST = 2**63


class Items:
    """A data set with a length, whose items are the pair (inputs, targets) of one example.

    Args:
        source: has `__len__` and `__getitem__`, or `__getitems__` for several at once.
        name: its name in messages.
        transform: changes the inputs of each batch.
        workers: processes that read items ahead; 0 reads them when they are needed.
        part: which items are used; None for all.

    Raises:
        ShapeError: there are no items.
    """

    is_plain = False

    def __init__(
        self,
        source: Any,
        name: str = "data",
        transform: Transform | None = None,
        workers: int = 0,
        part: Part | None = None,
    ) -> None:
        self._columns = source if isinstance(source, Columns) else None
        self.source = self._columns.source if self._columns else source
        self.name, self.transform, self.workers, self.part = name, transform, workers, part
        if not len(self):
            raise ShapeError(f"{name} has no rows.")

    def __len__(self) -> int:
        return len(self.source) if self.part is None else len(self.part)

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self)

    @property
    def is_ahead(self) -> bool:
        """True if a thread may read ahead: random numbers are drawn by the workers only."""
        return self.workers > 0

    def digest(self) -> str:
        """What distinguishes these data from others, as far as it is known without reading them."""
        known = getattr(self.source, "fingerprint", None) or getattr(self.source, "_fingerprint", 0)
        some = () if self.part is None else tuple(self.part.rows(0, 1000).tolist())
        names = (self._columns.inputs, self._columns.targets) if self._columns else ()
        return digest_of((type(self.source).__name__, len(self.source), str(known), some, names))

    def example(self, rows: int) -> Batch:
        """The first rows, for their shapes and dtypes."""
        return self.rows(slice(0, rows), torch.device("cpu"))

    def rows(self, rows: slice, to: device) -> Batch:
        """Some rows in their order, on a device."""
        places = torch.arange(rows.start, min(rows.stop, len(self)))
        return self._batch(self.fetched(places), to)

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

        Args:
            order: of all rows.
            size: the rows of a batch.
            start: the first place.
            stop: the place behind the last one.
            to: the device of the batches.
            seed: what workers draw their random numbers from, anew for each batch.
            share: of several processes, which rows of each batch are read.
        """
        reader = _Reader(self, order, size, start, stop, seed, share)
        if not self.workers:
            raw: Any = (reader[number] for number in range(len(reader)))
        else:
            loader: Any = DataLoader(
                reader,
                batch_size=None,
                num_workers=self.workers,
                collate_fn=_same,
                generator=Generator(),  # the draw of a base seed leaves torch's own alone
            )
            raw = iterated(loader)
        return self._made(raw, to)

    def _made(self, raw: Iterator[Any], to: device) -> Iterator[Batch]:
        """The batches on a device; an error in one ends the workers too."""
        try:
            for each in raw:
                yield self._batch(each, to)
        finally:
            end_workers(raw)

    def fetched(self, places: Tensor) -> Any:
        """The items at some places, as one batch of nested tensors."""
        rows = (places if self.part is None else self.part.at(places)).tolist()
        several = getattr(self.source, "__getitems__", None)
        items = [self.source[row] for row in rows] if several is None else several(rows)
        return collated([as_item(each, self.name) for each in items], rows, self.name)

    def _batch(self, raw: Any, to: device) -> Batch:
        return batch_of(raw, f"an item of {self.name}", self._columns, self.transform, to)

    def split(self, split: Split) -> tuple[Items, Items]:
        """The items to learn from, and those to measure.

        Raises:
            RangeError: one of them has no items.
            ShapeError: they are to be stratified, and there is no attribute `targets` of classes.
        """
        labels = getattr(self.source, "targets", None) if split.stratify else None
        labels = None if labels is None else torch.as_tensor(labels)
        given = self._columns or self.source
        first, last = (
            Items(given, self.name, self.transform, self.workers, part)
            for part in split.of(len(self), labels)
        )
        return first, last


class _Reader(Dataset[Any]):
    """The batches of an epoch by their numbers: what a worker reads."""

    def __init__(
        self,
        items: Items,
        order: RowOrder,
        size: int,
        start: int,
        stop: int,
        seed: int,
        share: Share,
    ) -> None:
        self._items, self._order, self._size, self._share = items, order, size, share
        self._start, self._stop, self._seed = start, stop, seed

    def __len__(self) -> int:
        return len(range(self._start, self._stop, self._size))

    def __getitem__(self, number: int) -> Any:
        """A batch; in a worker its random numbers depend on its place only, whoever reads it."""
        first = self._start + number * self._size
        if get_worker_info() is not None:
            seed_everything((self._seed + first) % _MOST)
        last = min(first + self._size, self._stop)
        return self._items.fetched(self._order.share(first, last, self._share))


def _same(batch: Any) -> Any:
    return batch


def batch_of(
    raw: Any, name: str, columns: Columns | None, transform: Transform | None, to: device
) -> Batch:
    """A batch of tensors from what a loader gives.

    Raises:
        FeedError: it is not the pair (inputs, targets), or a dict without `gn.data.columns`.
        ShapeError: the numbers of rows differ.
    """
    if columns is not None:
        raw = columns.chosen(raw)
    elif isinstance(raw, Mapping):
        names = [*map(str, raw), "?", "?"]
        raise FeedError(
            f"{name} is a dict of {', '.join(map(repr, names[:-2]))}: gn.data.columns(data, "
            f"inputs={names[0]!r}, targets={names[1]!r}) says what is what."
        )
    data = DataSet(raw, name)
    batch = Batch(data.inputs, data.targets).transformed(transform)
    return batch.map(lambda each: each.to(to))


def as_item(value: Any, name: str) -> Any:
    """An item whose numbers, arrays and pictures are tensors.

    A list of numbers is a vector; Python's floating-point numbers have torch's default dtype.

    Raises:
        FeedError: there is something else in it, such as a text.
        DtypeError: an array holds no numbers.
    """
    if isinstance(value, Mapping):  # a text may be an entry that is not chosen
        pairs = value.items()
        return {key: each if isinstance(each, str) else as_item(each, name) for key, each in pairs}
    if isinstance(value, list) and _is_numbers(value):
        return torch.tensor(value)
    if isinstance(value, tuple | list):
        return tuple(as_item(each, name) for each in value if each is not None)
    if isinstance(value, bool | int | float):
        return torch.tensor(value)
    tensor = as_tensor(value, name)
    if tensor is None:
        raise FeedError(
            f"An item of {name} is the pair (inputs, targets) of tensors, arrays, numbers or "
            f"pictures; it holds {described(value)}. Map texts to numbers in the data set."
        )
    return tensor


def _is_numbers(values: Any) -> bool:
    """True for a number, and for nested lists of numbers."""
    if isinstance(values, list):
        return bool(values) and all(map(_is_numbers, values))
    return isinstance(values, bool | int | float)


def collated(items: Sequence[Any], rows: Sequence[int], name: str) -> Any:
    """Items as one batch.

    Raises:
        ShapeError: they have different shapes.
        FeedError: they have different forms.
    """
    try:
        return default_collate([*items])
    except (RuntimeError, TypeError, KeyError, ValueError) as error:
        forms = [_form(each) for each in items]
        other = next((place for place, form in enumerate(forms) if form != forms[0]), None)
        if other is None:
            raise FeedError(f"The items of {name} cannot be put together: {error}") from None
        raise ShapeError(
            f"All items of {name} need the same shapes: item {rows[0]} has {forms[0]}, item "
            f"{rows[other]} has {forms[other]}. Crop, pad or resize them in the data set (`size` "
            "of gn.data.ImageFolder), or pass a DataLoader with a collate_fn."
        ) from None


def _form(item: Any) -> str:
    """The shapes of an item, in words."""
    if isinstance(item, Mapping):
        return "{" + ", ".join(f"{name!r}: {_form(each)}" for name, each in item.items()) + "}"
    if isinstance(item, tuple | list):
        return "(" + ", ".join(map(_form, item)) + ")"
    return str(tuple(item.shape)) if isinstance(item, Tensor) else type(item).__name__
