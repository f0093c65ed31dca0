"""Max pooling: each window of an image becomes one pixel, its largest.

Each channel is pooled by itself. `PickPixels` and `PutPixels` are each other's derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any, Literal, overload

from graphnet.errors import GraphError, ShapeError
from graphnet.op import Op, Structural, T
from graphnet.ops.branchless import chosen
from graphnet.ops.broadcasting import expand, zeros_like
from graphnet.ops.dims import described
from graphnet.ops.image_windows import padded, spans, taps
from graphnet.ops.indexing import narrow
from graphnet.ops.shapes import squeeze, unsqueeze
from graphnet.ops.window_options import (
    INTEGERS,
    Padding,
    Pair,
    Sizes,
    on_batch,
    pair,
    require_tensor,
)
from graphnet.validation import require_flags

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["max_pool2d", "max_unpool2d"]

HINT = "Images are (n, c, h, w) or (c, h, w), and the kernel must fit into the padded image."


class _Largest(Op, abstract=True):
    """The options of what looks for the largest pixel of each window."""

    hint = HINT
    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    ceil_mode: bool = False


class MaxPool2d(_Largest):
    """y = the largest of each window, so dy/dx = 1 at the first largest and 0 elsewhere.

    Shapes: (n, c, h, w) -> (n, c, h', w').
    """

    symbol = "max pool"

    def trial(self, x: Tensor) -> Tensor:
        return x.new_zeros((*x.shape[:2], *layout(self, x)[0]))

    def forward(self, x: Tensor) -> Tensor:
        counts, border = layout(self, x)
        views = taps(padded(x, border, lowest(x)), self.kernel, self.stride, self.dilation, counts)
        best = next(views)[2].clone()
        for _, _, view in views:
            best = best.maximum(view)
        return best

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        return PutPixels()(grad, MaxPlaces(**self.options)(x), x)


class MaxPlaces(_Largest):
    """The index h w' + w of the first largest pixel of each window, as torch numbers them.

    Shapes: (n, c, h, w) -> (n, c, h', w').
    """

    symbol = "argmax pool"

    def forward(self, x: Tensor) -> Tensor:
        counts, border = layout(self, x)
        height, width = x.shape[2:]
        numbers = x.new_ones(height * width).long().cumsum(0).sub(1).view(1, 1, height, width)
        window = (self.kernel, self.stride, self.dilation, counts)
        outside = height * width  # larger than every index: never the first
        places = [view for _, _, view in taps(padded(numbers, border, outside), *window)]
        first = places[0]
        for each in places:
            first = first.minimum(each)
        views = [view for _, _, view in taps(padded(x, border, lowest(x)), *window)]
        best = x.new_full((), lowest(x))
        for view, here in zip(views, places, strict=True):
            pixels = view.clone()  # side by side: what follows reads them three times
            # As in torch, the last NaN wins over all numbers.
            first = chosen((pixels > best).logical_or(pixels.ne(pixels)), here, first)
            best = best.maximum(pixels)
        return first

    grad_x = None


class PickPixels(Structural):
    """The pixels of x at the given indices.

    Shapes: (n, c, h, w), (n, c, a, b) -> (n, c, a, b).
    """

    symbol = "pick pixels"
    composite = True

    def forward(self, x: Tensor, places: Tensor) -> Tensor:
        return x.flatten(2).gather(2, places.flatten(2)).view(places.shape)

    def grad_x(self, grad: Tensor, places: Tensor, x_like: Tensor) -> Tensor:
        return PutPixels()(grad, places, x_like)

    grad_places = None


class PutPixels(Op):
    """Pixels put at their indices into an image of zeros; those at the same index are summed.

    Shapes: (n, c, a, b), (n, c, a, b), (n, c, h, w) -> (n, c, h, w).
    """

    symbol = "put pixels"

    def forward(self, pixels: Tensor, places: Tensor, x_like: Tensor) -> Tensor:
        batch, channels, height, width = x_like.shape
        # the batch innermost, as in all images that come from windows
        image = pixels.new_zeros(channels, height * width, batch).permute(2, 0, 1)
        image.scatter_add_(2, places.flatten(2), pixels.flatten(2))
        return image.view(x_like.shape)

    def grad_pixels(self, grad: Tensor, places: Tensor) -> Tensor:
        return PickPixels()(grad, places)

    grad_places = None


# helpers of the classes


def layout(op: Any, x: Tensor) -> tuple[Pair, Padding]:
    """The number of windows, and the border that they need.

    Raises:
        ShapeError: the image has no pixels, or no window fits into it.
    """
    if 0 in x.shape[1:]:
        raise ShapeError(f"an image needs channels and pixels; got {tuple(x.shape)}")
    covered = spans(op.kernel, getattr(op, "dilation", (1, 1)))
    counts, ends = [], []
    for size, cover, step, border in zip(x.shape[2:], covered, op.stride, op.padding, strict=True):
        free = size + 2 * border - cover
        if free < 0 and not (op.ceil_mode and free > -step):
            raise ShapeError(
                f"a window that covers {cover} pixels does not fit into {size + 2 * border}, "
                "padding included"
            )
        count = (-(-free // step) if op.ceil_mode else free // step) + 1
        if op.ceil_mode and (count - 1) * step >= size + border:
            count -= 1  # a window starts inside the image or its left border, not after it
        counts.append(count)
        ends.append((count - 1) * step + cover - size - border)
    return (counts[0], counts[1]), (op.padding[0], ends[0], op.padding[1], ends[1])


def lowest(x: Tensor) -> float:
    """A lower bound of all pixels: if all are equal to it, the first index is still a pixel's."""
    return -inf if x.dtype.is_floating_point else int(x.amin()) if x.numel() else 0


