"""Dimensions and sizes as callers write them, brought to one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.errors import ShapeError, shape_text
from graphnet.op import Symbolic

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op import T

Dims = int | tuple[int, ...] | list[int] | None
"""One dimension, several, or None for all of them."""


def normal_dim(x: Tensor | T, dim: int, extra: int = 0) -> int:
    """A dimension counted from the front; `extra` allows for dimensions about to be added.

    Raises:
        ShapeError: x has no such dimension.
    """
    count = max(x.ndim + extra, 1)
    if not -count <= dim < count:
        raise ShapeError(
            f"dimension {dim} does not exist: {described(x)} has {x.ndim} dimensions, "
            f"{-count} to {count - 1}."
        )
    return dim % count


def normal_dims(x: Tensor | T, dim: Dims) -> tuple[int, ...]:
    """Dimensions counted from the front, in rising order; all of them for None.

    Raises:
        ShapeError: x has no such dimension, or one is named twice.
    """
    if dim is None:
        return tuple(range(x.ndim))
    named = [dim] if isinstance(dim, int) else list(dim)
    dims = sorted(normal_dim(x, each) for each in named)
    if len(set(dims)) < len(dims):
        raise ShapeError(f"dim={dim} names a dimension of {described(x)} twice.")
    return tuple(dims)


def described(x: Tensor | T) -> str:
    """A tensor or node with its shape, for a message."""
    name = str(x) if isinstance(x, Symbolic) else "a tensor"
    return f"{name} {shape_text(x.shape)}"


def flat_sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as one tuple: `f(2, 3)` and `f((2, 3))` mean the same."""
    if len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        return tuple(sizes[0])
    return cast("tuple[int, ...]", sizes)


def restore_dims(grad: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """The dimensions that a reduction took away, back as sizes of 1: (n) -> (n, 1)."""
    if keepdim or grad.ndim == 0:  # a single number expands to every shape as it is
        return grad
    for dim in dims:
        grad = grad.unsqueeze(dim)
    return grad
