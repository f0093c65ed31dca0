"""Windows of an image: their number, their pixels, and sums back into the image.

Convolution and pooling share these functions, which take only tensors. Images are (n, c, h, w).
Results keep the batch as the innermost dimension in memory: a window then reads long contiguous
runs, which is several times faster than runs as long as a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphnet.errors import ShapeError
from graphnet.ops.dtypes import narrowed, widened

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.ops.window_options import Padding, Pair


def spans(kernel: Pair, dilation: Pair) -> Pair:
    """How many pixels a window spans, down and across."""
    return dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1


def window_counts(size: Pair, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Pair:
    """How many windows fit into the padded image, down and across.

    Raises:
        ShapeError: none fits.
    """
    top, bottom, left, right = padding
    height, width = size[0] + top + bottom, size[1] + left + right
    covered = spans(kernel, dilation)
    if covered[0] > height or covered[1] > width:
        raise ShapeError(
            f"a kernel that covers {covered[0]} × {covered[1]} pixels does not fit "
            f"into an image of {height} × {width} pixels, padding included"
        )
    return (height - covered[0]) // stride[0] + 1, (width - covered[1]) // stride[1] + 1


def padded(x: Tensor, padding: Padding, fill: float = 0.0) -> Tensor:
    """An image with a border around it; x itself if the border is empty."""
    top, bottom, left, right = padding
    height, width = x.shape[2] + min(bottom, 0), x.shape[3] + min(right, 0)
    x = x[:, :, :height, :width]
    if max(padding) <= 0:
        return x
    sizes = (x.shape[1], height + top + max(bottom, 0), width + left + max(right, 0), x.shape[0])
    result = x.new_full(sizes, fill).permute(3, 0, 1, 2)
    result[:, :, top : top + height, left : left + width] = x
    return result


def windows(x: Tensor, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Tensor:
    """A view of the pixels of each window: (n, c, h, w) -> (n, c, down, across, *kernel)."""
    height, width = spans(kernel, dilation)
    view = padded(x, padding).unfold(2, height, stride[0]).unfold(3, width, stride[1])
    return view[..., :: dilation[0], :: dilation[1]]


def sum_windows(
    values: Tensor, size: Pair, stride: Pair, padding: Padding, dilation: Pair
) -> Tensor:
    """The sum of all windows at their positions, the adjoint of `windows`: -> (n, c, *size)."""
    batch, channels, down, across, *kernel = values.shape
    (height, width), (top, bottom, left, right) = size, padding
    sizes = (channels, height + top + max(bottom, 0), width + left + max(right, 0), batch)
    image = widened(values.new_empty(0)).new_zeros(sizes).permute(3, 0, 1, 2)
    for i, j, tap in taps(image, (kernel[0], kernel[1]), stride, dilation, (down, across)):
        tap.add_(values[..., i, j])
    return narrowed(image[:, :, top : top + height, left : left + width], values)


def taps(
    image: Tensor, kernel: Pair, stride: Pair, dilation: Pair, counts: Pair
) -> Iterator[tuple[int, int, Tensor]]:
    """For each position in the kernel, a view of the pixels that it meets in all windows."""
    for i in range(kernel[0]):
        rows = slice(i * dilation[0], i * dilation[0] + (counts[0] - 1) * stride[0] + 1, stride[0])
        for j in range(kernel[1]):
            start = j * dilation[1]
            columns = slice(start, start + (counts[1] - 1) * stride[1] + 1, stride[1])
            yield i, j, image[..., rows, columns]
