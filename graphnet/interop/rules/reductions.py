"""Rules for sums, means and extremes."""

from __future__ import annotations

from typing import Any

import torch

from graphnet import ops
from graphnet.errors import ShapeError
from graphnet.interop.rules.rule import SAME, convert, promoted, rule, unsupported

SAME |= {"logsumexp", "cosine_similarity", "argmax", "argmin"}


def _dims(dim: Any) -> Any:
    """Dimensions as graphnet's functions take them: all of them for an empty list."""
    return None if dim is None or dim == () else dim


@rule("sum", "mean", "nansum")
def sum_(step: Any, x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """A sum or a mean, of integers as integers of 64 bits."""
    if step.name == "nansum":
        x = ops.masked_fill(x, ops.ne(x, x), 0)
    function = ops.mean if step.name == "mean" else ops.sum
    if dtype is not None or not x.dtype.is_floating_point:
        x = convert(x, step.dtype if dtype is None else dtype)
    return function(x, _dims(dim), keepdim)


@rule("prod", "cumsum")
def prod(step: Any, x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """A product, or sums so far."""
    x = convert(x, dtype if dtype is not None else step.dtype)
    return ops.prod(x, dim, keepdim) if step.name == "prod" else ops.cumsum(x, dim)


@rule("cumprod")
def cumprod(step: Any, x: Any, dim: int, dtype: Any = None) -> Any:
    """Products so far: each step multiplies by the product of as many elements before them."""
    x = convert(x, dtype if dtype is not None else step.dtype)
    size = x.shape[dim]
    if size is None:
        raise ShapeError("cumprod needs a known size in its dimension")
    length = 1
    while length < size:
        first = ops.narrow(x, dim, 0, length)
        rest = ops.narrow(x, dim, length, size - length)
        x = ops.cat([first, rest * ops.narrow(x, dim, 0, size - length)], dim)
        length *= 2
    return x


@rule("var", "std")
def var(step: Any, x: Any, dim: Any = None, *rest: Any, **options: Any) -> Any:
    """Variance or standard deviation."""
    function = ops.var if step.name == "var" else ops.std
    dims, correction, keepdim = _spread(step, dim, rest, options)
    return function(x, dims, keepdim=keepdim, correction=correction)


@rule("var_mean", "std_mean")
def var_mean(step: Any, x: Any, dim: Any = None, *rest: Any, **options: Any) -> Any:
    """Variance or standard deviation, and the mean."""
    function = ops.var if step.name == "var_mean" else ops.std
    dims, correction, keepdim = _spread(step, dim, rest, options)
    spread = function(x, dims, keepdim=keepdim, correction=correction)
    return spread, ops.mean(x, dims, keepdim)


def _spread(step: Any, dim: Any, rest: Any, options: Any) -> tuple[Any, int, bool]:
    """Dimensions, correction and keepdim, from the several signatures that torch has."""
    if isinstance(dim, bool):  # var(unbiased)
        return None, int(dim), False
    correction: Any = options.get("correction", 1)
    if step.target.endswith(".dim"):
        correction = int(rest[0]) if rest else int(options.get("unbiased", True))
        rest = rest[1:]
    keepdim = bool(rest[0]) if rest else bool(options.get("keepdim", False))
    return (None if dim == () else dim), 1 if correction is None else int(correction), keepdim


@rule("max", "min")
def extreme(step: Any, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The extreme of all, of a dimension with its index, or of two tensors."""
    function = ops.max if step.name == "max" else ops.min
    return function(x) if dim is None else function(x, dim, keepdim)


@rule("amax", "amin")
def amax(step: Any, x: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The extreme of dimensions."""
    function = ops.amax if step.name == "amax" else ops.amin
    return function(x, dim, keepdim)


@rule("aminmax")
def aminmax(_step: Any, x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest and the largest, of all or of a dimension."""
    dims = () if dim is None else dim
    return ops.amin(x, dims, keepdim), ops.amax(x, dims, keepdim)


@rule("count_nonzero")
def count_nonzero(_step: Any, x: Any, dim: Any = None) -> Any:
    """How many elements are not 0."""
    return ops.sum(convert(ops.ne(x, 0), torch.int64), _dims(dim))


@rule("bucketize.Tensor")
def bucketize(step: Any, x: Any, boundaries: Any, *, right: bool = False, **_options: Any) -> Any:
    """How many boundaries are below each element, or not above it; NaN is above all."""
    x, boundaries = promoted(ops.unsqueeze(x, -1), boundaries)
    above = (ops.lt if right else ops.le)(x, boundaries)
    return ops.sum(convert(ops.logical_not(above), step.dtype), -1)


@rule("any", "all")
def any_(step: Any, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """True if any element is, or all are."""
    dims = tuple(range(x.ndim)) if dim is None else dim
    truth = convert(x if x.dtype == torch.bool else ops.ne(x, 0), torch.uint8)
    return ops.gt((ops.amax if step.name == "any" else ops.amin)(truth, dims, keepdim), 0)


@rule("norm", "linalg_vector_norm", "frobenius_norm")
def norm(step: Any, x: Any, p: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Any:
    """A norm of vectors."""
    if step.name == "frobenius_norm":
        p, dim, keepdim = 2, p, bool(dim)
    return ops.norm(x, 2.0 if p is None else p, _dims(dim), keepdim)


@rule("dist")
def dist(_step: Any, x: Any, y: Any, p: float = 2) -> Any:
    """The norm of a difference."""
    return ops.norm(x - y, p)


@rule("cdist")
def cdist(_step: Any, x: Any, y: Any, p: float = 2, _compute_mode: Any = None) -> Any:
    """The distances of all vectors of one set from all of another."""
    if p not in (1, 2):
        raise unsupported(f"cdist with p={p:g}; only 1 and 2")
    x, y = promoted(x, y)
    return ops.norm(ops.unsqueeze(x, -2) - ops.unsqueeze(y, -3), float(p), -1)


@rule("softmax", "log_softmax", "_softmax", "_log_softmax")
def softmax(step: Any, x: Any, dim: int, dtype: Any = None) -> Any:
    """Softmax, or its logarithm, in another dtype if one is given."""
    x = convert(x, dtype) if isinstance(dtype, torch.dtype) else x
    return (ops.log_softmax if "log" in step.name else ops.softmax)(x, dim)
