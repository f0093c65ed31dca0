"""Matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Op, T
from graphnet.ops.arithmetic import add
from graphnet.ops.shapes import squeeze, transpose, unsqueeze

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["linear", "matmul"]


_INNER_HINT = "The last size of x must be the last but one of y; y.mT turns a matrix round."


class Matmul(Op):
    """z = x y, so dz/dx = · yᵀ and dz/dy = xᵀ ·.  Shapes: (n, k), (k, m) -> (n, m)."""

    symbol = "@"
    hint = _INNER_HINT

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.matmul(y)

    def grad_x(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad.matmul(y.mT)

    def grad_y(self, grad: Tensor, x: Tensor) -> Tensor:
        return x.mT.matmul(grad)


class BatchMatmul(Op):
    """z = x y for each of many matrices, as in `Matmul`.

    Shapes: (..., n, k), (..., k, m) -> (..., n, m), where the sizes in front broadcast.
    """

    symbol = "@"
    hint = _INNER_HINT
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.matmul(y)

    def grad_x(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad.matmul(y.mT)

    def grad_y(self, grad: Tensor, x: Tensor) -> Tensor:
        return x.mT.matmul(grad)


def matmul(x: T, y: T) -> T:
    """The matrix product of x and y; dimensions before the last two are broadcast.

    A vector counts as a row on the left and as a column on the right.
    Shapes: (..., n, k), (..., k, m) -> (..., n, m).

    Raises:
        ShapeError: the inner sizes differ.

    >>> from torch import empty
    >>> matmul(empty(2, 3).fill_(1), empty(3, 1).fill_(2))
    tensor([[6.],
            [6.]])
    """
    if x.ndim == 1 and y.ndim > 0:
        return squeeze(matmul(unsqueeze(x, 0), y), -1 if y.ndim == 1 else -2)
    if y.ndim == 1 and x.ndim > 0:
        return squeeze(matmul(x, unsqueeze(y, 1)), -1)
    return Matmul()(x, y) if x.ndim == 2 and y.ndim == 2 else BatchMatmul()(x, y)


class Linear(Op):
    """y = x wᵀ + b, so dy/dx = · w, dy/dw = ·ᵀ x and dy/db = Σ ·, with · the gradient of y.

    Shapes: (n, k), (m, k), (m) -> (n, m).
    """

    symbol = "linear"
    hint = "The last size of x must be the in_features of the layer, the last size of its weight."

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return bias.addmm(x, weight.mT)

    def grad_x(self, grad: Tensor, weight: Tensor) -> Tensor:
        return grad.matmul(weight)

    def grad_weight(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad.mT.matmul(x)

    def grad_bias(self, grad: Tensor) -> Tensor:
        return grad.sum(0)


def linear(x: T, weight: T, bias: T | None = None) -> T:
    """An affine map of the last dimension: y = x wᵀ + b.

    Shapes: x (..., k), weight (m, k), bias (m) -> (..., m).

    Raises:
        ShapeError: the sizes k or m differ.

    >>> from torch import empty
    >>> linear(empty(1, 3).fill_(1), empty(2, 3).fill_(2), empty(2).fill_(0.5))
    tensor([[6.5000, 6.5000]])
    """
    if x.ndim == 2 and bias is not None and bias.ndim == 1:
        return Linear()(x, weight, bias)
    product = matmul(x, transpose(weight, -2, -1) if weight.ndim > 1 else weight)
    return product if bias is None else add(product, bias)
