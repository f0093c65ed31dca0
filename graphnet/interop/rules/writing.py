"""Rules for values that are written at indices, into parts, or where a mask is true."""

from __future__ import annotations

from typing import Any

import torch

from graphnet import ops
from graphnet.graph import Node
from graphnet.interop.rules.rule import SAME, convert, rule, unsupported
from graphnet.interop.rules.shapes import part_of
from graphnet.interop.sizes import as_node, expanded, is_known, size_of
from graphnet.ops.indexing import ALL, Index, Scatter

SAME |= {"scatter_add"}


@rule("scatter.value", "scatter.src")
def scatter(_step: Any, x: Any, dim: int, index: Any, source: Any) -> Any:
    """x with values at indices along a dimension; the indices of different values must differ."""
    if not isinstance(source, Node):
        return ops.masked_fill(x, _written(x, dim, index), source)
    kind = torch.uint8 if x.dtype == torch.bool else x.dtype  # truth has no sum
    values = ops.scatter_add(convert(ops.zeros_like(x), kind), dim, index, convert(source, kind))
    return ops.where(_written(x, dim, index), convert(values, x.dtype), x)


def _written(x: Any, dim: int, index: Any) -> Any:
    """True where x is written."""
    zeros = convert(ops.zeros_like(x), torch.float32)
    ones = convert(ops.ones_like(index), torch.float32)
    return ops.gt(ops.scatter_add(zeros, dim, index, ones), 0)


@rule("scatter.reduce", "scatter_reduce.two")
def scatter_reduce(
    _step: Any,
    x: Any,
    dim: int,
    index: Any,
    source: Any,
    reduce: str,
    *,
    include_self: bool = True,
) -> Any:
    """Sums or means at indices along a dimension, with x as one more term or without."""
    if reduce not in ("add", "sum", "mean"):
        raise unsupported(f"scatter with reduce={reduce!r}")
    if not isinstance(source, Node):
        source = convert(ops.ones_like(index), x.dtype) * source
    written = None if include_self else _written(x, dim, index)
    total = ops.scatter_add(_without(x, written), dim, index, source)
    if reduce != "mean":
        return total
    ones = convert(ops.ones_like(index), x.dtype)
    return total / ops.scatter_add(_without(ops.ones_like(x), written), dim, index, ones)


def _without(x: Any, written: Any) -> Any:
    return x if written is None else ops.masked_fill(x, written, 0)


@rule("index_add")
def index_add(_step: Any, x: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """x, plus slices at the indices of a vector."""
    return _added(x, dim, index, source if alpha == 1 else source * alpha)


def _added(x: Any, dim: int, index: Any, source: Any) -> Any:
    places = [1] * source.ndim
    places[dim] = -1
    sizes = [size_of(source, place) for place in range(source.ndim)]
    return ops.scatter_add(x, dim, expanded(ops.reshape(index, tuple(places)), sizes), source)


@rule("index_fill", "index_copy")
def index_copy(_step: Any, x: Any, dim: int, index: Any, source: Any) -> Any:
    """x with one value, or with slices, at the indices of a vector; those of slices must differ."""
    zeros = convert(ops.zeros_like(x), torch.float32)
    ones = ops.ones_like(ops.index_select(zeros, dim, index))
    written = ops.gt(_added(zeros, dim, index, ones), 0)
    if not isinstance(source, Node):
        return ops.masked_fill(x, written, source)
    source = convert(source, x.dtype)
    values = source if not source.ndim else _added(ops.zeros_like(x), dim, index, source)
    return ops.where(written, values, x)


@rule("index_put", "_unsafe_index_put")
def index_put(_step: Any, x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """Elements replaced where a mask is true, or at integers: several values at different ones."""
    given = [place for place, each in enumerate(indices) if each is not None]
    kinds = {indices[place].dtype == torch.bool for place in given}
    if kinds == {True} and given == [0] and not accumulate and not values.ndim:
        mask = indices[0]
        while mask.ndim < x.ndim:
            mask = ops.unsqueeze(mask, -1)
        return ops.where(mask, convert(values, x.dtype), x)
    if kinds != {False} or given != list(range(given[0], given[-1] + 1)):
        raise unsupported(
            "way to write at these indices; only at integers in dimensions that follow each "
            "other, or one value where a mask is true"
        )
    dim = given[0]
    flat = ops.flatten(x, dim, given[-1])
    index = _row_of(x, dim, [indices[place] for place in given])
    values = convert(values, x.dtype)
    if index.ndim > 1 and values.ndim > x.ndim - given[-1] - 1:
        raise unsupported("way to write several values at a table of indices")
    index = ops.reshape(index, (-1,))
    if values.ndim or accumulate:
        part = ops.index_select(flat, dim, index)
        values = values if values.shape == part.shape else ops.expand_as(values, part)
    write = _added if accumulate else _copied
    return ops.reshape_as(write(flat, dim, index, values), x)


def _row_of(x: Any, dim: int, indices: Any) -> Any:
    """The index in several dimensions as one, as if those dimensions were one."""
    row: Any = None
    for place, index in enumerate(indices, dim):
        size = as_node(size_of(x, place))
        counted = ops.where(ops.lt(index, 0), index + size, index)
        row = counted if row is None else row * size + counted
    return row


def _copied(x: Any, dim: int, index: Any, values: Any) -> Any:
    return index_copy(None, x, dim, index, values)


@rule("select_scatter", "slice_scatter")
def put_part(
    step: Any, x: Any, source: Any, dim: int, first: Any = None, end: Any = None, by: int = 1
) -> Any:
    """x with one part replaced."""
    one = step.name == "select_scatter" or step.target == "graphnet.select_scatter"
    part = first if one else part_of(x, dim, first, end, by)
    key = (ALL,) * (dim % x.ndim) + (part,)
    source = convert(source, x.dtype)
    if part == ALL:
        return source if source.shape == x.shape else ops.expand_as(source, x)
    if not one and not is_known(part):
        raise unsupported("way to write to a range that depends on the batch size")
    old = Index(key)(x)
    source = source if source.shape == old.shape else ops.expand_as(source, old)
    return ops.where(ops.gt(Scatter(key)(ops.ones_like(source), x), 0), Scatter(key)(source, x), x)
