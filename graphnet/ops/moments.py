"""What a normalization does with whole images, in two operations of few passes over memory.

Each is one node, and keeps one image: what lies between is dropped as soon as it has been used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Op
from graphnet.ops.broadcasting import count, sum_as

if TYPE_CHECKING:
    from torch import Tensor


class SecondMoment(Op):
    """y = Σ (x - m)² / n over some dimensions of n elements: the variance, if m is the mean.

    So dy/dx = 2 (x - m) / n and dy/dm = 2 (m - mean x). With `average=False` it is the sum, without
    1 / n, which can be added to the sums of other elements, and is 0 for none.
    Shapes: (n, c), (1, c) -> (1, c) for dims (0,).
    """

    symbol = "var"
    composite = True
    dims: tuple[int, ...]
    average: bool = True

    def forward(self, x: Tensor, mean: Tensor) -> Tensor:
        centered = x - mean
        squares = centered * centered
        if not self.dims:
            return squares
        return squares.mean(self.dims, True) if self.average else squares.sum(self.dims, True)

    def grad_x(self, grad: Tensor, x: Tensor, mean: Tensor) -> Tensor:
        for dim in self.dims if self.average else ():
            grad = grad / count(x, dim)
        return (x - mean) * (grad * 2)

    def grad_mean(self, grad: Tensor, x: Tensor, mean: Tensor) -> Tensor:
        if not self.average:
            return sum_as((mean - x) * (grad * 2), mean)
        own = x.mean(self.dims, True) if self.dims else x
        return (mean - own) * (grad * 2)


class Rescale(Op):
    """y = (x - m) s + b, with m and s of one shape.

    Shapes: (n, c, h, w), (1, c, 1, 1), (1, c, 1, 1), (c, 1, 1) -> (n, c, h, w).
    """

    symbol = "rescale"
    elementwise = composite = True

    def forward(self, x: Tensor, mean: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
        return (x - mean) * scale + bias

    def grad_x(self, grad: Tensor, scale: Tensor) -> Tensor:
        return grad * scale

    def grad_mean(self, grad: Tensor, scale: Tensor) -> Tensor:
        return -(sum_as(grad, scale) * scale)

    def grad_scale(self, grad: Tensor, x: Tensor, mean: Tensor, scale_like: Tensor) -> Tensor:
        return sum_as((x - mean) * grad, scale_like)

    def grad_bias(self, grad: Tensor, bias_like: Tensor) -> Tensor:
        return sum_as(grad, bias_like)
