"""Pooling and transposed convolution of series: those of images that have one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.mean_pooling import avg_pool2d
from graphnet.ops.pooling import max_pool2d
from graphnet.ops.shapes import squeeze, unsqueeze
from graphnet.ops.transposed import conv_transpose2d
from graphnet.ops.window_options import Sizes, sizes_of

if TYPE_CHECKING:
    from graphnet.op import T

__all__ = ["avg_pool1d", "conv_transpose1d", "max_pool1d"]


def _as_image(name: str, x: Any) -> Any:
    """A series as an image of one row.

    Raises:
        ShapeError: it has neither 2 nor 3 dimensions.
    """
    require_tensors(name, x)
    if x.ndim not in (2, 3):
        raise ShapeError(f"{name} takes series of shape (n, c, w) or (c, w); got {described(x)}.")
    return unsqueeze(x, -2)


def _one(value: Any, name: str, least: int = 1) -> int:
    return sizes_of(value, 1, name, least)[0]


def _window(kernel_size: Any, stride: Any, padding: Any) -> tuple[Any, Any, Any]:
    """The options of a window in a series, for an image of one row."""
    size = _one(kernel_size, "kernel_size")
    step = size if stride in (None, (), []) else _one(stride, "stride")
    return (1, size), (1, step), (0, _one(padding, "padding", 0))


def max_pool1d(
    input: T,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of a series: `max_pool2d` of one row.

    Shapes: (n, c, w) or (c, w) -> (n, c, w') or (c, w'); with `return_indices` a tuple of two, the
    second with the index of each largest element in its series.

    Raises:
        ShapeError: no window fits into the padded series.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> max_pool1d(empty(1, 1, 4).fill_(3), 2)
    tensor([[[3., 3.]]])
    """
    image = _as_image("max_pool1d", input)
    options = _window(kernel_size, stride, padding)
    gaps = (1, _one(dilation, "dilation"))
    if not return_indices:
        return squeeze(max_pool2d(image, *options, gaps, ceil_mode), -2)
    found = max_pool2d(image, *options, gaps, ceil_mode, return_indices=True)
    return tuple(squeeze(each, -2) for each in found)


def avg_pool1d(
    input: T,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> T:
    """The mean of each window of a series: `avg_pool2d` of one row.

    Shapes: (n, c, w) or (c, w) -> (n, c, w') or (c, w').

    Raises:
        ShapeError: no window fits into the padded series.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> avg_pool1d(empty(1, 1, 4).fill_(3), 2)
    tensor([[[3., 3.]]])
    """
    image: T = _as_image("avg_pool1d", input)
    options = _window(kernel_size, stride, padding)
    return squeeze(avg_pool2d(image, *options, ceil_mode, count_include_pad), -2)


def conv_transpose1d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> T:
    """The adjoint of `conv1d`: `conv_transpose2d` of one row.

    Shapes: input (n, c, w) or (c, w), weight (c, o / groups, b), bias (o) -> (n, o, w') or (o, w')
    with w' = (w - 1) stride - 2 padding + dilation (b - 1) + output_padding + 1.

    Raises:
        ShapeError: channels, groups or bias do not fit, or the output would be empty.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> conv_transpose1d(empty(1, 1, 2).fill_(1), empty(1, 1, 2).fill_(1))
    tensor([[[1., 2., 1.]]])
    """
    image: T = _as_image("conv_transpose1d", input)
    result = conv_transpose2d(
        image,
        unsqueeze(weight, -2),
        bias,
        (1, _one(stride, "stride")),
        (0, _one(padding, "padding", 0)),
        (0, _one(output_padding, "output_padding", 0)),
        groups,
        (1, _one(dilation, "dilation")),
    )
    return squeeze(result, -2)