# the functions


@overload
def max_pool2d(
    input: T,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> T: ...
@overload
def max_pool2d(
    input: T,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[T, T]: ...
@overload
def max_pool2d(
    input: T,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
    return_indices: bool,
) -> Any: ...
def max_pool2d(
    input: T,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest pixel of each window; the gradient goes to the first if several are largest.

    Shapes: input (n, c, h, w) or (c, h, w) -> (n, c, h', w') or (c, h', w')
    with h' = ⌊(h + 2 padding - dilation (kernel_size - 1) - 1) / stride⌋ + 1, rounded up instead
    for ceil_mode; a stride of None is the kernel size.

    Returns:
        The pixels; with return_indices, also their indices h w' + w.

    Raises:
        ShapeError: no window fits into the padded image.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> max_pool2d(empty(1, 2, 4).fill_(3), 2)
    tensor([[[3., 3.]]])
    """
    require_tensor(input, "the input of max_pool2d", (3, 4), INTEGERS)
    require_flags(ceil_mode=ceil_mode, return_indices=return_indices)
    kernel, steps, borders = window_of(kernel_size, stride, padding)
    gaps = pair(dilation, "dilation")
    require_half(borders, spans(kernel, gaps))
    options = (kernel, steps, borders, gaps, ceil_mode)
    largest = on_batch(MaxPool2d(*options), input)
    return (largest, on_batch(MaxPlaces(*options), input)) if return_indices else largest


def max_unpool2d(
    input: T,
    indices: T,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> T:
    """Pixels put back where `max_pool2d` took them from, into an image of zeros.

    Those at the same index, of windows that overlap, are summed; torch keeps one of them.
    Shapes: (n, c, h, w) or (c, h, w), twice -> (n, c, h', w') or (c, h', w') with
    h' = (h - 1) stride - 2 padding + kernel_size, or the last two sizes of `output_size`.

    Args:
        input: the pixels.
        indices: their indices in the larger image, from `max_pool2d` with `return_indices`.
        kernel_size: the size of the windows.
        stride: the step from one window to the next; the kernel's size if None.
        padding: the border that the windows had.
        output_size: the sizes of the larger image.

    Source: Zeiler et al., Adaptive deconvolutional networks (2011).

    Raises:
        ShapeError: there are other dimensions, or a size is unknown.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> max_unpool2d(empty(1, 1, 1).fill_(3), empty(1, 1, 1).fill_(1).long(), (1, 2))
    tensor([[[0., 3.]]])
    """
    require_tensor(input, "the input of max_unpool2d", (3, 4), INTEGERS)
    require_tensor(indices, "the indices of max_unpool2d", (input.ndim,), INTEGERS)
    known = [size for size in input.shape[-2:] if size is not None]
    if len(known) < 2:
        raise ShapeError(f"max_unpool2d takes images of known size; got {described(input)}.")
    kernel, steps, borders = window_of(kernel_size, stride, padding)
    sizes = tuple(output_size or ())[-2:] or tuple(
        (size - 1) * step - 2 * border + cover
        for size, step, border, cover in zip(known, steps, borders, kernel, strict=True)
    )
    pixel = narrow(narrow(zeros_like(input), -1, 0, 1), -2, 0, 1)
    image = expand(pixel, *(-1,) * (input.ndim - 2), *sizes)
    if input.ndim == 4:
        return PutPixels()(input, indices, image)
    return squeeze(PutPixels()(*(unsqueeze(each, 0) for each in (input, indices, image))), 0)


def window_of(kernel_size: Sizes, stride: Sizes | None, padding: Sizes) -> tuple[Pair, Pair, Pair]:
    """The kernel, the stride, and the border, each for the height and the width."""
    kernel = pair(kernel_size, "kernel_size")
    steps = kernel if stride in (None, (), []) else pair(stride, "stride")
    return kernel, steps, pair(padding, "padding", 0)


def require_half(padding: Pair, covered: Pair) -> None:
    """Refuse a border wide enough to hold a whole window.

    Raises:
        GraphError: it is wider than half a window.
    """
    if any(border > cover // 2 for border, cover in zip(padding, covered, strict=True)):
        raise GraphError(
            f"padding must be at most half of what the kernel covers, {covered}; got {padding}."
        )
