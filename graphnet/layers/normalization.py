"""Normalization over the last dimensions or over groups: the same in training and evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet import ops
from graphnet.errors import ShapeError
from graphnet.graph import Parameter
from graphnet.layers.module import Module
from graphnet.validation import require_counts, require_integers

if TYPE_CHECKING:
    from torch import Tensor, device, dtype

    from graphnet.graph import Node


class _LastNorm(Module):
    """The base class of layers that normalize the last dimensions."""

    normalized_shape: tuple[int, ...]
    eps: float | None
    elementwise_affine: bool

    def _set(self, shape: Any, eps: float | None, affine: bool, **where: Any) -> Tensor:
        """Keep the settings; returns a tensor for the weight and the bias.

        Raises:
            ShapeError: the shape is empty, or a size is not 1 or more.
            GraphError: the shape is neither an integer nor a list or tuple of them.
        """
        sizes = (shape,) if isinstance(shape, int) else require_integers("normalized_shape", shape)
        if not sizes:
            raise ShapeError("normalized_shape must have at least one size, such as (3,); got ().")
        for size in sizes:
            require_counts(ShapeError, normalized_shape=size)
        self.normalized_shape, self.eps, self.elementwise_affine = sizes, eps, affine
        return empty(sizes, **where)

    def extra_repr(self) -> str:
        """The settings of the layer."""
        affine = self.elementwise_affine
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={affine}"


class LayerNorm(_LastNorm):
    """Normalize the last dimensions to mean 0 and variance 1, then scale and shift.

    See `ops.layer_norm`.
    Shapes: x (..., *normalized_shape) -> that of x; weight and bias normalized_shape.

    Args:
        normalized_shape: the last sizes of x, or the last one.
        eps: a constant added to the variance.
        elementwise_affine: False to leave weight and bias out.
        bias: False to leave the bias out.
        device: the device of the parameters.
        dtype: the dtype of the parameters.

    Raises:
        ShapeError: the sizes do not fit.

    >>> from torch import empty
    >>> LayerNorm(3).forward(empty(2, 3).fill_(5))
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """

    eps: float

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        values = self._set(normalized_shape, eps, elementwise_affine, device=device, dtype=dtype)
        self.weight, self.bias = affine_of(values, elementwise_affine, elementwise_affine and bias)

    def build(self, x: Node) -> Node:
        """Append the normalization."""
        return ops.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(_LastNorm):
    """Divide x by its root mean square over the last dimensions, then scale: `ops.rms_norm`.

    Shapes: x (..., *normalized_shape) -> that of x; weight normalized_shape.

    Args:
        normalized_shape: the last sizes of x, or the last one.
        eps: a constant added to the mean square; None for the precision of the dtype.
        elementwise_affine: False to leave the weight out.
        device: the device of the parameters.
        dtype: the dtype of the parameters.

    Raises:
        ShapeError: the sizes do not fit.

    >>> from torch import empty
    >>> RMSNorm(2).forward(empty(2).fill_(5))
    tensor([1., 1.])
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        values = self._set(normalized_shape, eps, elementwise_affine, device=device, dtype=dtype)
        self.weight, _ = affine_of(values, elementwise_affine, False)

    def build(self, x: Node) -> Node:
        """Append the normalization."""
        return ops.rms_norm(x, self.normalized_shape, self.weight, self.eps)


class GroupNorm(Module):
    """Normalize each group of channels of each example to mean 0 and variance 1: `ops.group_norm`.

    Shapes: x (n, num_channels, ...) -> that of x; weight and bias (num_channels).

    Args:
        num_groups: the number of groups, a divisor of num_channels.
        num_channels: the number of channels.
        eps: a constant added to the variance.
        affine: False to leave weight and bias out.
        device: the device of the parameters.
        dtype: the dtype of the parameters.
        bias: False to leave the bias out.

    Raises:
        ShapeError: the sizes do not fit.

    >>> from torch import empty
    >>> GroupNorm(2, 4).forward(empty(1, 4).fill_(5))
    tensor([[0., 0., 0., 0.]])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: device | str | None = None,
        dtype: dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        require_counts(ShapeError, num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ShapeError(f"{num_channels} channels cannot be divided into {num_groups} groups.")
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        values = empty(num_channels, device=device, dtype=dtype)
        self.weight, self.bias = affine_of(values, affine, affine and bias)

    def build(self, x: Node) -> Node:
        """Append the normalization."""
        return ops.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings of the layer."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


def affine_of(
    values: Tensor, weight: bool, bias: bool
) -> tuple[Parameter | None, Parameter | None]:
    """A weight of ones and a bias of zeros in the shape of the values, each only if wanted."""
    return (
        Parameter(values.fill_(1)) if weight else None,
        Parameter(values.zero_()) if bias else None,
    )
