"""Dropout of whole channels: dropout1d, dropout2d, dropout3d."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.ops.activations import identity
from graphnet.ops.arithmetic import mul
from graphnet.ops.dims import described
from graphnet.ops.random import dropout_mode, shared_mask

if TYPE_CHECKING:
    from torch import Generator

    from graphnet.op import T

__all__ = ["dropout1d", "dropout2d", "dropout3d"]


def dropout1d(
    input: T,
    p: float = 0.5,
    training: bool | None = None,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> T:
    """In training, set each channel of a series to 0 with probability p, else divide it by 1 - p.

    The arguments are those of `dropout`. Shapes: (n, c, w) or (c, w) -> the same.

    Raises:
        RangeError: p lies outside [0, 1].
        ShapeError: the input has neither 2 nor 3 dimensions.

    >>> from torch import empty
    >>> dropout1d(empty(1, 2).fill_(3), p=1.0)
    tensor([[0., 0.]])
    """
    result: T = _dropped("dropout1d", input, (2, 3), 1, p, training, inplace, generator)
    return result


def dropout2d(
    input: T,
    p: float = 0.5,
    training: bool | None = None,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> T:
    """In training, set each channel of an image to 0 with probability p, else divide it by 1 - p.

    The arguments are those of `dropout`. Shapes: (n, c, h, w) -> the same; as in torch, three
    dimensions are (n, c, w).

    Source: Tompson et al., Efficient object localization using convolutional networks (2015).

    Raises:
        RangeError: p lies outside [0, 1].
        ShapeError: the input has neither 3 nor 4 dimensions.

    >>> from torch import empty
    >>> dropout2d(empty(1, 1, 1, 2).fill_(3), p=1.0)
    tensor([[[[0., 0.]]]])
    """
    left = 2 if getattr(input, "ndim", 4) == 4 else 1
    result: T = _dropped("dropout2d", input, (3, 4), left, p, training, inplace, generator)
    return result


def dropout3d(
    input: T,
    p: float = 0.5,
    training: bool | None = None,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> T:
    """In training, set each channel of a volume to 0 with probability p, else divide it by 1 - p.

    The arguments are those of `dropout`. Shapes: (n, c, d, h, w) or (c, d, h, w) -> the same.

    Raises:
        RangeError: p lies outside [0, 1].
        ShapeError: the input has neither 4 nor 5 dimensions.

    >>> from torch import empty
    >>> dropout3d(empty(1, 1, 1, 2).fill_(3), p=1.0)
    tensor([[[[0., 0.]]]])
    """
    result: T = _dropped("dropout3d", input, (4, 5), 3, p, training, inplace, generator)
    return result


def _dropped(
    name: str,
    x: Any,
    dims: tuple[int, ...],
    shared: int,
    p: float,
    training: bool | None,
    inplace: bool,
    generator: Any,
) -> Any:
    """x times a mask that has a size of 1 in the last dimensions, which share it."""
    mode = dropout_mode(name, x, p, training, inplace)
    if x.ndim not in dims:
        raise ShapeError(f"{name} takes {dims[0]} or {dims[1]} dimensions; got {described(x)}.")
    return identity(x) if mode is False else mul(x, shared_mask(x, shared, p, generator, mode))
