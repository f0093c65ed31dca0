"""Dimensions and sizes as callers write them, in one normal form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import GraphError, ShapeError, brief, shape_text
from graphnet.op import Symbolic
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op import T

TENSOR = type(empty(0))
"""The class of tensors."""

Dims = int | tuple[int, ...] | list[int] | None
"""One dimension, several, or None for all of them."""


def normal_dim(x: Tensor | T, dim: int, extra: int = 0) -> int:
    """A dimension counted from the front; `extra` counts dimensions about to be added.

    Raises:
        ShapeError: x has no such dimension.
        GraphError: it is not an integer.
    """
    dim = require_integer("a dimension", dim)
    count = max(x.ndim + extra, 1)
    if not -count <= dim < count:
        raise ShapeError(
            f"dimension {dim} does not exist: {described(x)} has {x.ndim} dimensions, "
            f"{-count} to {count - 1}."
        )
    return dim % count


def normal_dims(x: Tensor | T, dim: Dims) -> tuple[int, ...]:
    """Dimensions counted from the front, in ascending order; all of them for None.

    Raises:
        ShapeError: x has no such dimension, or one is named twice.
    """
    if dim is None:
        return tuple(range(x.ndim))
    named = dim if isinstance(dim, list | tuple) else [dim]
    dims = sorted(normal_dim(x, each) for each in named)
    if len(set(dims)) < len(dims):
        raise ShapeError(f"dim={dim} names a dimension of {described(x)} twice.")
    return tuple(dims)


def require_tensors(name: str, *arguments: Any) -> None:
    """Refuse numbers, lists and others where only tensors or nodes are possible.

    Raises:
        GraphError: one of the arguments is something else.
    """
    for each in arguments:
        if not isinstance(each, (Symbolic, TENSOR)):
            raise GraphError(f"{name} takes tensors or nodes; got {brief(each)}.")


def described(x: Tensor | T) -> str:
    """A tensor or node with its shape, for a message."""
    name = str(x) if isinstance(x, Symbolic) else "a tensor"
    return f"{name} {shape_text(x.shape)}"


def unpacked(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments given one by one or as one tuple: `f(2, 3)` and `f((2, 3))` mean the same."""
    if len(given) == 1 and isinstance(given[0], tuple | list):
        return tuple(given[0])
    return given


def restore_dims(grad: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """Restore the dimensions that a reduction removed, as sizes of 1: (n) -> (n, 1)."""
    if keepdim or grad.ndim == 0:  # a scalar expands to every shape as it is
        return grad
    for dim in dims:
        grad = grad.unsqueeze(dim)
    return grad
