"""A convolution as one matrix product: helpers of the classes in `convolution`.

The matrices have one block for each group. `op` is the convolution, read for its options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.ops.image_windows import spans, sum_windows, window_counts, windows

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.ops.window_options import Pair


def columns(op: Any, x: Tensor, weight: Tensor) -> Tensor:
    """The pixels of all windows: (groups, c / groups · a · b, h' · w' · n), the batch innermost."""
    down, across = counts(op, x, weight)
    kernel = (weight.shape[2], weight.shape[3])
    view = windows(x, kernel, op.stride, op.padding, op.dilation).permute(1, 4, 5, 2, 3, 0)
    height = weight.shape[1] * kernel[0] * kernel[1]
    return view.reshape(op.groups, height, down * across * x.shape[0])


def rows(op: Any, y: Tensor) -> Tensor:
    """The values of each output channel: (groups, o / groups, h' · w' · n)."""
    batch, outputs, down, across = y.shape
    sizes = (op.groups, outputs // op.groups, down * across * batch)
    return y.permute(1, 2, 3, 0).reshape(sizes)


def kernels(op: Any, weight: Tensor) -> Tensor:
    """The weights of each output channel: (groups, o / groups, c / groups · a · b)."""
    outputs, inputs, height, width = weight.shape
    return weight.reshape(op.groups, outputs // op.groups, inputs * height * width)


def as_image(product: Tensor, op: Any, x: Tensor, weight: Tensor) -> Tensor:
    """The product of kernels and columns as images: a view, the batch innermost in memory."""
    sizes = (weight.shape[0], *counts(op, x, weight), x.shape[0])
    return product.view(sizes).permute(3, 0, 1, 2)


def spread(op: Any, y: Tensor, weight: Tensor, size: Pair) -> Tensor:
    """The adjoint of a convolution by its input: weights times y, summed over all windows."""
    batch, _, down, across = y.shape
    values = kernels(op, weight).mT.matmul(rows(op, y))
    sizes = (weight.shape[1] * op.groups, *weight.shape[2:], down, across, batch)
    taps = values.view(sizes).permute(5, 0, 3, 4, 1, 2)
    return sum_windows(taps, size, op.stride, op.padding, op.dilation)


def counts(op: Any, x: Tensor, weight: Tensor) -> Pair:
    """The size of a convolution's output.

    Raises:
        ShapeError: the channels, the groups or the kernel do not fit.
    """
    outputs, inputs = weight.shape[0], weight.shape[1] * op.groups
    if x.shape[1] != inputs or outputs % op.groups:
        raise ShapeError(
            f"the image has {x.shape[1]} channels; the weight {tuple(weight.shape)} takes {inputs} "
            f"and returns {outputs} in {op.groups} groups"
        )
    require_pixels(x, weight, outputs)
    size, kernel = (x.shape[2], x.shape[3]), (weight.shape[2], weight.shape[3])
    return window_counts(size, kernel, op.stride, op.padding, op.dilation)


def grown(op: Any, x: Tensor, weight: Tensor) -> Pair:
    """The size of a transposed convolution's output.

    Raises:
        ShapeError: the channels or groups do not fit, or nothing is left after the padding.
    """
    if x.shape[1] != weight.shape[0] or weight.shape[0] % op.groups:
        raise ShapeError(
            f"the image has {x.shape[1]} channels; the weight {tuple(weight.shape)} takes "
            f"{weight.shape[0]} in {op.groups} groups"
        )
    covered = spans((weight.shape[2], weight.shape[3]), op.dilation)
    top, bottom, left, right = op.padding
    height = (x.shape[2] - 1) * op.stride[0] + covered[0] - top - bottom
    width = (x.shape[3] - 1) * op.stride[1] + covered[1] - left - right
    require_pixels(x, weight, min(weight.shape[:2]))
    if min(height, width) < 1:
        raise ShapeError(f"the output would have {height} × {width} pixels")
    return height, width


def require_pixels(x: Tensor, weight: Tensor, channels: int) -> None:
    """Refuse an image or a kernel without pixels, and a weight without channels.

    Raises:
        ShapeError: one has none.
    """
    if 0 in (*x.shape[2:], *weight.shape[2:], channels):
        raise ShapeError(
            f"an image and a kernel need pixels, and a weight needs channels; got an image "
            f"{tuple(x.shape)} and a weight {tuple(weight.shape)}"
        )


def require_bias(bias: Any, outputs: int) -> None:
    """Refuse a bias that is not one number for each output channel.

    Raises:
        ShapeError: the bias has another shape.
    """
    if tuple(bias.shape) != (outputs,):
        raise ShapeError(f"the bias must have the shape ({outputs},); got {tuple(bias.shape)}")
