"""Matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Op, T
from graphnet.ops.arithmetic import add
from graphnet.ops.shapes import transpose

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["linear", "matmul"]


class Matmul(Op):
    """z = x y, so dz/dx = · yᵀ and dz/dy = xᵀ ·, with · the gradient of z.

    Shapes: (..., n, k), (..., k, m) -> (..., n, m), where the sizes in front broadcast.
    """

    symbol = "@"
    hint = "The last size of x must be the last but one of y; y.mT turns a matrix round."
    broadcasts = True
    core_dims = 2

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.matmul(y)

    def grad_x(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad.matmul(y.mT)

    def grad_y(self, grad: Tensor, x: Tensor) -> Tensor:
        return x.mT.matmul(grad)


class Matvec(Op):
    """z = x v, so dz/dx = · vᵀ and dz/dv = xᵀ ·, with · the gradient of z.

    Shapes: (..., n, k), (k) -> (..., n), and (k), (k) -> ().
    """

    symbol = "@"
    hint = "The last size of x must be the size of the vector."
    broadcasts = True

    def forward(self, x: Tensor, v: Tensor) -> Tensor:
        return x.matmul(v)

    def grad_x(self, grad: Tensor, v: Tensor) -> Tensor:
        return grad.unsqueeze(-1) * v

    def grad_v(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad.unsqueeze(-1) * x


class Vecmat(Op):
    """z = v y, so dz/dv = · yᵀ and dz/dy = vᵀ ·, with · the gradient of z.

    Shapes: (k), (..., k, m) -> (..., m).
    """

    symbol = "@"
    hint = "The size of the vector must be the last size but one of y; y.mT turns a matrix round."
    broadcasts = True

    def forward(self, v: Tensor, y: Tensor) -> Tensor:
        return v.matmul(y)

    def grad_v(self, grad: Tensor, y: Tensor) -> Tensor:
        return (grad.unsqueeze(-2) * y).sum(-1)

    def grad_y(self, grad: Tensor, v: Tensor) -> Tensor:
        return v.unsqueeze(-1) * grad.unsqueeze(-2)


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
    if y.ndim == 1:
        return Matvec()(x, y)
    return Vecmat()(x, y) if x.ndim == 1 else Matmul()(x, y)


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
