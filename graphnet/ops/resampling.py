"""Images and series in another size: interpolate, pixel_shuffle, pixel_unshuffle."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import TYPE_CHECKING, Any, cast

from torch import empty

from graphnet.errors import GraphError, ShapeError
from graphnet.ops.dims import TENSOR, described, require_tensors
from graphnet.ops.gathering import index_select
from graphnet.ops.mean_pooling import AdaptiveMean
from graphnet.ops.products import matmul
from graphnet.ops.rearranging import repeat_interleave
from graphnet.ops.shapes import flatten, permute, transpose
from graphnet.ops.unflatten import unflatten
from graphnet.validation import require_choice, require_integer, require_range

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op import T

__all__ = ["interpolate", "pixel_shuffle", "pixel_unshuffle"]

_LINEAR = {"linear": 3, "bilinear": 4, "trilinear": 5, "bicubic": 4}
"""The modes that weight neighbours, each with the number of dimensions that it takes."""


def interpolate(
    input: T,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> T:
    """Series, images or volumes in another size.

    The mode "nearest" copies pixels, "nearest-exact" counts from their centres; "linear" (of
    series), "bilinear" (of images) and "trilinear" (of volumes) weight the two neighbours along
    each dimension, "bicubic" (of images) the four; "area" takes the mean of what falls into a new
    pixel. With whole scale factors and the mode "nearest" the sizes may be unknown until they are
    fed.
    Shapes: (n, c, w) -> (n, c, w'), (n, c, h, w) -> (n, c, h', w') or (n, c, d, h, w) ->
    (n, c, d', h', w').

    Source: Keys, Cubic convolution interpolation (1981), equation 15 with a = -3/4.

    Args:
        input: series, images, or volumes.
        size: the new sizes: one for all, or one for each dimension after the second.
        scale_factor: what sizes are multiplied by, instead of `size`.
        mode: as above.
        align_corners: True to keep the first and last pixel where they are, in a mode that
            weights neighbours.
        recompute_scale_factor: True to take the ratio of the sizes in place of `scale_factor`,
            which differs where it does not give an integer.

    Raises:
        ShapeError: the input has other dimensions, or sizes that must be known are not.
        GraphError: not one of `size` and `scale_factor` is given, or an option does not fit.

    >>> from torch import empty
    >>> interpolate(empty(1, 1, 2).fill_(3), scale_factor=2)
    tensor([[[3., 3., 3., 3.]]])
    """
    require_tensors("interpolate", input)
    modes = ("nearest", "nearest-exact", "area", *_LINEAR)
    require_choice("interpolate: mode", mode, modes)
    if not 3 <= input.ndim <= 5 or _LINEAR.get(mode, input.ndim) != input.ndim:
        raise ShapeError(f"interpolate: mode={mode!r} does not take {described(input)}.")
    if align_corners is not None and mode not in _LINEAR:
        raise GraphError(f"align_corners is for the modes {', '.join(_LINEAR)}; got {mode!r}.")
    count = input.ndim - 2
    sizes, factors = _each("size", size, count), _each("scale_factor", scale_factor, count)
    if (sizes is None) == (factors is None):
        raise GraphError("interpolate takes either size or scale_factor.")
    if recompute_scale_factor and factors is None:
        raise GraphError("recompute_scale_factor needs a scale_factor.")
    for place in range(count):
        dim = place + 2
        given = (
            None if sizes is None else sizes[place],
            None if factors is None else factors[place],
        )
        if mode == "nearest" and given[1] is not None and float(given[1]).is_integer():
            input = repeat_interleave(input, require_integer("scale", int(given[1]), 1), dim)
        else:
            old, new, ratio = _extents(input, dim, *given, bool(recompute_scale_factor))
            input = _resized(input, dim, old, new, ratio, mode, bool(align_corners))
    return input


def _each(name: str, value: Any, count: int) -> list[Any] | None:
    """One value for each of the dimensions.

    Raises:
        ShapeError: there are not as many.
        RangeError: one is not above 0.
    """
    if value is None:
        return None
    values = list(value) if isinstance(value, Sequence) else [value] * count
    if len(values) != count:
        raise ShapeError(f"interpolate: {name} must be one number, or {count}; got {value!r}.")
    for each in values:
        if name == "size":
            require_integer("size", each, 1)
        else:
            require_range("scale_factor", each, above=0)
    return values


def _extents(x: Any, dim: int, size: Any, factor: Any, recompute: bool) -> tuple[int, int, float]:
    """The old and the new size of a dimension, and how far apart new pixels are in old ones."""
    old = x.shape[dim]
    if old is None:
        raise ShapeError(
            f"interpolate: the size of dimension {dim} is unknown until it is fed, of "
            f"{described(x)}. Give it, or use a whole scale_factor and the mode 'nearest'."
        )
    new = floor(old * factor) if size is None else size
    if not old or not new:
        raise ShapeError(f"interpolate: {described(x)} would be resized from {old} to {new}.")
    return old, new, old / new if factor is None or recompute else 1 / factor


def _resized(x: Any, dim: int, old: int, new: int, ratio: float, mode: str, align: bool) -> Any:
    """x with another size of one dimension."""
    if mode == "area":
        return AdaptiveMean(dim, new)(x)
    if mode in _LINEAR:
        weights = _weights(x, old, new, ratio, mode, align)
        if dim == x.ndim - 1:
            return matmul(x, cast("Any", weights.t()))
        return transpose(matmul(transpose(x, dim, -1), cast("Any", weights.t())), dim, -1)
    shift = 0.5 if mode == "nearest-exact" else 0.0
    ratio = float(empty(()).fill_(ratio))  # torch counts in float32
    places = [min(int((place + shift) * ratio), old - 1) for place in range(new)]
    return index_select(x, dim, cast("Any", _like(x).long().new_tensor(places)))


def _weights(x: Any, old: int, new: int, ratio: float, mode: str, align: bool) -> Tensor:
    """How much of each old element is in each new one.  Shape (new, old)."""
    result = _like(x).new_zeros((new, old), dtype=x.dtype)
    for place in range(new):
        if align:
            at = place * ((old - 1) / (new - 1) if new > 1 else 0.0)
        else:
            at = (place + 0.5) * ratio - 0.5
        if mode != "bicubic":  # the border is as far as it goes
            at = min(max(at, 0.0), old - 1.0)
        first = floor(at)
        for step, weight in _neighbours(at - first, mode):
            result[place, min(max(first + step, 0), old - 1)] += weight
    return result


def _neighbours(part: float, mode: str) -> list[tuple[int, float]]:
    """The weight of each neighbour of a point between two pixels, by its steps from the first."""
    if mode != "bicubic":
        return [(0, 1 - part), (1, part)]
    left = [(-1, _outer(1 + part)), (0, _inner(part))]
    return [*left, (1, _inner(1 - part)), (2, _outer(2 - part))]


_BEND = -0.75
"""The parameter a of the cubic pieces, as torch has it."""


def _inner(t: float) -> float:
    """The weight of a neighbour at a distance up to 1."""
    return ((_BEND + 2) * t - (_BEND + 3)) * t * t + 1


def _outer(t: float) -> float:
    """The weight of a neighbour at a distance from 1 to 2."""
    return ((_BEND * t - 5 * _BEND) * t + 8 * _BEND) * t - 4 * _BEND


def _like(x: Any) -> Tensor:
    """An empty tensor where x is; a node takes it as a constant."""
    return x.new_empty(0) if isinstance(x, TENSOR) else empty(0)


def pixel_shuffle(input: T, upscale_factor: int) -> T:
    """Channels as pixels: each group of r² channels becomes one channel, r times as high and wide.

    Shapes: (..., c · r · r, h, w) -> (..., c, h · r, w · r).

    Source: Shi et al., Real-time single image and video super-resolution (2016), equation 4.

    Raises:
        ShapeError: there are fewer than 3 dimensions, or r² does not divide the channels.

    >>> from torch import empty
    >>> pixel_shuffle(empty(1, 8, 2, 3), 2).shape
    torch.Size([1, 2, 4, 6])
    """
    r, front = _factor("pixel_shuffle", input, upscale_factor)
    x = unflatten(input, front, (-1, r, r))  # (..., c, r, r, h, w)
    around: tuple[int, ...] = tuple(range(front + 1))
    order = (*around, front + 3, front + 1, front + 4, front + 2)
    return flatten(flatten(permute(x, order), front + 3), front + 1, front + 2)


def pixel_unshuffle(input: T, downscale_factor: int) -> T:
    """Pixels as channels: the inverse of `pixel_shuffle`.

    Shapes: (..., c, h · r, w · r) -> (..., c · r · r, h, w).

    Raises:
        ShapeError: there are fewer than 3 dimensions, or r does not divide height and width.

    >>> from torch import empty
    >>> pixel_unshuffle(empty(1, 2, 4, 6), 2).shape
    torch.Size([1, 8, 2, 3])
    """
    r, front = _factor("pixel_unshuffle", input, downscale_factor)
    x = unflatten(unflatten(input, front + 2, (-1, r)), front + 1, (-1, r))  # (.., c, h, r, w, r)
    around: tuple[int, ...] = tuple(range(front + 1))
    order = (*around, front + 2, front + 4, front + 1, front + 3)
    return flatten(permute(x, order), front, front + 2)


def _factor(name: str, x: Any, factor: int) -> tuple[int, int]:
    """The factor, and the dimension of the channels.

    Raises:
        ShapeError: there are fewer than 3 dimensions.
    """
    require_tensors(name, x)
    if x.ndim < 3:
        raise ShapeError(f"{name} takes images of shape (..., c, h, w); got {described(x)}.")
    return require_integer(f"{name}: the factor", factor, 1), x.ndim - 3
