"""Pooling to a given number of windows, of volumes, and back: AdaptiveAvgPool1d, AvgPool3d, ..."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from graphnet import ops
from graphnet.layers.module import Module
from graphnet.layers.pooling import AvgPool2d, Optioned

if TYPE_CHECKING:
    from graphnet.graph import Node
    from graphnet.ops.window_options import Sizes


class AvgPool3d(AvgPool2d):
    """The mean of each window of a volume: see `ops.avg_pool3d`; `AvgPool2d` for the arguments.

    Shapes: x (n, c, d, h, w) or (c, d, h, w) -> (n, c, d', h', w') or (c, d', h', w').

    >>> from torch import empty
    >>> AvgPool3d(2).forward(empty(10, 3, 4, 4, 6).fill_(0)).shape
    torch.Size([10, 3, 2, 2, 3])
    """

    def build(self, x: Node) -> Node:
        """Append the pooling."""
        rest = (self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override)
        return ops.avg_pool3d(x, self.kernel_size, self.stride, *rest)


class AdaptiveAvgPool(Optioned):
    """The base class of the means of a fixed number of windows.

    Args:
        output_size: the number of windows, one for all dimensions or one for each; None keeps a
            size.

    Raises:
        GraphError: when built, if output_size has a wrong value.
    """

    shown = ("output_size",)
    function: ClassVar[Callable[..., Any]]

    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def build(self, x: Node) -> Node:
        """Append the pooling."""
        result: Node = type(self).function(x, self.output_size)
        return result


class AdaptiveAvgPool1d(AdaptiveAvgPool):
    """The means of a fixed number of windows of a series: see `ops.adaptive_avg_pool1d`.

    Shapes: x (n, c, w) or (c, w) -> (n, c, w') or (c, w').

    >>> from torch import empty
    >>> AdaptiveAvgPool1d(2).forward(empty(10, 3, 5).fill_(0)).shape
    torch.Size([10, 3, 2])
    """

    function = staticmethod(ops.adaptive_avg_pool1d)


class AdaptiveAvgPool3d(AdaptiveAvgPool):
    """The means of a fixed number of windows of a volume: see `ops.adaptive_avg_pool3d`.

    Shapes: x (n, c, d, h, w) or (c, d, h, w) -> (n, c, d', h', w') or (c, d', h', w').

    >>> from torch import empty
    >>> AdaptiveAvgPool3d(2).forward(empty(10, 3, 5, 6, 7).fill_(0)).shape
    torch.Size([10, 3, 2, 2, 2])
    """

    function = staticmethod(ops.adaptive_avg_pool3d)


class AdaptiveMaxPool(Optioned):
    """The base class of the largest elements of a fixed number of windows.

    Args:
        output_size: the number of windows, one for all dimensions or one for each; None keeps a
            size.
        return_indices: True to return the indices of the largest elements too.

    Raises:
        ShapeError: when built, if a size other than the batch is unknown.
        GraphError: when built, if output_size has a wrong value.
    """

    shown = ("output_size",)
    function: ClassVar[Callable[..., Any]]

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        self.output_size, self.return_indices = output_size, return_indices

    def build(self, x: Node) -> Any:  # to type checkers one node, even with return_indices
        """Append the pooling."""
        return type(self).function(x, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(AdaptiveMaxPool):
    """The largest elements of a fixed number of windows: see `ops.adaptive_max_pool1d`.

    Shapes: x (n, c, w) or (c, w) -> (n, c, w') or (c, w').

    >>> from torch import empty
    >>> AdaptiveMaxPool1d(2).forward(empty(10, 3, 5).fill_(0)).shape
    torch.Size([10, 3, 2])
    """

    function = staticmethod(ops.adaptive_max_pool1d)


class AdaptiveMaxPool2d(AdaptiveMaxPool):
    """The largest pixels of a fixed number of windows: see `ops.adaptive_max_pool2d`.

    Shapes: x (n, c, h, w) or (c, h, w) -> (n, c, h', w') or (c, h', w').

    >>> from torch import empty
    >>> AdaptiveMaxPool2d((1, 2)).forward(empty(10, 3, 5, 7).fill_(0)).shape
    torch.Size([10, 3, 1, 2])
    """

    function = staticmethod(ops.adaptive_max_pool2d)


class AdaptiveMaxPool3d(AdaptiveMaxPool):
    """The largest elements of a fixed number of windows of a volume: `ops.adaptive_max_pool3d`.

    Shapes: x (n, c, d, h, w) or (c, d, h, w) -> (n, c, d', h', w') or (c, d', h', w').

    >>> from torch import empty
    >>> AdaptiveMaxPool3d(2).forward(empty(10, 3, 5, 6, 7).fill_(0)).shape
    torch.Size([10, 3, 2, 2, 2])
    """

    function = staticmethod(ops.adaptive_max_pool3d)


class MaxUnpool2d(Optioned):
    """Pixels put back where `MaxPool2d` took them from: see `ops.max_unpool2d`.

    Shapes: x (n, c, h, w), indices the same -> (n, c, h', w'); n may be left out.

    Args:
        kernel_size: the size of the windows.
        stride: the step from one window to the next; the kernel's size if None.
        padding: the border that the windows had.

    Raises:
        GraphError: when built, if an option has a wrong value.

    >>> from torch import empty
    >>> places = empty(1, 1, 1).zero_().long()
    >>> MaxUnpool2d((1, 2)).forward(empty(1, 1, 1).fill_(3), places)
    tensor([[[3., 0.]]])
    """

    shown = ("kernel_size", "stride", "padding")

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding

    def build(self, x: Node, indices: Node, output_size: Sequence[int] | None = None) -> Node:
        """Append the unpooling."""
        return ops.max_unpool2d(
            x, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class LocalResponseNorm(Module):
    """Divide each value by the size of the channels around it: see `ops.local_response_norm`.

    Shapes: x (n, c, ...) -> the same.

    Args:
        size: how many channels count.
        alpha: the weight of their squares.
        beta: the power of the divisor.
        k: what is added to it.

    >>> from torch import empty
    >>> LocalResponseNorm(2).forward(empty(1, 3, 4, 4).fill_(0)).shape
    torch.Size([1, 3, 4, 4])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def build(self, x: Node) -> Node:
        """Append the normalization."""
        return ops.local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
