"""Normalization over the last dimensions or over groups: the same in training and evaluation.

Short floating dtypes are computed in float32 and rounded once, as in torch: squares of 256 and
sums of 70,000 ones overflow in float16.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from graphnet.errors import ShapeError
from graphnet.ops.arguments import require_floating
from graphnet.ops.arithmetic import add, mul, sub
from graphnet.ops.dims import described
from graphnet.ops.dtypes import narrowed, widened
from graphnet.ops.functions import rsqrt
from graphnet.ops.reductions import mean
from graphnet.ops.running import Column, refuse_few_dims, several, sized, with_channels
from graphnet.ops.shapes import reshape_as
from graphnet.ops.unflatten import unflatten
from graphnet.validation import require_integer, require_integers, require_numbers

if TYPE_CHECKING:
    from graphnet.op import T

__all__ = ["group_norm", "layer_norm", "rms_norm"]

_EPSILONS = {"torch.float64": 2.0**-52}
_EPSILON = 2.0**-23  # float32's, in which torch computes the shorter dtypes as well


def layer_norm(
    input: T,
    normalized_shape: tuple[int, ...] | list[int],
    weight: T | None = None,
    bias: T | None = None,
    eps: float = 1e-5,
) -> T:
    """Normalize by mean and variance over the last dimensions, those of `normalized_shape`.

    y = (x - mean) / √(var + eps) · weight + bias.
    Shapes: input (..., *normalized_shape), weight and bias normalized_shape -> that of the input.

    Source: Ba et al., Layer normalization (2016), equation 4.

    Raises:
        ShapeError: the input does not end with `normalized_shape`, or weight or bias differs.
        DtypeError: the dtypes differ, or are not floating-point.
        GraphError: an argument has a wrong type.

    >>> from torch import empty
    >>> layer_norm(empty(2, 3).fill_(3), (3,))
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    x, (weight, bias) = _ending(normalized_shape, "layer_norm", input, weight, bias)
    y = _affine(_standardized(widened(x), _last(normalized_shape), eps), weight, bias)
    return narrowed(y, x)


def rms_norm(
    input: T,
    normalized_shape: tuple[int, ...] | list[int],
    weight: T | None = None,
    eps: float | None = None,
) -> T:
    """Divide x by its root mean square over the last dimensions, those of `normalized_shape`.

    y = x / √(mean x² + eps) · weight; if eps is None, it is the precision of the dtype.
    Shapes: input (..., *normalized_shape), weight normalized_shape -> that of the input.

    Source: Zhang and Sennrich, Root mean square layer normalization (2019), equation 4.

    Raises:
        ShapeError: the input does not end with `normalized_shape`, or the weight differs.
        DtypeError: the dtypes differ, or are not floating-point.
        GraphError: an argument has a wrong type.

    >>> from torch import empty
    >>> rms_norm(empty(2).fill_(3), (2,))
    tensor([1., 1.])
    """
    x, (weight,) = _ending(normalized_shape, "rms_norm", input, weight)
    if eps is None:
        eps = _EPSILONS.get(str(cast("Any", x).dtype), _EPSILON)
    wide = widened(x)
    squares = mean(mul(wide, wide), _last(normalized_shape), True)
    return narrowed(_affine(_scaled(wide, squares, eps), weight), x)


def group_norm(
    input: T, num_groups: int, weight: T | None = None, bias: T | None = None, eps: float = 1e-5
) -> T:
    """Normalize each group of channels of each example by its mean and variance.

    y = (x - mean) / √(var + eps) · weight + bias.
    Shapes: input (n, channels, ...), weight and bias (channels) -> that of the input.

    Source: Wu and He, Group normalization (2018), equations 1 to 7.

    Raises:
        ShapeError: the channels cannot be divided into equal groups, a group has no values, there
            is only one value, or the sizes differ.
        DtypeError: the dtypes differ, or are not floating-point.
        GraphError: an argument has a wrong type.

    >>> from torch import empty
    >>> group_norm(empty(2, 4).fill_(3), 2).shape
    torch.Size([2, 4])
    """
    x, (weight, bias) = with_channels("group_norm", input, weight, bias)
    require_integer("num_groups", num_groups, 1, ShapeError)
    channels = x.shape[1]
    if channels is not None and (channels == 0 or channels % num_groups):
        raise ShapeError(
            f"{channels} channels cannot be divided into {num_groups} equal groups: {described(x)}."
        )
    wide = widened(x)
    groups = unflatten(wide, 1, (num_groups, -1))
    inside: tuple[int, ...] = tuple(range(2, groups.ndim))
    groups = several(several(groups, (0, *inside), True), inside, True, refused=0)
    y = reshape_as(_standardized(groups, inside, eps), wide)
    columns = (None if each is None else Column()(widened(each), wide) for each in (weight, bias))
    return narrowed(_affine(y, *columns), x)


def _standardized(x: T, dims: tuple[int, ...], eps: float) -> T:
    """(x - mean) / √(var + eps), with mean and variance over some dimensions."""
    centered = sub(x, mean(x, dims, True))
    return _scaled(centered, mean(mul(centered, centered), dims, True), eps)


def _scaled(x: T, squares: T, eps: float) -> T:
    """x / √(squares + eps)."""
    require_numbers(eps=eps)
    return mul(x, rsqrt(add(squares, eps)))


def _affine(x: T, weight: Any, bias: Any = None) -> T:
    """x weight + bias, each if there is one."""
    y = x if weight is None else mul(x, widened(weight))
    return y if bias is None else add(y, widened(bias))


def _last(shape: Sequence[int]) -> tuple[int, ...]:
    """As many last dimensions as the shape has."""
    return tuple(range(-len(shape), 0))


def _ending(shape: Any, name: str, x: T, *others: Any) -> tuple[T, list[Any]]:
    """x, checked to end with this shape, and others, checked to have it; None stays None."""
    require_floating(name, x, optional=others)
    shape = require_integers("normalized_shape", shape)
    if not shape:
        raise ShapeError("normalized_shape must have at least one size, such as (3,); got ().")
    refuse_few_dims(name, x, len(shape))
    x = sized(x, (*[None] * (x.ndim - len(shape)), *shape))
    return x, [each if each is None else sized(each, shape) for each in others]
