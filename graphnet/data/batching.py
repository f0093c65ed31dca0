"""Tensors made ready for training: labels as columns, numbers normalized, rows in batches."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from graphnet.errors import DtypeError, RangeError, ShapeError
from graphnet.validation import must_be, require_counts


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Labels as rows of zeros with a 1 in the column of the class.

    Shapes: (n,) of int64 -> (n, classes) of torch's default type.

    Raises:
        RangeError: a label is below 0, or not below `classes`.
        ShapeError: the labels are not one-dimensional.
        DtypeError: the labels are not a tensor of integers.

    >>> one_hot(torch.tensor([0, 2]), 3)
    tensor([[1., 0., 0.],
            [0., 0., 1.]])
    """
    if not isinstance(labels, Tensor):
        raise DtypeError(must_be("labels", "a tensor, such as torch.tensor([0, 2])", labels))
    if labels.ndim != 1:
        raise ShapeError(f"labels must have the shape (n,); got {tuple(labels.shape)}.")
    if labels.dtype not in (torch.int64, torch.int32, torch.uint8):
        raise DtypeError(f"labels must be integers, such as int64; got {labels.dtype}.")
    if labels.numel():
        low, high = (int(end) for end in labels.aminmax())
        if low < 0 or high >= classes:
            wrong = low if low < 0 else high
            raise RangeError(f"A label of {classes} classes is 0 to {classes - 1}; got {wrong}.")
    return torch.zeros(labels.numel(), classes).scatter_(1, labels.long().view(-1, 1), 1.0)


def normalized(first: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """New tensors (x - mean) / deviation, with the mean and the deviation of the first one.

    Pass the training set first: test data must not influence how they are prepared. The deviation
    divides by the number of elements minus one, as `torch.std` does.

    Raises:
        DtypeError: a tensor does not hold floating-point numbers.
        RangeError: the first tensor has fewer than two different numbers, or NaN or infinity.

    >>> train, test = normalized(torch.tensor([0.0, 2.0, 4.0]), torch.tensor([6.0]))
    >>> train, test
    (tensor([-1.,  0.,  1.]), tensor([2.]))
    """
    for tensor in (first, *others):
        if not tensor.is_floating_point():
            raise DtypeError(
                f"Only floating-point numbers can be normalized; got {tensor.dtype}. "
                "`.float()` makes them."
            )
    varied = first.numel() > 0 and bool(first.min() < first.max())  # NaN is not less
    deviation = float(first.std()) if varied else 0.0
    if not 0 < deviation < float("inf"):
        raise RangeError(
            "Numbers can be normalized if two or more are different and all are finite; "
            f"got {first.numel():,} with a deviation of {deviation}."
        )
    mean = first.mean()
    return tuple((tensor - mean) / deviation for tensor in (first, *others))


def batches(
    *tensors: Tensor, batch_size: int, generator: Generator | None = None, shuffle: bool = True
) -> Iterator[tuple[Tensor, ...]]:
    """Rows of the tensors in batches; the last one is smaller if the rows do not divide evenly.

    Args:
        tensors: all with the same first size.
        batch_size: how many rows a batch has, 1 or more.
        generator: the source of the random order; None takes torch's default one.
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
        raise ShapeError(f"All tensors need the same number of rows; got {sorted(rows)}.")
    require_counts(batch_size=batch_size)
    (count,) = rows
    if shuffle:
        order = torch.randperm(count, generator=generator)
        tensors = tuple(tensor[order] for tensor in tensors)
    starts = range(0, count, batch_size)
    return (tuple(tensor[start : start + batch_size] for tensor in tensors) for start in starts)
