"""Softmax, probabilities that sum to 1 along a dimension, and its logarithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Op, T
from graphnet.ops.dims import normal_dim
from graphnet.ops.dtypes import cast_to, narrowed, refuse_integers, widened

if TYPE_CHECKING:
    from torch import Tensor, dtype

__all__ = ["log_softmax", "softmax"]


class Softmax(Op):
    """y = eˣ / Σ eˣ along a dimension, so dL/dx = y (g - Σ g y) for g = dL/dy.  Shapes: any."""

    symbol = "softmax"
    dim: int

    def forward(self, x: Tensor) -> Tensor:
        refuse_integers(self, x)
        return x.softmax(self.dim)

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        g, y = widened(grad), widened(top)
        return narrowed(y * (g - (g * y).sum(self.dim, True)), grad)


def softmax(input: T, dim: int | None = None, dtype: dtype | None = None) -> T:
    """Probabilities along `dim`: eˣ / Σ eˣ, with x shifted by its maximum against overflow.

    Args:
        input: any shape.
        dim: the dimension; None is torch's legacy choice: 0 for 0, 1 or 3 dimensions, else 1.
        dtype: what the input is converted to first, if not None.

    Raises:
        ShapeError: the input has no such dimension.
        DtypeError: the input holds integers.

    >>> from torch import empty
    >>> softmax(empty(2, 4).fill_(1000), dim=1)[0]
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    return Softmax(_chosen_dim(input, dim))(cast_to(input, dtype))


class LogSoftmax(Op):
    """y = x - log Σ eˣ along a dimension, so dL/dx = g - eʸ Σ g for g = dL/dy.  Shapes: any."""

    symbol = "log softmax"
    dim: int

    def forward(self, x: Tensor) -> Tensor:
        refuse_integers(self, x)
        return x.log_softmax(self.dim)

    def grad_x(self, grad: Tensor, top: Tensor) -> Tensor:
        g = widened(grad)  # the sum of 70,000 ones overflows in float16
        return narrowed(g - widened(top).exp() * g.sum(self.dim, True), grad)


def log_softmax(input: T, dim: int | None = None, dtype: dtype | None = None) -> T:
    """The logarithm of softmax, computed as x - log Σ eˣ with x shifted by its maximum.

    Args:
        input: any shape.
        dim: the dimension; None is torch's legacy choice: 0 for 0, 1 or 3 dimensions, else 1.
        dtype: what the input is converted to first, if not None.

    Raises:
        ShapeError: the input has no such dimension.
        DtypeError: the input holds integers.

    >>> from torch import empty
    >>> log_softmax(empty(2, 4).fill_(1000), dim=1)[0]
    tensor([-1.3863, -1.3863, -1.3863, -1.3863])
    """
    return LogSoftmax(_chosen_dim(input, dim))(cast_to(input, dtype))


def _chosen_dim(x: T, dim: int | None) -> int:
    """The dimension counted from the front, or torch's choice if it is None."""
    return normal_dim(x, (0 if x.ndim in (0, 1, 3) else 1) if dim is None else dim)
