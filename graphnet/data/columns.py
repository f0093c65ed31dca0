"""Data whose columns have names: frames, tables in files, and data sets whose rows are dicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graphnet.data.arrays import as_tensor
from graphnet.errors import DtypeError, FeedError, GraphError, LoadError, RangeError
from graphnet.validation import must_be

Names = str | Sequence[str]
"""The name of a column, or several."""


@dataclass(frozen=True)
class Columns:
    """A data set or loader whose rows or batches are dicts, and which of their entries are used.

    Attributes:
        source: what gives the dicts.
        inputs: the names of the inputs.
        targets: the names of the targets; empty if the inputs are the targets.
    """

    source: Any
    inputs: tuple[str, ...]
    targets: tuple[str, ...]

    def chosen(self, batch: Any) -> Any:
        """The pair (inputs, targets) of a batch.

        Raises:
            FeedError: it is no dict, or has no such entry.
            DtypeError: the entry holds texts.
        """
        if not isinstance(batch, Mapping):
            raise FeedError(
                "gn.data.columns chooses from rows or batches that are dicts; got "
                f"{type(batch).__name__}. Pass the data without it, if they are pairs."
            )
        _require_names((*self.inputs, *self.targets), list(batch), "A row")
        inputs = tuple(_no_texts(batch[name], name) for name in self.inputs)
        return inputs, tuple(_no_texts(batch[name], name) for name in self.targets) or None


def columns(
    source: Any,
    inputs: Names,
    targets: Names | None = None,
    *,
    classes: Sequence[str] | None = None,
) -> Any:
    """Data for `fit`, `evaluate` or `predict` from columns with names.

    The columns of a frame or file are read into memory: those of `inputs` together as a matrix of
    torch's default dtype (rows, columns); those of `targets` as another one, or as a vector if
    `targets` is one name, of int64 if the column holds integers or texts.

    Args:
        source: a frame of pandas or polars; the path of a file in the formats CSV or Parquet, which
            polars reads (extra `tables`); or a data set, loader or iterable whose rows or batches
            are dicts, such as those of Hugging Face: then each name is one input or target.
        inputs: names of columns.
        targets: the same; None if there are none, or to learn the inputs.
        classes: what the texts of a single target mean: the first is class 0. None for the texts
            of the column in alphabetical order.

    Returns:
        The pair (inputs, targets) of tensors; for dicts an object that `fit` takes.

    Raises:
        FeedError: there is no such column.
        DtypeError: a column holds no numbers, or has missing values.
        RangeError: a text is none of the classes.
        LoadError: the file cannot be read.
        GraphError: the source has no columns with names, or polars is not installed.

    >>> class Frame(dict):
    ...     columns = property(list)
    >>> import numpy
    >>> frame = Frame(a=numpy.array([1.0, 2.0]), b=numpy.array([3, 4]), kind=numpy.array([1, 0]))
    >>> columns(frame, ["a", "b"], "kind")
    (tensor([[1., 3.],
             [2., 4.]]), tensor([1, 0]))
    """
    if isinstance(source, str | PathLike):
        source = _read(Path(source), (*_names(inputs), *_names(targets)))
    if hasattr(source, "columns"):
        return _of_frame(source, inputs, targets, classes)
    iterable = hasattr(source, "__iter__") or hasattr(source, "__getitem__") or callable(source)
    if not iterable or isinstance(source, Tensor | Mapping | Sequence):
        rule = "a frame, the path of a .csv or .parquet file, or a data set of dicts"
        raise GraphError(must_be("the source of columns", rule, source))
    if classes is not None:
        raise GraphError("classes are for the texts of frames and files; give dicts with numbers.")
    return Columns(source, _names(inputs), _names(targets))


def _names(given: Names | None) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(given or ())
    if not all(isinstance(each, str) for each in names):
        raise GraphError(must_be("the names of columns", "a text or a list of texts", given))
    return names


def _no_texts(values: Any, name: str) -> Any:
    if isinstance(values, str) or (isinstance(values, list | tuple) and isinstance(values[0], str)):
        raise DtypeError(
            f"Column {name!r} holds texts; inputs and targets are numbers: map them in the data "
            "set, for instance to classes."
        )
    return values


def _require_names(names: Sequence[str], known: Sequence[Any], what: str) -> None:
    """Refuse names that are not known."""
    missing = [name for name in names if name not in known]
    if missing:
        listed = ", ".join(map(repr, known[:20])) + (", ..." if len(known) > 20 else "")
        raise FeedError(f"{what} has no column {missing[0]!r}; it has {listed}.")


def _of_frame(frame: Any, inputs: Names, targets: Names | None, classes: Any) -> Any:
    """The matrix of some columns, and the matrix or vector of others."""
    _require_names((*_names(inputs), *_names(targets)), list(frame.columns), "The table")
    if not _names(inputs):
        raise GraphError("columns needs the name of one input at least.")
    x = _matrix(frame, _names(inputs))
    if targets is None:
        return x, None
    if not isinstance(targets, str):
        return x, _matrix(frame, _names(targets))
    return x, _targets(frame[targets], targets, classes)


def _matrix(frame: Any, names: Sequence[str]) -> Tensor:
    parts = [_numbers(frame[name], name).to(torch.get_default_dtype()) for name in names]
    return torch.stack(parts, 1)


def _numbers(column: Any, name: str) -> Tensor:
    """A column of numbers."""
    if _holds_texts(column):
        raise DtypeError(
            f"Column {name!r} holds texts, which only a single target may: they are its classes. "
            "Inputs are numbers, such as 0 and 1 in a column for each category."
        )
    tensor = as_tensor(column, f"Column {name!r}")
    if tensor is None or tensor.ndim != 1:
        raise DtypeError(f"Column {name!r} must hold one number in each row.")
    return tensor


def _targets(column: Any, name: str, classes: Sequence[str] | None) -> Tensor:
    """A column as targets: texts become their places among the classes."""
    if classes is None and not _holds_texts(column):
        return _numbers(column, name)
    texts = [*column]
    if not all(isinstance(text, str) for text in texts):
        wrong = next(text for text in texts if not isinstance(text, str))
        raise DtypeError(f"Column {name!r} must hold a text in each row; got {wrong!r}.")
    known = {text: place for place, text in enumerate(classes or sorted(set(texts)))}
    unknown = next((text for text in texts if text not in known), None)
    if unknown is not None:
        raise RangeError(f"Column {name!r} has {unknown!r}, which is none of {list(known)}.")
    return torch.tensor([known[text] for text in texts])


def _holds_texts(column: Any) -> bool:
    return isinstance(next(iter(column), None), str)


def _read(path: Path, names: Sequence[str]) -> Any:
    """Some columns of a file, by polars."""
    try:
        import polars
    except ImportError as error:
        raise GraphError(
            "polars, which reads tables, is not installed: pip install 'graphnet[tables]'. "
            "A frame of pandas can be passed instead of the path."
        ) from error
    scans = {".csv": polars.scan_csv, ".parquet": polars.scan_parquet}
    if path.suffix.lower() not in scans:
        raise GraphError(must_be("a table", "a file that ends in .csv or .parquet", str(path)))
    try:
        table = scans[path.suffix.lower()](path)
        _require_names(names, table.collect_schema().names(), str(path))
        return table.select(list(dict.fromkeys(names))).collect()
    except (OSError, polars.exceptions.PolarsError) as error:
        raise LoadError(f"{path} cannot be read as a table: {error}") from None
