"""The affine layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import empty

from graphnet import init, ops
from graphnet.errors import ShapeError
from graphnet.graph import Parameter
from graphnet.layers.module import Module
from graphnet.validation import require_counts

if TYPE_CHECKING:
    from torch import device, dtype

    from graphnet.graph import Node


class Linear(Module):
    """An affine map of the last dimension: y = x Wᵀ + b.

    Shapes: x (..., in_features) -> (..., out_features); weight (out_features, in_features),
    bias (out_features). Initial values are uniform within ±1/√in_features, as in torch.nn.

    Args:
        in_features: the last size of the input, 1 or more.
        out_features: the last size of the output, 1 or more.
        bias: False to leave b out.
        device: the device of the parameters.
        dtype: the dtype of the parameters.

    Raises:
        ShapeError: a size is not an integer of 1 or more.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> gn.Linear(2, 25).forward(empty(10, 2).fill_(0)).shape
    torch.Size([10, 25])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        require_counts(ShapeError, in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        kind = (in_features, device, dtype)
        self.weight = uniform_parameter((out_features, in_features), *kind)
        self.bias = uniform_parameter((out_features,), *kind) if bias else None

    def build(self, x: Node) -> Node:
        """Append the affine map."""
        return ops.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes of the layer."""
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


def uniform_parameter(
    sizes: tuple[int, ...], fan_in: int, device: device | str | None, dtype: dtype | None
) -> Parameter:
    """A parameter with initial values uniform within ±1/√fan_in."""
    return Parameter(init.default_uniform_(empty(sizes, device=device, dtype=dtype), fan_in))
