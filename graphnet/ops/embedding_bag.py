"""embedding_bag: rows of a table, reduced in bags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, ShapeError
from graphnet.ops.arithmetic import div, mul, sub
from graphnet.ops.broadcasting import ones_like
from graphnet.ops.comparison import ge, masked_fill, ne
from graphnet.ops.cumulative import cumsum
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.dtypes import cast_to
from graphnet.ops.embedding import embedding, row_number
from graphnet.ops.extremes import amax
from graphnet.ops.joining import cat
from graphnet.ops.limits import clamp
from graphnet.ops.logic import logical_and, logical_not
from graphnet.ops.products import matmul
from graphnet.ops.reductions import sum
from graphnet.ops.shapes import unsqueeze
from graphnet.validation import require_choice, require_flags

if TYPE_CHECKING:
    from graphnet.op import T

__all__ = ["embedding_bag"]


def embedding_bag(
    input: T,
    weight: T,
    offsets: T | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: T | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> T:
    """The sum, the mean or the maximum of the rows of a table that the integers of a bag select.

    Bags are the rows of a matrix of integers, or parts of a vector that begin at `offsets`. An
    empty bag gives zeros. The arguments that `embedding` does not support are not here either.
    Shapes: input (n, m), or (m) with offsets (n); weight (rows, columns) -> (n, columns).

    Args:
        input: the integers.
        weight: the table.
        offsets: where each bag begins in a vector; the first is 0.
        max_norm: not supported.
        norm_type: not supported.
        scale_grad_by_freq: not supported.
        mode: "sum", "mean" or "max".
        sparse: not supported.
        per_sample_weights: a factor for each row, for the mode "sum".
        include_last_offset: True if the last offset is the end of the last bag.
        padding_idx: the row that does not count.

    Raises:
        ShapeError: the input has other dimensions.
        GraphError: offsets are given for a matrix, or missing for a vector; an argument is not
            supported.

    >>> from torch import empty
    >>> embedding_bag(empty(1, 2).fill_(1).long(), empty(3, 2).fill_(5), mode="sum")
    tensor([[10., 10.]])
    """
    require_tensors("embedding_bag", input, weight)
    require_choice("embedding_bag: mode", mode, ("sum", "mean", "max"))
    require_flags(include_last_offset=include_last_offset)
    if input.ndim not in (1, 2):
        raise ShapeError(f"embedding_bag takes one or two dimensions; got {described(input)}.")
    if (input.ndim == 1) != (offsets is not None):
        raise GraphError("embedding_bag: offsets are for a vector of integers, and only there.")
    if per_sample_weights is not None and mode != "sum":
        raise GraphError('embedding_bag: per_sample_weights are for the mode "sum".')
    options: Any = (padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    rows: Any = embedding(input, weight, *options)  # (n, m, columns) or (m, columns)
    counted: Any = None
    if padding_idx is not None:
        counted = ne(input, row_number(padding_idx, int(weight.shape[0] or 0)))
    if per_sample_weights is not None:
        rows = mul(rows, unsqueeze(per_sample_weights, -1))
    if offsets is not None:
        inside = _members(input, offsets, include_last_offset)
        counted = inside if counted is None else logical_and(inside, counted)
    result: T = _reduced(rows, counted, mode, input.ndim == 1)
    return result


def _members(input: Any, offsets: Any, include_last: bool) -> Any:
    """Which integers are in which bag.  Shape (n, m)."""
    ends = offsets[1:]
    if include_last:
        offsets = offsets[:-1]
    else:
        length = sum(ones_like(input), 0, True)  # the end of the last bag
        ends = cat((ends, cast_to(length, offsets.dtype)), 0)
    place = cast_to(sub(cumsum(ones_like(input), 0), 1), offsets.dtype)
    begun, ended = ge(place, unsqueeze(offsets, 1)), ge(place, unsqueeze(ends, 1))
    return logical_and(begun, logical_not(ended))


def _reduced(rows: Any, counted: Any, mode: str, flat: bool) -> Any:
    """The rows of each bag in one."""
    if mode == "max":
        bags = unsqueeze(rows, 0) if flat else rows
        if counted is None:
            return amax(bags, 1)
        lowest = amax(masked_fill(bags, unsqueeze(logical_not(counted), -1), -float("inf")), 1)
        some = cast_to(sum(cast_to(counted, rows.dtype), 1, True) > 0, rows.dtype)
        return masked_fill(lowest, cast_to(1 - some, counted.dtype), 0.0)
    share = None if counted is None else cast_to(counted, rows.dtype)
    if flat:
        total = matmul(share, rows)
    else:
        total = sum(rows if share is None else mul(rows, unsqueeze(share, -1)), 1)
    if mode == "sum":
        return total
    share = ones_like(rows[..., 0]) if share is None else share
    return div(total, clamp(sum(share, 1, True), min=1.0))
