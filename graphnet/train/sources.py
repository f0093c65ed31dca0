"""What gives the rows of a training run: tensors, a data set of items, or a stream of batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from graphnet.data.arrays import as_tensor
from graphnet.data.columns import Columns
from graphnet.errors import FeedError, GraphError
from graphnet.layers import Module
from graphnet.train.dataset import DataSet, Transform
from graphnet.train.items import Items, as_item, collated
from graphnet.train.streams import Stream
from graphnet.validation import must_be, require_integer

Source = DataSet | Items | Stream
"""Data in one of the three forms."""

_FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType, partial)


def source_of(
    data: Any,
    name: str = "data",
    *,
    batch_size: int = 1000,
    drop_last: bool = False,
    transform: Transform | None = None,
    workers: int = 0,
) -> Source:
    """The form of some data.

    Args:
        data: see `fit`.
        name: its name in messages.
        batch_size: rows in a batch of an `IterableDataset`.
        drop_last: True to leave out its last batch if it is not full.
        transform: changes the inputs of each batch.
        workers: processes that read a data set of items.

    Raises:
        FeedError: it is none of the forms.
        RangeError: `workers` is not an integer of 0 or more.
        GraphError: the data have batches or workers of their own, and others are asked for.
    """
    require_integer("workers", workers, 0)
    if transform is not None and not callable(transform):
        rule = "a function of the inputs of a batch, such as lambda x: x.float() / 255, or None"
        raise GraphError(must_be("transform", rule, transform))
    inner = data.source if isinstance(data, Columns) else data
    if isinstance(inner, str | PathLike):
        raise FeedError(_instead_of(Path(inner), name))
    in_memory = isinstance(inner, Tensor | Sequence | Mapping | Module)  # the last is refused there
    if in_memory or as_tensor(inner, name) is not None:
        _refuse_workers(workers, f"{name} is in memory, so there is nothing that workers could do")
        return DataSet(data, name, transform)
    if isinstance(inner, IterableDataset):
        return _of_rows(data, inner, name, batch_size, drop_last, transform, workers)
    if isinstance(inner, DataLoader):
        _refuse_workers(workers, f"{name} is a DataLoader: give it num_workers={workers}")
        _refuse_drop(drop_last, name, "a DataLoader: give it drop_last=True")
        return Stream(data, name, transform, _with_state(inner))
    if hasattr(inner, "__getitem__") and hasattr(inner, "__len__"):
        return Items(data, name, transform, workers)
    if hasattr(inner, "__iter__") and hasattr(inner, "column_names"):  # of Hugging Face
        return _of_rows(data, inner, name, batch_size, drop_last, transform, workers)
    if hasattr(inner, "__iter__") or isinstance(inner, _FUNCTIONS):
        _refuse_workers(workers, f"{name} gives batches that workers cannot divide among them")
        _refuse_drop(drop_last, name, "an iterable of batches, which decides on its last one")
        return Stream(data, name, transform, _with_state(inner))
    return DataSet(data, name)  # which says what data are


def _of_rows(
    data: Any,
    inner: Any,
    name: str,
    batch_size: int,
    drop_last: bool,
    transform: Transform | None,
    workers: int,
) -> Stream:
    """A stream of the batches of an iterable of rows."""
    loader: Any = DataLoader(
        inner if isinstance(inner, IterableDataset) else _Rows(inner),
        batch_size=batch_size,
        drop_last=drop_last,
        num_workers=workers,
        collate_fn=partial(_together, name=name),
    )
    state = None if workers else _with_state(inner)
    given = replace(data, source=loader) if isinstance(data, Columns) else loader
    return Stream(given, name, transform, state)


class _Rows(IterableDataset[Any]):
    """An iterable of rows that is no data set of torch."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Any]:
        return iter(self._source)


def _together(rows: Sequence[Any], name: str) -> Any:
    return collated([as_item(row, name) for row in rows], range(len(rows)), name)


def _with_state(source: Any) -> Any:
    """The source, if it tells where its iteration is; else None."""
    known = hasattr(source, "state_dict") and hasattr(source, "load_state_dict")
    return source if known else None


def _refuse_workers(workers: int, reason: str) -> None:
    if workers:
        raise GraphError(f"workers={workers} is for data sets of items; {reason}.")


def _refuse_drop(drop_last: bool, name: str, reason: str) -> None:
    if drop_last:
        raise GraphError(f"drop_last=True is for data that have rows; {name} is {reason}.")


def _instead_of(path: Path, name: str) -> str:
    """What to write instead of a path."""
    ways = {
        ".npy": 'numpy.load(path, mmap_mode="r") for inputs and targets, which stay in the file',
        ".safetensors": 'safetensors.safe_open(path, "pt").get_tensor(name), which stays in it',
        ".csv": "gn.data.columns(path, inputs=[...], targets=...), which names the columns",
    }
    ways[".parquet"] = ways[".csv"]
    folder = "gn.data.ImageFolder(path) for a folder with pictures of each class"
    return f"{name} is not a path; got {str(path)!r}. Pass {ways.get(path.suffix.lower(), folder)}."
