"""Volumes, images with a depth: convolution and pooling, made of those of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from torch import empty

from graphnet.errors import ShapeError
from graphnet.ops.arithmetic import add
from graphnet.ops.borders import pad
from graphnet.ops.columns import require_bias
from graphnet.ops.convolution import conv2d, require_padding_name
from graphnet.ops.dims import TENSOR, described, require_tensors
from graphnet.ops.indexing import ALL, getitem, narrow, select
from graphnet.ops.mean_pooling import avg_pool2d
from graphnet.ops.pooling import PickPixels, max_pool2d
from graphnet.ops.shapes import flatten, reshape, squeeze, transpose, unsqueeze
from graphnet.ops.transposed import conv_transpose2d, refuse_long_output
from graphnet.ops.unflatten import unflatten
from graphnet.ops.window_options import Sizes, sizes_of
from graphnet.validation import require_flags

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op import T

__all__ = ["avg_pool3d", "conv3d", "conv_transpose3d", "max_pool3d"]


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


def conv_transpose3d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> T:
    """The adjoint of `conv3d`: the sum of `conv_transpose2d` over the depth of the kernel.

    Shapes: input (n, c, d, h, w) or (c, d, h, w), weight (c, o / groups, a, b, e), bias (o)
    -> (n, o, d', h', w') or (o, d', h', w'), as in `conv_transpose2d`.

    Raises:
        ShapeError: channels, groups or bias do not fit, the output would be empty, or a size other
            than the batch is unknown.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> x, weight = empty(1, 1, 1, 1, 2).fill_(1), empty(1, 1, 1, 1, 2).fill_(1)
    >>> conv_transpose3d(x, weight)
    tensor([[[[[1., 2., 1.]]]]])
    """
    x = _volumes("conv_transpose3d", input)
    require_tensors("conv_transpose3d", weight)
    if weight.ndim != 5 or None in weight.shape:
        raise ShapeError(
            f"conv_transpose3d takes a weight of 5 known sizes; got {described(weight)}."
        )
    steps, gaps = sizes_of(stride, 3, "stride"), sizes_of(dilation, 3, "dilation")
    borders = sizes_of(padding, 3, "padding", 0)
    more = sizes_of(output_padding, 3, "output_padding", 0)
    refuse_long_output(more, steps, gaps)
    kernel: Any = weight.shape[2:]
    depth = x.shape[2]
    whole = (depth - 1) * steps[0] + gaps[0] * (kernel[0] - 1) + 1
    if whole - 2 * borders[0] + more[0] < 1:
        raise ShapeError(f"conv_transpose3d: nothing is left of {described(input)}.")
    images = flatten(transpose(x, 1, 2), 0, 1)  # the depth beside the batch
    rest: Any = (steps[1:], borders[1:], more[1:], groups, gaps[1:])
    total: Any = None
    for place in range(kernel[0]):
        taps: Any = select(weight, 2, place)
        planes = unflatten(conv_transpose2d(images, taps, None, *rest), 0, (-1, depth))
        apart = pad(unsqueeze(transpose(planes, 1, 2), 3), (0, 0, 0, 0, 0, steps[0] - 1))  # zeros
        part = narrow(flatten(apart, 2, 3), 2, 0, (depth - 1) * steps[0] + 1)
        first = place * gaps[0]
        part = pad(part, (0, 0, 0, 0, first, whole + more[0] - first - part.shape[2]))
        total = part if total is None else add(total, part)
    result: Any = narrow(total, 2, borders[0], whole - 2 * borders[0] + more[0])
    if bias is not None:
        require_bias(bias, result.shape[1])
        result = add(result, reshape(bias, -1, 1, 1, 1))
    return cast("T", squeeze(result, 0) if input.ndim == 4 else result)


def max_pool3d(
    input: T,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of a volume: `max_pool2d` of planes, then of their depth.

    Shapes: (n, c, d, h, w) or (c, d, h, w) -> (n, c, d', h', w') or (c, d', h', w'); with
    `return_indices` a tuple of two, the second with the index of each largest element in its
    channel.

    Raises:
        ShapeError: no window fits into the padded volume, or a size other than the batch is
            unknown.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> max_pool3d(empty(1, 1, 2, 2, 4).fill_(3), 2)
    tensor([[[[[3., 3.]]]]])
    """
    x = _volumes("max_pool3d", input)
    require_flags(return_indices=return_indices)
    size, step, border = _window(kernel_size, stride, padding)
    gap = sizes_of(dilation, 3, "dilation")
    depth = x.shape[2]
    window: Any = (size[1:], step[1:], border[1:], gap[1:], ceil_mode)
    along: Any = ((size[0], 1), (step[0], 1), (border[0], 0), (gap[0], 1), ceil_mode)
    planes, places = max_pool2d(flatten(x, 1, 2), *window, return_indices=True)
    found, deep = max_pool2d(_columns(planes, depth), *along, return_indices=True)
    result = _unfolded(found, planes, input)
    if not return_indices:
        return result
    # the index in a plane, and those of all planes before it
    before = _like(x).long().new_ones(depth).cumsum(0).sub(1) * (x.shape[3] * x.shape[4])
    numbers = add(_columns(places, depth), cast("Any", before.view(1, 1, depth, 1)))
    return result, _unfolded(PickPixels()(numbers, deep), planes, input)


def avg_pool3d(
    input: T,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> T:
    """The mean of each window of a volume: `avg_pool2d` of planes, then of their depth.

    Shapes: (n, c, d, h, w) or (c, d, h, w) -> (n, c, d', h', w') or (c, d', h', w').

    Raises:
        ShapeError: no window fits into the padded volume, or a size other than the batch is
            unknown.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> avg_pool3d(empty(1, 1, 2, 2, 4).fill_(3), 2)
    tensor([[[[[3., 3.]]]]])
    """
    x = _volumes("avg_pool3d", input)
    size, step, border = _window(kernel_size, stride, padding)
    single = None if divisor_override is None else 1  # sums, which are divided once
    options: Any = (size[1:], step[1:], border[1:], ceil_mode, count_include_pad, single)
    planes: Any = avg_pool2d(flatten(x, 1, 2), *options)
    options = ((size[0], 1), (step[0], 1), (border[0], 0), *options[3:5], divisor_override)
    found = avg_pool2d(_columns(planes, x.shape[2]), *options)
    return cast("T", _unfolded(found, planes, input))


def _window(kernel_size: Any, stride: Any, padding: Any) -> tuple[Any, Any, Any]:
    """The size, the step and the border of a window."""
    size = sizes_of(kernel_size, 3, "kernel_size")
    step = size if stride in (None, (), []) else sizes_of(stride, 3, "stride")
    return size, step, sizes_of(padding, 3, "padding", 0)


def _columns(planes: Any, depth: int) -> Any:
    """Planes (n, c d, h, w) as images of one row for each plane, (n, c, d, h w)."""
    return flatten(unflatten(planes, 1, (-1, depth)), 3)


def _unfolded(columns: Any, planes: Any, like: Any) -> Any:
    """Images of columns as volumes, with the batch if the input has one."""
    result = unflatten(columns, -1, tuple(planes.shape[-2:]))
    return squeeze(result, 0) if like.ndim == 4 else result


def _like(x: Any) -> Tensor:
    """An empty tensor where x is; a node takes it as a constant."""
    return x.new_empty(0) if isinstance(x, TENSOR) else empty(0)
