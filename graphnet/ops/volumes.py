"""Volumes, images with a depth: conv3d and max_pool3d, made of those of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.ops.arithmetic import add
from graphnet.ops.borders import pad
from graphnet.ops.convolution import conv2d, require_padding_name
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.indexing import ALL, getitem, select
from graphnet.ops.pooling import max_pool2d
from graphnet.ops.shapes import flatten, reshape, squeeze, transpose, unsqueeze
from graphnet.ops.unflatten import unflatten
from graphnet.ops.window_options import Sizes, sizes_of

if TYPE_CHECKING:
    from graphnet.op import T

__all__ = ["conv3d", "max_pool3d"]


def _volumes(name: str, x: Any) -> Any:
    """Volumes with a batch, whose sizes other than the batch are known.

    Raises:
        ShapeError: there are other dimensions, or a size is unknown.
    """
    require_tensors(name, x)
    if x.ndim not in (4, 5) or None in x.shape[-4:]:
        raise ShapeError(
            f"{name} takes volumes of shape (n, c, d, h, w) or (c, d, h, w), of which only n may "
            f"be unknown until it is fed; got {described(x)}."
        )
    return unsqueeze(x, 0) if x.ndim == 4 else x


def conv3d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> T:
    """The convolution of volumes: the sum of `conv2d` over the depth of the kernel.

    Shapes: input (n, c, d, h, w) or (c, d, h, w), weight (o, c / groups, a, b, e), bias (o)
    -> (n, o, d', h', w') or (o, d', h', w'), as in `conv2d`.

    Raises:
        ShapeError: channels, groups or bias do not fit, the kernel is larger than the volume, or a
            size other than the batch is unknown.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> conv3d(empty(1, 1, 2, 2, 3).fill_(1), empty(1, 1, 2, 2, 2).fill_(1))
    tensor([[[[[8., 8.]]]]])
    """
    x = _volumes("conv3d", input)
    require_tensors("conv3d", weight)
    if weight.ndim != 5 or None in weight.shape:
        raise ShapeError(
            f"conv3d takes a weight of 5 dimensions of known size; got {described(weight)}."
        )
    steps, gaps = sizes_of(stride, 3, "stride"), sizes_of(dilation, 3, "dilation")
    kernel: Any = weight.shape[2:]
    borders = [(0, 0)] * 3
    if not isinstance(padding, str):
        borders = [(each, each) for each in sizes_of(padding, 3, "padding", 0)]
    else:
        require_padding_name(padding, steps)
        if padding == "same":
            whole = [gap * (size - 1) for gap, size in zip(gaps, kernel, strict=True)]
            borders = [(each // 2, each - each // 2) for each in whole]
    x = pad(x, [each for pair in reversed(borders) for each in pair])
    depth = (x.shape[2] - gaps[0] * (kernel[0] - 1) - 1) // steps[0] + 1
    if depth < 1:
        raise ShapeError(f"conv3d: the kernel {kernel} is deeper than {described(input)}.")
    total: Any = None
    for place in range(kernel[0]):
        first = place * gaps[0]
        layers = slice(first, first + (depth - 1) * steps[0] + 1, steps[0])
        planes = getitem(x, (slice(*ALL), slice(*ALL), layers))
        images = flatten(transpose(planes, 1, 2), 0, 1)  # the depth beside the batch
        shared = bias if place == 0 else None
        taps: Any = select(weight, 2, place)
        part = conv2d(images, taps, shared, steps[1:], 0, gaps[1:], groups)
        total = part if total is None else add(total, part)
    result: T = transpose(unflatten(total, 0, (-1, depth)), 1, 2)
    return squeeze(result, 0) if input.ndim == 4 else result


def max_pool3d(
    input: T,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> T:
    """The largest element of each window of a volume: `max_pool2d` of planes, then of their depth.

    Shapes: (n, c, d, h, w) or (c, d, h, w) -> (n, c, d', h', w') or (c, d', h', w').

    Raises:
        ShapeError: no window fits into the padded volume, or a size other than the batch is
            unknown.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> max_pool3d(empty(1, 1, 2, 2, 4).fill_(3), 2)
    tensor([[[[[3., 3.]]]]])
    """
    x = _volumes("max_pool3d", input)
    size = sizes_of(kernel_size, 3, "kernel_size")
    step = size if stride in (None, (), []) else sizes_of(stride, 3, "stride")
    border, gap = sizes_of(padding, 3, "padding", 0), sizes_of(dilation, 3, "dilation")
    channels, depth = x.shape[1:3]
    flat = flatten(x, 1, 2)
    planes = max_pool2d(flat, size[1:], step[1:], border[1:], gap[1:], ceil_mode)
    height, width = planes.shape[2:]
    columns = reshape(planes, -1, channels, depth, height * width)
    along = ((size[0], 1), (step[0], 1), (border[0], 0), (gap[0], 1), ceil_mode)
    result: T = unflatten(max_pool2d(columns, *along), -1, (height, width))
    return squeeze(result, 0) if input.ndim == 4 else result
