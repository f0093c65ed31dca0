"""Pooling to a given number of windows: adaptive_avg_pool1d and 3d, adaptive_max_pool1d to 3d."""

from __future__ import annotations

from builtins import max as largest
from math import prod
from typing import TYPE_CHECKING, Any, cast

from torch import empty

from graphnet.errors import GraphError, ShapeError
from graphnet.ops.arithmetic import add
from graphnet.ops.broadcasting import zeros_like
from graphnet.ops.dims import TENSOR, described, require_tensors
from graphnet.ops.dtypes import cast_to
from graphnet.ops.extremes import max
from graphnet.ops.gathering import gather, index_select
from graphnet.ops.mean_pooling import AdaptiveMean, parts
from graphnet.ops.shapes import squeeze, unsqueeze
from graphnet.ops.unflatten import unflatten
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from graphnet.op import T

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
]


def _counts(name: str, x: Any, output_size: Any, count: int) -> list[Any]:
    """The number of windows along each of the last dimensions.

    Raises:
        ShapeError: x has other dimensions, or none of a size that is to be divided.
        GraphError: it is not one integer, or one for each dimension; None keeps a size.
    """
    require_tensors(name, x)
    if x.ndim not in (count + 1, count + 2) or 0 in x.shape[-count:]:
        raise ShapeError(
            f"{name} takes {count + 1} or {count + 2} dimensions, with elements; got "
            f"{described(x)}."
        )
    sizes = list(output_size) if isinstance(output_size, tuple | list) else [output_size] * count
    if len(sizes) != count or (output_size is None):
        raise GraphError(
            f"{name}: output_size must be one integer, or {count} (None keeps a size); got "
            f"{output_size!r}."
        )
    return [each if each is None else require_integer("output_size", each, 0) for each in sizes]


def adaptive_avg_pool1d(input: T, output_size: Any) -> T:
    """The means of a given number of windows of a series: see `adaptive_avg_pool2d`.

    Shapes: (n, c, w) or (c, w) -> (n, c, w') or (c, w').

    Raises:
        ShapeError: there are other dimensions, or no elements.
        GraphError: output_size is not an integer.

    >>> from torch import empty
    >>> adaptive_avg_pool1d(empty(1, 5).fill_(3), 2)
    tensor([[3., 3.]])
    """
    return _means("adaptive_avg_pool1d", input, output_size, 1)


def adaptive_avg_pool3d(input: T, output_size: Any) -> T:
    """The means of a given number of windows of a volume: see `adaptive_avg_pool2d`.

    Shapes: (n, c, d, h, w) or (c, d, h, w) -> (n, c, d', h', w') or (c, d', h', w').

    Raises:
        ShapeError: there are other dimensions, or no elements.
        GraphError: output_size is not one or three integers, or None.

    >>> from torch import empty
    >>> adaptive_avg_pool3d(empty(1, 2, 3, 4).fill_(3), 1)
    tensor([[[[3.]]]])
    """
    return _means("adaptive_avg_pool3d", input, output_size, 3)


def _means(name: str, x: T, output_size: Any, count: int) -> T:
    for place, windows in reversed([*enumerate(_counts(name, x, output_size, count))]):
        if windows is not None:
            x = AdaptiveMean(x.ndim - count + place, windows)(x)
    return x


def adaptive_max_pool1d(input: T, output_size: Any, return_indices: bool = False) -> Any:
    """The largest element of each of a given number of windows of a series.

    Window i goes from element ⌊i w / w'⌋ to ⌈(i + 1) w / w'⌉. The first largest gets the gradient.
    Shapes: (n, c, w) or (c, w) -> (n, c, w') or (c, w'); with `return_indices` a tuple of two, the
    second with the index of each largest element in its series.

    Raises:
        ShapeError: there are other dimensions, no elements, or a size is unknown.
        GraphError: output_size is not an integer.

    >>> from torch import empty
    >>> adaptive_max_pool1d(empty(1, 5).fill_(3), 2)
    tensor([[3., 3.]])
    """
    return _largest("adaptive_max_pool1d", input, output_size, 1, return_indices)


def adaptive_max_pool2d(input: T, output_size: Any, return_indices: bool = False) -> Any:
    """The largest pixel of each of a given number of windows: see `adaptive_max_pool1d`.

    Shapes: (n, c, h, w) or (c, h, w) -> (n, c, h', w') or (c, h', w'); the indices are h w' + w.

    Raises:
        ShapeError: there are other dimensions, no pixels, or a size is unknown.
        GraphError: output_size is not one or two integers, or None.

    >>> from torch import empty
    >>> adaptive_max_pool2d(empty(1, 5, 7).fill_(3), (1, 2))
    tensor([[[3., 3.]]])
    """
    return _largest("adaptive_max_pool2d", input, output_size, 2, return_indices)


def adaptive_max_pool3d(input: T, output_size: Any, return_indices: bool = False) -> Any:
    """The largest element of each of a given number of windows of a volume.

    See `adaptive_max_pool1d`. Shapes: (n, c, d, h, w) or (c, d, h, w) -> (n, c, d', h', w') or
    (c, d', h', w').

    Raises:
        ShapeError: there are other dimensions, no elements, or a size is unknown.
        GraphError: output_size is not one or three integers, or None.

    >>> from torch import empty
    >>> adaptive_max_pool3d(empty(1, 2, 3, 4).fill_(3), 1)
    tensor([[[[3.]]]])
    """
    return _largest("adaptive_max_pool3d", input, output_size, 3, return_indices)


def _largest(name: str, x: Any, output_size: Any, count: int, return_indices: bool) -> Any:
    """The largest elements, one dimension after the other, and where they are in a channel."""
    counts = _counts(name, x, output_size, count)
    sizes = x.shape[-count:]
    if None in sizes:
        raise ShapeError(f"{name}: sizes other than the batch must be known; got {described(x)}.")
    indices = _numbers(x, sizes) if return_indices else None
    for place, windows in reversed([*enumerate(counts)]):
        if windows is not None:
            dim = x.ndim - count + place
            x, chosen = max(_windows(x, dim, sizes[place], windows), dim + 1)
            if indices is not None:
                them = _windows(indices, dim, sizes[place], windows)
                indices = squeeze(gather(them, dim + 1, unsqueeze(chosen, dim + 1)), dim + 1)
    return x if indices is None else (x, indices)


def _windows(x: Any, dim: int, size: int, count: int) -> Any:
    """The elements of each window in a dimension of their own; short ones repeat their last."""
    found = parts(size, count)
    longest = largest(end - start for start, end in found)
    places = [min(start + step, end - 1) for start, end in found for step in range(longest)]
    like = x.new_empty(0) if isinstance(x, TENSOR) else empty(0)
    windows = index_select(x, dim, cast("Any", like.long().new_tensor(places)))
    return unflatten(windows, dim, (count, longest))


def _numbers(x: Any, sizes: Any) -> Any:
    """The index of each element in its channel."""
    zeros = cast_to(zeros_like(x), empty(0).long().dtype)
    like = x.new_empty(0) if isinstance(x, TENSOR) else empty(0)
    numbers = like.long().new_ones(prod(sizes)).cumsum(0).sub(1).view(tuple(sizes))
    return add(zeros, cast("Any", numbers))
