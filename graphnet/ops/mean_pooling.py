"""Average pooling: over windows of a given size, or over a given number of windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, ShapeError
from graphnet.op import Op, T
from graphnet.ops.dims import described
from graphnet.ops.dtypes import narrowed, widened
from graphnet.ops.image_windows import padded, sum_windows, taps
from graphnet.ops.pooling import HINT, layout, require_half, window_of
from graphnet.ops.window_options import Pair, Sizes, on_batch, require_tensor
from graphnet.validation import require_flags, require_integer

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["adaptive_avg_pool2d", "avg_pool2d"]


class _Mean(Op, abstract=True):
    """The options of a mean over windows, and of its gradient."""

    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None


class AvgPool2d(_Mean):
    """y = Σ x / m over each window, so dy/dx = 1 / m, with m pixels in the window.

    Shapes: (n, c, h, w) -> (n, c, h', w').
    """

    symbol = "avg pool"
    hint = HINT

    def trial(self, x: Tensor) -> Tensor:
        return x.new_zeros((*x.shape[:2], *layout(self, x)[0]))

    def forward(self, x: Tensor) -> Tensor:
        counts, border = layout(self, x)
        views = taps(padded(x, border), self.kernel, self.stride, (1, 1), counts)
        first = next(views)[2]
        total = widened(first).clone()
        for _, _, view in views:
            total = total.add_(view)
        rounding = None if x.dtype.is_floating_point else "trunc"
        return narrowed(total.div(pixels_in(self, x, counts), rounding_mode=rounding), x)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return AvgPool2dGrad(**self.options)(grad, x_like)


class AvgPool2dGrad(_Mean):
    """The gradient of a mean over windows, from the gradient y of its output.

    Shapes: (n, c, h', w'), (n, c, h, w) -> (n, c, h, w).
    """

    symbol = "avg poolᵀ"

    def trial(self, y: Tensor, x_like: Tensor) -> Tensor:
        return y.new_zeros(x_like.shape)

    def forward(self, y: Tensor, x_like: Tensor) -> Tensor:
        counts, border = layout(self, x_like)
        share = (widened(y) / pixels_in(self, x_like, counts)).unsqueeze(-1).unsqueeze(-1)
        size, seen = (x_like.shape[2], x_like.shape[3]), share.expand(*y.shape, *self.kernel)
        return narrowed(sum_windows(seen, size, self.stride, border, (1, 1)), y)

    def grad_y(self, grad: Tensor) -> Tensor:
        return AvgPool2d(**self.options)(grad)


def pixels_in(op: Any, x: Tensor, counts: Pair) -> Tensor | int:
    """The number of pixels that each window's mean counts: (h', w'), or one number for all."""
    if op.divisor_override is not None:
        return int(op.divisor_override)
    sides = []
    for place, count in enumerate(counts):
        size, kernel = x.shape[2 + place], op.kernel[place]
        border = op.padding[place]
        starts = [each * op.stride[place] - border for each in range(count)]
        ends = [min(start + kernel, size + border) for start in starts]
        if not op.count_include_pad:
            ends = [min(end, size) for end in ends]
            starts = [max(start, 0) for start in starts]
        sides.append([end - start for start, end in zip(starts, ends, strict=True)])
    if all(set(side) == {kernel} for side, kernel in zip(sides, op.kernel, strict=True)):
        return int(op.kernel[0] * op.kernel[1])
    numbers = widened(x.new_empty(0))  # float16 holds no odd count above 2,048
    return numbers.new_tensor(sides[0]).unsqueeze(1) * numbers.new_tensor(sides[1])


