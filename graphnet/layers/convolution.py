"""Convolution layers, with the arguments, names, shapes and initial values of torch.nn."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from graphnet import ops
from graphnet.errors import ShapeError
from graphnet.layers.linear import uniform_parameter
from graphnet.layers.module import Module
from graphnet.ops.convolution import require_padding_name
from graphnet.ops.window_options import Sizes, sizes_of
from graphnet.validation import require_choice, require_counts

if TYPE_CHECKING:
    from torch import device, dtype

    from graphnet.graph import Node


class Convolution(Module):
    """The base class of convolution layers: options, a weight and a bias.

    The initial values are uniform within ±1/√n, where n is the product of all sizes of the weight
    except the first.

    Args:
        in_channels: the channels of the input.
        out_channels: the channels of the output.
        kernel_size: the size of the window, one for all dimensions or one for each.
        stride: the step from one window to the next.
        padding: zeros on each side; "same" keeps the size, "valid" adds none.
        dilation: the distance between two pixels of a window.
        groups: the number of groups of channels, each convolved by itself.
        bias: False to leave the bias out.
        padding_mode: must be "zeros".
        device: the device of the parameters.
        dtype: the dtype of the parameters.

    Raises:
        ShapeError: a number of channels is not a size, or groups does not divide it.
        GraphError: another option has a wrong value.
    """

    dims: ClassVar[int] = 2
    transposed: ClassVar[bool] = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        require_counts(
            ShapeError, in_channels=in_channels, out_channels=out_channels, groups=groups
        )
        if in_channels % groups or out_channels % groups:
            raise ShapeError(
                f"groups={groups} must divide in_channels and out_channels; "
                f"got {in_channels} and {out_channels}."
            )
        require_choice("padding_mode", padding_mode, ("zeros",))
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = sizes_of(kernel_size, self.dims, "kernel_size", repeat=False)
        self.stride = sizes_of(stride, self.dims, "stride")
        self.dilation = sizes_of(dilation, self.dims, "dilation")
        self.padding = self._checked(padding)
        inputs, outputs = in_channels, out_channels
        ends = (inputs, outputs // groups) if self.transposed else (outputs, inputs // groups)
        sizes = (*ends, *self.kernel_size)
        kind = (prod(sizes[1:]), device, dtype)
        self.weight = uniform_parameter(sizes, *kind)
        self.bias = uniform_parameter((outputs,), *kind) if bias else None

    def _checked(self, padding: Any) -> Any:
        """The padding as a size for each dimension, or as a word.

        Raises:
            GraphError: it is neither, or it is "same" with a stride.
        """
        if not isinstance(padding, str) or self.transposed:
            return sizes_of(padding, self.dims, "padding", 0)
        require_padding_name(padding, self.stride)
        return padding

    def extra_repr(self) -> str:
        """The channels, the window, and the options that differ from their defaults."""
        parts = [f"{self.in_channels}, {self.out_channels}"]
        parts += [f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        chosen = {"padding": 0, "output_padding": 0, "dilation": 1}
        for name, usual in chosen.items():
            value = getattr(self, name, (usual,))
            if isinstance(value, str) or set(value) != {usual}:
                parts.append(f"{name}={value}")
        parts += [f"groups={self.groups}"] * (self.groups > 1)
        parts += ["bias=False"] * (self.bias is None)
        return ", ".join(parts)


class Conv1d(Convolution):
    """A convolution of series: see `ops.conv1d`, and `Convolution` for the arguments.

    Shapes: x (n, in_channels, w) or (in_channels, w) -> (n, out_channels, w') or
    (out_channels, w'); weight (out_channels, in_channels / groups, *kernel_size), bias
    (out_channels).

    >>> from torch import empty
    >>> Conv1d(2, 3, 5).forward(empty(10, 2, 8).fill_(0)).shape
    torch.Size([10, 3, 4])
    """

    dims = 1

    def build(self, x: Node) -> Node:
        """Append the convolution."""
        rest = (self.stride, self.padding, self.dilation, self.groups)
        return ops.conv1d(x, self.weight, self.bias, *rest)


class Conv2d(Convolution):
    """A convolution of images: see `ops.conv2d`, and `Convolution` for the arguments.

    Shapes: x (n, in_channels, h, w) or (in_channels, h, w) -> (n, out_channels, h', w') or
    (out_channels, h', w'); weight (out_channels, in_channels / groups, *kernel_size), bias
    (out_channels).

    >>> from torch import empty
    >>> Conv2d(2, 32, 3).forward(empty(10, 2, 14, 14).fill_(0)).shape
    torch.Size([10, 32, 12, 12])
    """

    def build(self, x: Node) -> Node:
        """Append the convolution."""
        rest = (self.stride, self.padding, self.dilation, self.groups)
        return ops.conv2d(x, self.weight, self.bias, *rest)


class Conv3d(Convolution):
    """A convolution of volumes: see `ops.conv3d`, and `Convolution` for the arguments.

    Shapes: x (n, in_channels, d, h, w) or (in_channels, d, h, w) -> (n, out_channels, d', h', w')
    or (out_channels, d', h', w'); weight (out_channels, in_channels / groups, *kernel_size), bias
    (out_channels).

    >>> from torch import empty
    >>> Conv3d(2, 3, 3).forward(empty(10, 2, 4, 5, 6).fill_(0)).shape
    torch.Size([10, 3, 2, 3, 4])
    """

    dims = 3

    def build(self, x: Node) -> Node:
        """Append the convolution."""
        rest = (self.stride, self.padding, self.dilation, self.groups)
        return ops.conv3d(x, self.weight, self.bias, *rest)


class TransposedConvolution(Convolution):
    """The base class of transposed convolutions; see `Convolution` for the arguments.

    Here `padding` is cut off each side of the output, and `output_padding` pixels are added at its
    end.
    """

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        self.output_padding = sizes_of(output_padding, self.dims, "output_padding", 0)
        rest = (stride, padding, dilation, groups, bias, padding_mode, device, dtype)
        super().__init__(in_channels, out_channels, kernel_size, *rest)


class ConvTranspose1d(TransposedConvolution):
    """A transposed convolution of series: see `ops.conv_transpose1d`, and `Convolution`.

    Here `padding` is cut off each side of the output, and `output_padding` elements are added at
    its end.

    Shapes: x (n, in_channels, w) or (in_channels, w) -> (n, out_channels, w') or
    (out_channels, w'); weight (in_channels, out_channels / groups, *kernel_size), bias
    (out_channels).

    >>> from torch import empty
    >>> ConvTranspose1d(2, 3, 2, stride=2).forward(empty(10, 2, 4).fill_(0)).shape
    torch.Size([10, 3, 8])
    """

    dims = 1

    def build(self, x: Node) -> Node:
        """Append the transposed convolution."""
        rest = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return ops.conv_transpose1d(x, self.weight, self.bias, *rest)


class ConvTranspose2d(TransposedConvolution):
    """A transposed convolution: see `ops.conv_transpose2d`, and `Convolution` for the arguments.

    Here `padding` is cut off each side of the output, and `output_padding` pixels are added at its
    end.

    Shapes: x (n, in_channels, h, w) or (in_channels, h, w) -> (n, out_channels, h', w') or
    (out_channels, h', w'); weight (in_channels, out_channels / groups, *kernel_size), bias
    (out_channels).

    >>> from torch import empty
    >>> ConvTranspose2d(2, 3, 2, stride=2).forward(empty(10, 2, 4, 4).fill_(0)).shape
    torch.Size([10, 3, 8, 8])
    """

    def build(self, x: Node) -> Node:
        """Append the transposed convolution."""
        rest = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return ops.conv_transpose2d(x, self.weight, self.bias, *rest)


class ConvTranspose3d(TransposedConvolution):
    """A transposed convolution of volumes: see `ops.conv_transpose3d`, and `Convolution`.

    Here `padding` is cut off each side of the output, and `output_padding` elements are added at
    its end.

    Shapes: x (n, in_channels, d, h, w) or (in_channels, d, h, w) -> (n, out_channels, d', h', w')
    or (out_channels, d', h', w'); weight (in_channels, out_channels / groups, *kernel_size), bias
    (out_channels).

    >>> from torch import empty
    >>> ConvTranspose3d(2, 3, 2, stride=2).forward(empty(1, 2, 3, 4, 4).fill_(0)).shape
    torch.Size([1, 3, 6, 8, 8])
    """

    dims = 3

    def build(self, x: Node) -> Node:
        """Append the transposed convolution."""
        rest = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return ops.conv_transpose3d(x, self.weight, self.bias, *rest)
