"""Data to train on, and batches of it."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi, sqrt

import torch
from torch import Generator, Tensor

from graphnet.errors import DtypeError, RangeError, ShapeError

CENTER = 0.5
RADIUS = 1 / sqrt(2 * pi)
"""The disk covers half of the unit square: π RADIUS² = 1/2."""


def disk(n: int, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
    """n points in the unit square, and whether each lies in a disk that covers half of it.

    The points are uniform in [0, 1]²; the label is 1 inside the disk of radius 1/√(2π) around
    (0.5, 0.5), else 0.

    Returns:
        points: (n, 2) of float32.
        labels: (n,) of int64.

    Raises:
        RangeError: n is less than 1.

    >>> points, labels = disk(1000)
    >>> points.shape, labels.shape
    (torch.Size([1000, 2]), torch.Size([1000]))
    """
    _require_count(n=n)
    points = torch.rand(n, 2, generator=generator, dtype=torch.float32)
    inside = (points - CENTER).square().sum(1) < RADIUS**2
    return points, inside.long()


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Labels as rows of zeros with a 1 in the column of the class.

    Shapes: (n,) of int64 -> (n, classes) of torch's default type.

    Raises:
        RangeError: a label is below 0, or not below `classes`.
        ShapeError: the labels are not in one row.
        DtypeError: the labels are not whole numbers.

    >>> one_hot(torch.tensor([0, 2]), 3)
    tensor([[1., 0., 0.],
            [0., 0., 1.]])
    """
    if labels.ndim != 1:
        raise ShapeError(f"Labels have the shape (n,); {tuple(labels.shape)} came.")
    if labels.dtype not in (torch.int64, torch.int32, torch.uint8):
        raise DtypeError(f"Labels are whole numbers, such as int64; {labels.dtype} came.")
    if labels.numel():
        low, high = (int(end) for end in labels.aminmax())
        if low < 0 or high >= classes:
            wrong = low if low < 0 else high
            raise RangeError(f"A label of {classes} classes is 0 to {classes - 1}; {wrong} came.")
    return torch.zeros(labels.numel(), classes).scatter_(1, labels.long().view(-1, 1), 1.0)


def batches(
    *tensors: Tensor, batch_size: int, generator: Generator | None = None, shuffle: bool = True
) -> Iterator[tuple[Tensor, ...]]:
    """Rows of the tensors in batches; the last one is smaller where the rows do not divide evenly.

    Args:
        tensors: all with the same first size.
        batch_size: how many rows a batch has, 1 or more.
        generator: the source of the random order; torch's default one where None.
        shuffle: False to keep the order.

    Raises:
        RangeError: the batch size is less than 1.
        ShapeError: the tensors have different numbers of rows.

    >>> x = torch.arange(5)
    >>> [len(batch) for (batch,) in batches(x, batch_size=2)]
    [2, 2, 1]
    """
    if any(tensor.ndim == 0 for tensor in tensors):
        raise ShapeError("A tensor of the shape () has no rows to make batches of.")
    rows = {len(tensor) for tensor in tensors}
    if len(rows) != 1:
        raise ShapeError(f"All tensors need the same number of rows; {sorted(rows)} came.")
    _require_count(batch_size=batch_size)
    (count,) = rows
    if shuffle:
        order = torch.randperm(count, generator=generator)
        tensors = tuple(tensor[order] for tensor in tensors)
    starts = range(0, count, batch_size)
    return (tuple(tensor[start : start + batch_size] for tensor in tensors) for start in starts)


def _require_count(**counts: int) -> None:
    for name, count in counts.items():
        if not isinstance(count, int) or count < 1:
            raise RangeError(f"{name} is a whole number of 1 or more; {count!r} came.")