def avg_pool2d(
    input: T,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> T:
    """The mean of each window.

    The border counts as zeros, or not at all if count_include_pad is False; divisor_override
    replaces the number of pixels as the divisor.

    Shapes: input (n, c, h, w) or (c, h, w) -> (n, c, h', w') or (c, h', w')
    with h' = ⌊(h + 2 padding - kernel_size) / stride⌋ + 1, rounded up instead for ceil_mode; a
    stride of None is the kernel size.

    Raises:
        ShapeError: no window fits into the padded image.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> avg_pool2d(empty(1, 2, 4).fill_(3), 2)
    tensor([[[3., 3.]]])
    """
    require_tensor(input, "the input of avg_pool2d", (3, 4), ("int64",))
    require_flags(ceil_mode=ceil_mode, count_include_pad=count_include_pad)
    kernel, steps, borders = window_of(kernel_size, stride, padding)
    require_half(borders, kernel)
    if divisor_override is not None and require_integer("divisor_override", divisor_override) == 0:
        raise GraphError("divisor_override must be an integer other than 0; got 0.")
    options = (kernel, steps, borders, ceil_mode, count_include_pad, divisor_override)
    return on_batch(AvgPool2d(*options), input)


class AdaptiveMean(Op):
    """y = the mean of each of `count` parts of a dimension, so dy/dx = 1 / n in a part of n.

    Part i goes from ⌊i h / count⌋ to ⌈(i + 1) h / count⌉; parts overlap where count does not
    divide h.  Shapes: (n, c, h, w) -> (n, c, count, w) for dim 2.
    """

    symbol = "adaptive avg pool"
    hint = "Images are (n, c, h, w) or (c, h, w) with at least one pixel."
    dim: int
    count: int

    def forward(self, x: Tensor) -> Tensor:
        if not x.shape[self.dim]:
            raise ShapeError(f"an image needs pixels; got {tuple(x.shape)}")
        sizes = (*x.shape[: self.dim], self.count, *x.shape[self.dim + 1 :])
        result = x.new_zeros(sizes)
        for place, (start, end) in enumerate(parts(x.shape[self.dim], self.count)):
            mean = x.narrow(self.dim, start, end - start).mean(self.dim)
            result.select(self.dim, place).copy_(mean)
        return result

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return AdaptiveMeanGrad(**self.options)(grad, x_like)


class AdaptiveMeanGrad(Op):
    """The gradient of the means of parts, from the gradient y of its output.

    Shapes: (n, c, count, w), (n, c, h, w) -> (n, c, h, w) for dim 2.
    """

    symbol = "adaptive avg poolᵀ"
    dim: int
    count: int

    def forward(self, y: Tensor, x_like: Tensor) -> Tensor:
        result = y.new_zeros(x_like.shape)
        for place, (start, end) in enumerate(parts(x_like.shape[self.dim], self.count)):
            share = y.narrow(self.dim, place, 1) / (end - start)
            result.narrow(self.dim, start, end - start).add_(share)
        return result

    def grad_y(self, grad: Tensor) -> Tensor:
        return AdaptiveMean(**self.options)(grad)


def parts(size: int, count: int) -> list[tuple[int, int]]:
    """The start and the end of each part."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def adaptive_avg_pool2d(input: T, output_size: Any) -> T:
    """The means of a given number of windows, spread evenly over the image.

    Window i goes from row ⌊i h / h'⌋ to row ⌈(i + 1) h / h'⌉; columns are divided likewise.

    Shapes: input (n, c, h, w) or (c, h, w) -> (n, c, h', w') or (c, h', w'), where output_size is
    h' = w', or (h', w'), with None to keep a size.

    Source: He et al., Spatial pyramid pooling in deep convolutional networks (2014), section 2.

    Raises:
        ShapeError: the image has no pixels.
        GraphError: output_size is not one or two integers, or None.

    >>> from torch import empty
    >>> adaptive_avg_pool2d(empty(1, 5, 7).fill_(3), (1, 2))
    tensor([[[3., 3.]]])
    """
    require_tensor(input, "the input of adaptive_avg_pool2d", (3, 4))
    if 0 in input.shape[-2:]:
        raise ShapeError(f"adaptive_avg_pool2d: an image needs pixels; got {described(input)}.")
    sizes = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * 2
    if len(sizes) != 2 or output_size is None:
        raise GraphError(
            f"output_size must be one size, or two (None keeps a size); got {output_size!r}."
        )
    for dim, count in zip((input.ndim - 1, input.ndim - 2), reversed(sizes), strict=True):
        if count is not None:
            input = AdaptiveMean(dim, require_integer("output_size", count, 0))(input)
    return input
