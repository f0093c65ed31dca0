"""Convolution: each window of an image times the same weights.

`Conv2d`, `Conv2dGradInput` and `Conv2dGradWeight` are each other's derivatives. With the pixels of
all windows as the columns of one matrix, each of the three is one matrix product.

Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016); the columns
are those of Chellapilla et al., High performance convolutional neural networks (2006).
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, RangeError, ShapeError
from graphnet.op import Op, T
from graphnet.ops.columns import as_image, columns, counts, kernels, require_bias, rows, spread
from graphnet.ops.shapes import squeeze, unsqueeze
from graphnet.ops.window_options import (
    INTEGERS,
    Padding,
    Pair,
    Sizes,
    on_batch,
    pair,
    require_operands,
    sizes_of,
)
from graphnet.validation import must_be, require_integer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["conv1d", "conv2d"]


class Convolving(Op, abstract=True):
    """The options of a convolution, and of what belongs to one."""

    hint = (
        "The channels of x must be groups times the second size of the weight, groups must divide "
        "the first size of the weight, and the kernel must fit into the padded image."
    )
    contraction = True
    stride: Pair = (1, 1)
    padding: Padding = (0, 0, 0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1


class Conv2d(Convolving):
    """y[n, o, i, j] = Σ x[n, c, i s + a d, j s + b d] w[o, c, a, b], with stride s and dilation d.

    Shapes: (n, c, h, w), (o, c / groups, a, b) -> (n, o, h', w').
    """

    symbol = "conv2d"

    def trial(self, x: Tensor, weight: Tensor) -> Tensor:
        return x.new_zeros(x.shape[0], weight.shape[0], *counts(self, x, weight))

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        pixels = columns(self, x, weight)
        return as_image(kernels(self, weight).matmul(pixels), self, x, weight)

    def grad_x(self, grad: Tensor, weight: Tensor, x_like: Tensor) -> Tensor:
        return Conv2dGradInput(**self.options)(grad, weight, x_like)

    def grad_weight(self, grad: Tensor, x: Tensor, weight_like: Tensor) -> Tensor:
        return Conv2dGradWeight(**self.options)(grad, x, weight_like)

    def flops(self, shape: Sequence[int], *shapes: Sequence[int]) -> int:
        return 2 * prod(shape) * prod(shapes[1][1:])


class Conv2dBias(Convolving):
    """A convolution plus a number for each output channel, in one node; see `Conv2d`.

    Shapes: (n, c, h, w), (o, c / groups, a, b), (o) -> (n, o, h', w').
    """

    symbol = "conv2d"

    def trial(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        require_bias(bias, weight.shape[0])
        return x.new_zeros(x.shape[0], weight.shape[0], *counts(self, x, weight))

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        require_bias(bias, weight.shape[0])
        pixels = columns(self, x, weight)
        start = bias.reshape(self.groups, weight.shape[0] // self.groups, 1)
        return as_image(start.baddbmm(kernels(self, weight), pixels), self, x, weight)

    grad_x = Conv2d.grad_x
    grad_weight = Conv2d.grad_weight

    def grad_bias(self, grad: Tensor) -> Tensor:
        return grad.sum((0, 2, 3))

    def flops(self, shape: Sequence[int], *shapes: Sequence[int]) -> int:
        return 2 * prod(shape) * prod(shapes[1][1:]) + prod(shape)

    def backward_flops(self, place: int, shape: Sequence[int], *shapes: Sequence[int]) -> int:
        return prod(shape) if place == 2 else 2 * prod(shape) * prod(shapes[1][1:])


class Conv2dGradInput(Convolving):
    """The gradient of a convolution by its input, from the gradient y of its output.

    Shapes: (n, o, h', w'), (o, c / groups, a, b), (n, c, h, w) -> (n, c, h, w).
    """

    symbol = "conv2dᵀ"

    def trial(self, y: Tensor, weight: Tensor, x_like: Tensor) -> Tensor:
        return y.new_zeros(x_like.shape)

    def forward(self, y: Tensor, weight: Tensor, x_like: Tensor) -> Tensor:
        return spread(self, y, weight, (x_like.shape[2], x_like.shape[3]))

    def grad_y(self, grad: Tensor, weight: Tensor) -> Tensor:
        return Conv2d(**self.options)(grad, weight)

    def grad_weight(self, grad: Tensor, y: Tensor, weight_like: Tensor) -> Tensor:
        return Conv2dGradWeight(**self.options)(y, grad, weight_like)

    def flops(self, shape: Sequence[int], *shapes: Sequence[int]) -> int:
        return 2 * prod(shapes[0]) * prod(shapes[1][1:])


class Conv2dGradWeight(Convolving):
    """The gradient of a convolution by its weight, from the gradient y of its output.

    Shapes: (n, o, h', w'), (n, c, h, w), (o, c / groups, a, b) -> (o, c / groups, a, b).
    """

    symbol = "conv2dᵂ"

    def trial(self, y: Tensor, x: Tensor, weight_like: Tensor) -> Tensor:
        return y.new_zeros(weight_like.shape)

    def forward(self, y: Tensor, x: Tensor, weight_like: Tensor) -> Tensor:
        product = rows(self, y).matmul(columns(self, x, weight_like).mT)
        return product.reshape(weight_like.shape)

    def grad_y(self, grad: Tensor, x: Tensor) -> Tensor:
        return Conv2d(**self.options)(x, grad)

    def grad_x(self, grad: Tensor, y: Tensor, x_like: Tensor) -> Tensor:
        return Conv2dGradInput(**self.options)(y, grad, x_like)

    def flops(self, shape: Sequence[int], *shapes: Sequence[int]) -> int:
        return 2 * prod(shapes[0]) * prod(shape[1:])


def conv2d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> T:
    """The convolution of images with a weight for each output channel.

    y[n, o, i, j] = bias[o] + Σ x[n, c, i s + a d, j s + b d] w[o, c, a, b], with the stride s and
    the dilation d; "same" pads so that the size stays, "valid" does not pad.

    Shapes: input (n, c, h, w) or (c, h, w), weight (o, c / groups, a, b), bias (o)
    -> (n, o, h', w') or (o, h', w') with h' = ⌊(h + 2 padding - d (a - 1) - 1) / s⌋ + 1.

    Source: LeCun et al., Gradient-based learning applied to document recognition (1998).

    Raises:
        ShapeError: channels, groups or bias do not fit, or the kernel is larger than the image.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> conv2d(empty(1, 1, 2, 3).fill_(1), empty(1, 1, 2, 2).fill_(1))
    tensor([[[[4., 4.]]]])
    """
    require_operands("conv2d", 2, INTEGERS, input, weight, bias)
    steps, gaps = pair(stride, "stride"), pair(dilation, "dilation")
    groups = require_integer("groups", groups, 1)
    options = (steps, _borders(padding, weight, steps, gaps), gaps, groups)
    if bias is None:
        return on_batch(Conv2d(*options), input, weight)
    return on_batch(Conv2dBias(*options), input, weight, bias)


def conv1d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> T:
    """The convolution of series with a weight for each output channel: `conv2d` of one row.

    Shapes: input (n, c, w) or (c, w), weight (o, c / groups, b), bias (o)
    -> (n, o, w') or (o, w') with w' = ⌊(w + 2 padding - dilation (b - 1) - 1) / stride⌋ + 1.

    Raises:
        ShapeError: channels, groups or bias do not fit, or the kernel is larger than the series.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> conv1d(empty(1, 1, 4).fill_(1), empty(1, 1, 3).fill_(1), padding=1)
    tensor([[[2., 3., 3., 2.]]])
    """
    require_operands("conv1d", 1, INTEGERS, input, weight, bias)
    steps = (1, *sizes_of(stride, 1, "stride"))
    gaps = (1, *sizes_of(dilation, 1, "dilation"))
    if not isinstance(padding, str):
        padding = (0, *sizes_of(padding, 1, "padding", 0))
    rows = unsqueeze(input, -2), unsqueeze(weight, -2)
    return squeeze(conv2d(*rows, bias, steps, padding, gaps, groups), -2)


def _borders(padding: Sizes | str, weight: Any, stride: Pair, dilation: Pair) -> Padding:
    """The border of each side, from a size for both sides or from a word."""
    if not isinstance(padding, str):
        down, across = pair(padding, "padding", 0)
        return down, down, across, across
    require_padding_name(padding, stride)
    if padding == "valid":
        return 0, 0, 0, 0
    if None in weight.shape[2:]:
        raise ShapeError("padding='same' needs a weight whose kernel size is known.")
    down, across = (gap * (size - 1) for size, gap in zip(weight.shape[2:], dilation, strict=True))
    return down // 2, down - down // 2, across // 2, across - across // 2


def require_padding_name(padding: str, stride: tuple[int, ...]) -> None:
    """Require "valid", or "same" for a stride of 1.

    Raises:
        RangeError: it is another word.
        GraphError: the stride is larger.
    """
    if padding not in ("same", "valid"):
        raise RangeError(must_be("padding", "'same', 'valid' or a size", padding))
    if padding == "same" and set(stride) != {1}:
        raise GraphError(f"padding='same' needs a stride of 1, to keep the size; got {stride}.")
