"""A rectifier with a weight: PReLU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import empty

from graphnet import ops
from graphnet.errors import ShapeError
from graphnet.graph import Parameter
from graphnet.layers.module import Module
from graphnet.validation import require_counts

if TYPE_CHECKING:
    from torch import device, dtype

    from graphnet.graph import Node


class PReLU(Module):
    """Each element if positive, else its product with a learned weight: see `ops.prelu`.

    Shapes: x (n, num_parameters, ...), or any for one weight; weight (num_parameters).

    Args:
        num_parameters: 1, or the number of channels.
        init: the initial value of the weights.
        device: the device of the weights.
        dtype: the dtype of the weights.

    Raises:
        ShapeError: the number is not an integer of 1 or more.

    >>> from torch import empty
    >>> PReLU().forward(empty(2).fill_(-4))
    tensor([-1., -1.])
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        require_counts(ShapeError, num_parameters=num_parameters)
        self.num_parameters = num_parameters
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype).fill_(init))

    def build(self, x: Node) -> Node:
        """Append the rectifier."""
        return ops.prelu(x, self.weight)

    def extra_repr(self) -> str:
        """The number of weights."""
        return f"num_parameters={self.num_parameters}"
