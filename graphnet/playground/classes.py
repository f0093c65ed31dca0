"""Rows that belong to classes: an error is a row that the output puts into another one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from graphnet.graph import Operation
from graphnet.ops.binary_losses import BinaryCrossEntropyWithLogits

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Node

_MOST = 100  # classes


@dataclass(frozen=True)
class Classes:
    """How rows are told apart.

    Attributes:
        targets: the row of targets of each class.
        threshold: the output from which on a row belongs to the second of two classes; None if
            there is an output for each class, and the largest one counts.
    """

    targets: list[list[float]]
    threshold: float | None = None


def classes_of(output: Node, target: Node, rows: Tensor) -> Classes | None:
    """The classes of some targets; None if these are no classes but numbers to be met.

    Labels are integers with an output for each class; or rows with one entry above all others,
    which are equal; or two different numbers, with a single output.

    Args:
        output: what predicts them.
        target: the input that they are fed to.
        rows: the targets of all rows.

    >>> import graphnet as gn
    >>> graph = gn.Graph()
    >>> x, t = graph.input((None, 2), name="x"), graph.input((None,), name="t", dtype=torch.int64)
    >>> classes_of(x.tanh(), t, torch.tensor([0, 1, 1]))
    Classes(targets=[[0], [1]], threshold=None)
    """
    size = output.shape[-1] if len(output.shape) == 2 else 1
    if len(output.shape) not in (1, 2) or size is None or size > _MOST:
        return None
    if not target.dtype.is_floating_point:
        labels = rows.dtype != torch.bool and rows.ndim == 1 and size > 1
        fitting = labels and bool(((rows >= 0) & (rows < size)).all())
        return Classes([[place] for place in range(size)]) if fitting else None
    if size > 1:
        return _one_hot(rows, size)
    return _two(output, rows)


def _one_hot(rows: Tensor, size: int) -> Classes | None:
    """Classes with a column of targets each, such as those of `gn.data.one_hot`."""
    if rows.ndim != 2 or rows.shape[1] != size:
        return None
    low, high = rows.min(), rows.max()
    one = (rows == high).sum(1) == 1
    if not low < high or not bool((one & ((rows == low).sum(1) == size - 1)).all()):
        return None
    columns = torch.full((size, size), float(low)).fill_diagonal_(float(high))
    return Classes(columns.tolist())


def _two(output: Node, rows: Tensor) -> Classes | None:
    """Two classes that a single output tells apart."""
    values: list[float] = rows.unique().tolist()
    if rows.numel() != len(rows) or len(values) != 2:
        return None
    low, high = values
    logits = _is_read_by(BinaryCrossEntropyWithLogits, output)
    return Classes([[low], [high]], 0.0 if logits else (low + high) / 2)


def _is_read_by(op: type, node: Node) -> bool:
    """Whether an operation of a kind reads a node, or a view of it."""
    reached, readers = {node}, _after(node)
    for each in readers:
        if not reached.isdisjoint(each.inputs):
            if isinstance(each.op, op):
                return True
            if each.op.view:
                reached.add(each)
    return False


def _after(node: Node) -> Iterable[Operation]:
    place = node.graph.index(node)
    return (each for each in node.graph[place + 1 :] if isinstance(each, Operation))
