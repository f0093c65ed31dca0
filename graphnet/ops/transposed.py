"""Transposed convolution: each pixel adds its multiple of the weights to a larger image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphnet.errors import GraphError
from graphnet.ops.arithmetic import add
from graphnet.ops.columns import grown, require_bias, spread
from graphnet.ops.convolution import Conv2d, Conv2dGradInput, Conv2dGradWeight, Convolving
from graphnet.ops.shapes import reshape
from graphnet.ops.window_options import Sizes, on_batch, pair, require_operands
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op import T

__all__ = ["conv_transpose2d"]


class ConvTranspose2d(Convolving):
    """The adjoint of a convolution as an operation of its own, for images of known padding.

    Shapes: (n, c, h, w), (c, o / groups, a, b) -> (n, o, h', w').
    """

    symbol = "conv2dᵀ"
    hint = "The channels of x must be the first size of the weight, and groups must divide them."

    def trial(self, x: Tensor, weight: Tensor) -> Tensor:
        return x.new_zeros(x.shape[0], weight.shape[1] * self.groups, *grown(self, x, weight))

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        return spread(self, x, weight, grown(self, x, weight))

    def grad_x(self, grad: Tensor, weight: Tensor) -> Tensor:
        return Conv2d(**self.options)(grad, weight)

    def grad_weight(self, grad: Tensor, x: Tensor, weight_like: Tensor) -> Tensor:
        return Conv2dGradWeight(**self.options)(x, grad, weight_like)

    flops = Conv2dGradInput.flops


def conv_transpose2d(
    input: T,
    weight: T,
    bias: T | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> T:
    """The adjoint of `conv2d`: each pixel adds its multiple of the weight to the output.

    Shapes: input (n, c, h, w) or (c, h, w), weight (c, o / groups, a, b), bias (o)
    -> (n, o, h', w') or (o, h', w')
    with h' = (h - 1) stride - 2 padding + dilation (a - 1) + output_padding + 1.

    Source: Zeiler et al., Deconvolutional networks (2010).

    Raises:
        ShapeError: channels, groups or bias do not fit, or the output would have no pixels.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> conv_transpose2d(empty(1, 1, 1, 2).fill_(1), empty(1, 1, 1, 2).fill_(1))
    tensor([[[[1., 2., 1.]]]])
    """
    require_operands("conv_transpose2d", 2, ("int64",), input, weight, bias)
    steps, gaps = pair(stride, "stride"), pair(dilation, "dilation")
    down, across = pair(padding, "padding", 0)
    extra = pair(output_padding, "output_padding", 0)
    refuse_long_output(extra, steps, gaps)
    borders = (down, down - extra[0], across, across - extra[1])
    op = ConvTranspose2d(steps, borders, gaps, require_integer("groups", groups, 1))
    result = on_batch(op, input, weight)
    if bias is None:
        return result
    outputs = -1 if result.shape[-3] is None else result.shape[-3]
    if outputs >= 0 and None not in bias.shape:
        require_bias(bias, outputs)
    return add(result, reshape(bias, outputs, 1, 1))


def refuse_long_output(extra: Sequence[int], steps: Sequence[int], gaps: Sequence[int]) -> None:
    """Refuse an output that is longer than any that a convolution maps to the input.

    Raises:
        GraphError: the output padding is not smaller than the stride or the dilation.
    """
    if any(more >= max(both) for more, *both in zip(extra, steps, gaps, strict=True)):
        raise GraphError(
            f"output_padding must be smaller than the stride {steps} or the dilation {gaps}; got "
            f"{extra}."
        )
