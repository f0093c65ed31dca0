"""Batch and instance normalization: each channel by itself, with optional running statistics.

Layers with running statistics follow their own mode: set it by `module.train()` and
`module.eval()`, or for all modules of a graph by `graph.train()` and `graph.eval()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torch import empty

from graphnet import ops
from graphnet.errors import ShapeError, shape_text
from graphnet.graph import Parameter
from graphnet.layers.module import Module
from graphnet.layers.normalization import affine_of
from graphnet.ops.running import sized
from graphnet.validation import require_counts

if TYPE_CHECKING:
    from torch import device, dtype

    from graphnet.graph import Node


class _ChannelNorm(Module):
    """The base class of layers that normalize channels: settings, parameters and buffers."""

    takes: ClassVar[tuple[int, ...]] = ()

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: device | str | None = None,
        dtype: dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        require_counts(ShapeError, num_features=num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        values = empty(num_features, device=device, dtype=dtype)
        self.weight, self.bias = affine_of(values, affine, affine and bias)
        self.running_mean: Parameter | None = None
        self.running_var: Parameter | None = None
        self.num_batches_tracked: Parameter | None = None
        if track_running_stats:
            self.running_mean = Parameter(values.zero_(), requires_grad=False)
            self.running_var = Parameter(values.fill_(1), requires_grad=False)
            count = empty((), device=device).zero_().long()
            self.num_batches_tracked = Parameter(count, requires_grad=False)

    def _refuse_dims(self, x: Node) -> None:
        """Refuse an input with a different number of dimensions."""
        if x.ndim not in self.takes:
            raise ShapeError(
                f"{type(self).__name__} takes {' or '.join(map(str, self.takes))} dimensions; "
                f"got {x} {shape_text(x.shape)}."
            )

    def extra_repr(self) -> str:
        """The settings of the layer."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ChannelNorm):
    """Batch normalization for any number of dimensions."""

    def build(self, x: Node) -> Node:
        """Append the normalization."""
        self._refuse_dims(x)
        x = sized(x, (None, self.num_features, *[None] * (x.ndim - 2)))
        vectors = (self.running_mean, self.running_var, self.weight, self.bias)
        mode, momentum = (True, 0.0) if self.running_mean is None else (None, self.momentum)
        batches = self.num_batches_tracked
        return ops.batch_norm(x, *vectors, mode, momentum, self.eps, num_batches_tracked=batches)


class BatchNorm1d(_BatchNorm):
    """Normalize each channel to mean 0 and variance 1 over the batch, then scale and shift it.

    y = (x - mean) / √(var + eps) · weight + bias. In training, mean and variance are those of the
    batch, and the buffers track them; in evaluation they are those of the buffers.
    Shapes: x (n, num_features) or (n, num_features, length) -> that of x; weight, bias,
    running_mean and running_var (num_features), num_batches_tracked ().

    Args:
        num_features: the number of channels.
        eps: a constant added to the variance.
        momentum: the weight of the new batch in the buffers; None to average over all batches.
        affine: False to leave weight and bias out.
        track_running_stats: False for no buffers: evaluation is then the same as training.
        device: the device of the parameters.
        dtype: the dtype of the parameters.
        bias: False to leave the bias out.

    Source: Ioffe and Szegedy, Batch normalization (2015), algorithms 1 and 2.

    Raises:
        ShapeError: the sizes do not fit, or in training a channel has only one value.

    >>> from torch import empty
    >>> BatchNorm1d(2).forward(empty(3, 2).fill_(5))
    tensor([[0., 0.],
            [0., 0.],
            [0., 0.]])
    """

    takes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalization of images: see `BatchNorm1d`.

    Shapes: x (n, num_features, height, width) -> that of x.

    >>> from torch import empty
    >>> BatchNorm2d(3).forward(empty(2, 3, 4, 4).fill_(5)).shape
    torch.Size([2, 3, 4, 4])
    """

    takes = (4,)


class InstanceNorm2d(_ChannelNorm):
    """Normalize each channel of each image to mean 0 and variance 1: see `ops.instance_norm`.

    Shapes: x (n, num_features, height, width), or one image without n -> that of x.

    Args:
        num_features: the number of channels.
        eps: a constant added to the variance.
        momentum: the weight of the new batch in the buffers.
        affine: True to have weight and bias.
        track_running_stats: True to have buffers, which evaluation then uses.
        device: the device of the parameters.
        dtype: the dtype of the parameters.
        bias: False to leave the bias out.

    Raises:
        ShapeError: the sizes do not fit, or a channel has only one value.

    >>> from torch import empty
    >>> InstanceNorm2d(3).forward(empty(2, 3, 4, 4).fill_(5)).shape
    torch.Size([2, 3, 4, 4])
    """

    takes = (3, 4)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: device | str | None = None,
        dtype: dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def build(self, x: Node) -> Node:
        """Append the normalization."""
        self._refuse_dims(x)
        if x.ndim == 3:
            return ops.squeeze(self.build(ops.unsqueeze(x, 0)), 0)
        x = sized(x, (None, self.num_features, None, None))
        own = None if self.running_mean is not None else True
        mean, var, momentum = self.running_mean, self.running_var, self.momentum or 0.0
        return ops.instance_norm(x, mean, var, self.weight, self.bias, own, momentum, self.eps)
