"""Rules for tensors of one value and ranges.

Those whose shape is known are no steps: they are constants of the module, see `imported`.
"""

from __future__ import annotations

from typing import Any

import torch

from graphnet import ops
from graphnet.interop.rules.rule import convert, rule, unsupported
from graphnet.interop.sizes import arange as extent_arange
from graphnet.interop.sizes import full

CONSTANT = {"zeros", "ones", "full", "arange", "eye", "linspace", "tril_indices", "triu_indices"}
CONSTANT |= {"scalar_tensor", "empty", "logspace"}
"""Operations whose values are constants where all arguments are numbers."""

CONSTANT_LIKE = {"new_zeros", "new_ones", "new_full", "new_empty"}
"""The same with a tensor as the first argument, of which only the dtype is read."""


@rule("zeros", "ones", "empty")
def zeros(step: Any, sizes: Any, **_options: Any) -> Any:
    """One value in a shape that depends on the batch."""
    return full(sizes, float(step.name == "ones"), step.dtype)


@rule("full")
def full_(step: Any, sizes: Any, value: float, **_options: Any) -> Any:
    """One value in a shape that depends on the batch."""
    return full(sizes, value, step.dtype)


@rule("new_zeros", "new_ones", "new_full", "new_empty")
def new(step: Any, x: Any, sizes: Any, value: float | None = None, **_options: Any) -> Any:
    """One value in a given shape, of the dtype of another tensor."""
    value = float(step.name == "new_ones") if value is None else value
    return full(sizes, value, step.dtype if step.dtype != x.dtype else None)


@rule("arange")
def arange(step: Any, *bounds: Any, **_options: Any) -> Any:
    """Integers up to a size that depends on the batch."""
    start, end, by = (0, *bounds, 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    return extent_arange(start, end, by, step.dtype)


@rule("eye", "eye.m")
def eye(step: Any, *sizes: Any, **_options: Any) -> Any:
    """Ones on the diagonal of a matrix whose size depends on the batch."""
    ones = full((*sizes, *sizes)[:2], 1.0, torch.float32)
    return convert(ops.eq(ops.cumsum(ones, 0), ops.cumsum(ones, 1)), step.dtype)


@rule("item", "_local_scalar_dense")
def item(_step: Any, x: Any) -> Any:
    """A number that is read from a tensor."""
    raise unsupported("item(): a list of nodes is the same for all values")
