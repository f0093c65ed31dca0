"""Errors of a list in the words of who gave the data: which tensor to convert, and which row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.data.order import RowOrder
from graphnet.errors import DtypeError, RangeError, shape_text
from graphnet.graph.entry import dtype_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import dtype

    from graphnet.graph import Input
    from graphnet.train.run import Run
    from graphnet.train.training_graph import TrainingGraph

_METHODS = {"float32": "float", "float64": "double", "int64": "long"}
_SWAPPED = " If these are the targets: data are the pair (inputs, targets), in this order."


def to_convert(
    error: DtypeError, nodes: Sequence[Input], wanted: dtype | None, holder: str
) -> DtypeError:
    """The error for data whose dtype is mixed with that of a model; any other as it is.

    Args:
        error: what was raised while the list was built.
        nodes: the inputs for these data.
        wanted: the dtype that they should have.
        holder: what holds it, such as "the parameters hold".
    """
    strange = (each for each in nodes if each.dtype in error.mixed and each.dtype != wanted)
    node = next(strange, None)
    if node is None or wanted is None:
        return error
    name, to = node.name, dtype_text(wanted)
    method = f"{name}.{_METHODS[to]}()" if to in _METHODS else f"{name}.to(torch.{to})"
    array = f', or {name}.astype("{to}") of a numpy array' if to != "bfloat16" else ""
    model = "; or the model, model.double()" if dtype_text(node.dtype) == "float64" else ""
    swapped = "" if node.dtype.is_floating_point or not name.startswith("x") else _SWAPPED
    line = f"\n  line: {error.line}" if error.line else ""
    return error.reworded(
        f"The data give {name} {shape_text(node.shape)} as {dtype_text(node.dtype)}, but {holder} "
        f"{to}, and dtypes are never mixed silently. Convert the data: {method}{array}"
        f"{model}.{swapped}{line}"
    )


def at_row(error: RangeError, run: Run, start: int) -> RangeError:
    """The error for a label out of range, with its row in the data where that is known.

    Args:
        error: what an update has raised.
        run: the training.
        start: its position before the update.
    """
    if not error.index:
        return error
    text = "the index is a place in the batch of this step"
    order, settings = run.order, run.settings
    one = settings.accumulate == 1 and settings.augment is None and run.across is None
    if isinstance(order, RowOrder) and order.count and one and _are_as_given(run.task, error):
        row = int(order.rows(start, run.position)[error.index[0]])
        text += f", and this is row {row:,} of the data to learn from"
    return error.reworded(f"Step {run.step}: {error}\n  row: {text}")


def at_measured_row(error: RangeError, task: TrainingGraph, first: int) -> RangeError:
    """The error for a label out of range in data that are measured, with its row.

    Args:
        error: what the walk over a batch has raised.
        task: what is measured.
        first: the row that the batch begins with.
    """
    if not error.index or not _are_as_given(task, error):
        return error
    row = first + error.index[0]
    text = f"the index is a place in its batch, and this is row {row:,} of those that are measured"
    return error.reworded(f"{error}\n  row: {text}")


def _are_as_given(task: TrainingGraph, error: RangeError) -> bool:
    """True if the error is about targets as they were fed: reshaped ones have other places."""
    return any(str(each) in str(error) for each in task.targets)
