"""Rules for values that are written at indices, into parts, or where a mask is true."""

from __future__ import annotations

from typing import Any

import torch

from graphnet import ops
from graphnet.graph import Node
from graphnet.interop.rules.rule import SAME, convert, rule, unsupported
from graphnet.interop.rules.shapes import part_of
from graphnet.interop.sizes import expanded, is_known, size_of
from graphnet.ops.indexing import ALL, Index, Scatter

SAME |= {"scatter_add"}


@rule("scatter.value", "scatter.src")
def scatter(_step: Any, x: Any, dim: int, index: Any, source: Any) -> Any:
    """x with values at indices along a dimension; the indices of different values must differ."""
    if not isinstance(source, Node):
        return ops.masked_fill(x, _written(x, dim, index), source)
    source = convert(source, x.dtype)
    values = ops.scatter_add(ops.zeros_like(x), dim, index, source)
    return ops.where(_written(x, dim, index), values, x)


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
    """x, plus values at indices along a dimension."""
    if reduce not in ("add", "sum") or not include_self:
        raise unsupported(f"scatter with reduce={reduce!r} and include_self={include_self}")
    if not isinstance(source, Node):
        source = convert(ops.ones_like(index), x.dtype) * source
    return ops.scatter_add(x, dim, index, source)


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
def index_put(step: Any, x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """Elements replaced where a mask is true, or slices at the indices of a vector."""
    given = [place for place, each in enumerate(indices) if each is not None]
    index = indices[given[0]]
    if len(given) == 1 and index.dtype != torch.bool and index.ndim == 1:
        dim = given[0]
        index = ops.where(ops.lt(index, 0), index + x.shape[dim], index) if x.shape[dim] else index
        part = ops.index_select(x, dim, index)
        values = convert(values, x.dtype)
        values = values if values.shape == part.shape else ops.expand_as(values, part)
        return (_added if accumulate else _copied)(x, dim, index, values)
    if given != [0] or index.dtype != torch.bool or accumulate or values.ndim:
        raise unsupported(
            "way to write at these indices; only slices at one vector of integers, or one value "
            "where a mask is true"
        )
    while index.ndim < x.ndim:
        index = ops.unsqueeze(index, -1)
    return ops.where(index, convert(values, x.dtype), x)


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
