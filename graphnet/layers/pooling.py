"""Layers without parameters between convolutions and affine maps: pooling and flattening."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from graphnet import ops
from graphnet.layers.module import Module

if TYPE_CHECKING:
    from graphnet.graph import Node
    from graphnet.ops.window_options import Sizes


class Optioned(Module):
    """The base class of the layers here: their `repr` shows their options."""

    shown: ClassVar[tuple[str, ...]]
    """The names of the options in `repr`."""

    def extra_repr(self) -> str:
        """The options and their values."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


class MaxPool(Optioned):
    """The base class of maximum pooling: its options.

    Args:
        kernel_size: the size of the window, for each dimension.
        stride: the step from one window to the next; the kernel's size if None.
        padding: the border on each side, which is never the largest.
        dilation: the distance between two pixels of a window.
        return_indices: True to return the indices of the largest pixels too.
        ceil_mode: True to round the number of windows up.

    Raises:
        ShapeError: when built, if no window fits into the padded input.
        GraphError: when built, if an option has a wrong value.
    """

    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode


class MaxPool1d(MaxPool):
    """The largest element of each window: see `ops.max_pool1d`; `MaxPool` for the arguments.

    Shapes: x (n, c, w) or (c, w) -> (n, c, w') or (c, w').

    >>> from torch import empty
    >>> MaxPool1d(2).forward(empty(10, 3, 6).fill_(0)).shape
    torch.Size([10, 3, 3])
    """

    def build(self, x: Node) -> Any:  # to type checkers one node, even with return_indices
        """Append the pooling."""
        rest = (self.padding, self.dilation, self.ceil_mode, self.return_indices)
        return ops.max_pool1d(x, self.kernel_size, self.stride, *rest)


class MaxPool2d(MaxPool):
    """The largest pixel of each window: see `ops.max_pool2d`; `MaxPool` for the arguments.

    Shapes: x (n, c, h, w) or (c, h, w) -> (n, c, h', w') or (c, h', w').

    >>> from torch import empty
    >>> MaxPool2d(2).forward(empty(10, 3, 4, 6).fill_(0)).shape
    torch.Size([10, 3, 2, 3])
    """

    def build(self, x: Node) -> Any:  # to type checkers one node, even with return_indices
        """Append the pooling."""
        rest = (self.padding, self.dilation, self.ceil_mode, self.return_indices)
        return ops.max_pool2d(x, self.kernel_size, self.stride, *rest)


class MaxPool3d(MaxPool):
    """The largest element of each window: see `ops.max_pool3d`; `MaxPool` for the arguments.

    Shapes: x (n, c, d, h, w) or (c, d, h, w) -> (n, c, d', h', w') or (c, d', h', w').

    >>> from torch import empty
    >>> MaxPool3d(2).forward(empty(10, 3, 4, 4, 6).fill_(0)).shape
    torch.Size([10, 3, 2, 2, 3])
    """

    def build(self, x: Node) -> Any:  # to type checkers one node, even with return_indices
        """Append the pooling."""
        rest = (self.padding, self.dilation, self.ceil_mode, self.return_indices)
        return ops.max_pool3d(x, self.kernel_size, self.stride, *rest)


class AvgPool2d(Optioned):
    """The mean of each window: see `ops.avg_pool2d`.

    Shapes: x (n, c, h, w) or (c, h, w) -> (n, c, h', w') or (c, h', w').

    Args:
        kernel_size: the size of the window, for the height and the width.
        stride: the step from one window to the next; the kernel's size if None.
        padding: the border of zeros on each side.
        ceil_mode: True to round the number of windows up.
        count_include_pad: False to leave the border out of the mean.
        divisor_override: what to divide by, instead of the number of pixels.

    Raises:
        ShapeError: when built, if no window fits into the padded image.
        GraphError: when built, if an option has a wrong value.

    >>> from torch import empty
    >>> AvgPool2d(2).forward(empty(10, 3, 4, 6).fill_(0)).shape
    torch.Size([10, 3, 2, 3])
    """

    shown = ("kernel_size", "stride", "padding")

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def build(self, x: Node) -> Node:
        """Append the pooling."""
        rest = (self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override)
        return ops.avg_pool2d(x, self.kernel_size, self.stride, *rest)


class AvgPool1d(Optioned):
    """The mean of each window of a series: see `ops.avg_pool1d`.

    Shapes: x (n, c, w) or (c, w) -> (n, c, w') or (c, w').

    Args:
        kernel_size: the size of the window.
        stride: the step from one window to the next; the kernel's size if None.
        padding: the border of zeros on each side.
        ceil_mode: True to round the number of windows up.
        count_include_pad: False to leave the border out of the mean.

    >>> from torch import empty
    >>> AvgPool1d(2).forward(empty(10, 3, 6).fill_(0)).shape
    torch.Size([10, 3, 3])
    """

    shown = AvgPool2d.shown

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad = count_include_pad

    def build(self, x: Node) -> Node:
        """Append the pooling."""
        rest = (self.padding, self.ceil_mode, self.count_include_pad)
        return ops.avg_pool1d(x, self.kernel_size, self.stride, *rest)


class AdaptiveAvgPool2d(Optioned):
    """The means of a fixed number of windows: see `ops.adaptive_avg_pool2d`.

    Shapes: x (n, c, h, w) or (c, h, w) -> (n, c, h', w') or (c, h', w').

    Args:
        output_size: h' = w', or (h', w'), with None to keep a size.

    Raises:
        GraphError: when built, if output_size is not one or two integers, or None.

    >>> from torch import empty
    >>> AdaptiveAvgPool2d((1, 2)).forward(empty(10, 3, 5, 7).fill_(0)).shape
    torch.Size([10, 3, 1, 2])
    """

    shown = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def build(self, x: Node) -> Node:
        """Append the pooling."""
        return ops.adaptive_avg_pool2d(x, self.output_size)


class Flatten(Optioned):
    """Several dimensions as one: see `ops.flatten`.

    Shapes: x (n, c, h, w) -> (n, c · h · w).

    Args:
        start_dim: the first of the dimensions, by default the one after the batch.
        end_dim: the last of them.

    Raises:
        ShapeError: when built, if there is no such dimension.

    >>> from torch import empty
    >>> Flatten().forward(empty(10, 3, 4, 6)).shape
    torch.Size([10, 72])
    """

    shown = ("start_dim", "end_dim")

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def build(self, x: Node) -> Node:
        """Append the flattening."""
        return ops.flatten(x, self.start_dim, self.end_dim)


class Unflatten(Optioned):
    """One dimension as several: see `ops.unflatten`.

    Shapes: x (n, c · h · w) -> (n, c, h, w).

    Args:
        dim: the dimension.
        unflattened_size: the sizes that it becomes; one of them may be -1.

    Raises:
        ShapeError: when built, if the product of the sizes is not that of the dimension.

    >>> from torch import empty
    >>> Unflatten(1, (3, 4)).forward(empty(10, 12)).shape
    torch.Size([10, 3, 4])
    """

    shown = ("dim", "unflattened_size")

    def __init__(self, dim: int, unflattened_size: tuple[int, ...] | list[int]) -> None:
        self.dim, self.unflattened_size = dim, unflattened_size

    def build(self, x: Node) -> Node:
        """Append the reshape."""
        return ops.unflatten(x, self.dim, self.unflattened_size)
