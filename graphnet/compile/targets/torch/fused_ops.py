"""Operations that only a program has: several steps that torch does in one.

Only the passes make them, after all gradients have been appended, so none has a derivative.
Each spells out in tensor methods what it stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.op import Op
from graphnet.ops.classification import Pick, Place

if TYPE_CHECKING:
    from torch import Tensor


class Copy(Op):
    """y = x, in memory of its own.  Shapes: any."""

    symbol = "copy"
    elementwise = True

    def forward(self, x: Tensor) -> Tensor:
        return x.clone()

    grad_x = None


class AddScaled(Op):
    """z = x + a y.  Shapes: x and y broadcast, a is a number."""

    symbol = "+ a·"
    elementwise = True

    def forward(self, x: Tensor, y: Tensor, a: Any) -> Tensor:
        z: Tensor = x + a * y
        return z

    grad_x = grad_y = grad_a = None


class Addcmul(Op):
    """z = x + (a u) v, in the order of torch's kernel.

    Shapes: x, u and v broadcast, a is a number.
    """

    symbol = "+ a·u·v"
    elementwise = True

    def forward(self, x: Tensor, u: Tensor, v: Tensor, a: Any) -> Tensor:
        z: Tensor = x + (a * u) * v
        return z

    grad_x = grad_u = grad_v = grad_a = None


class Addcdiv(Op):
    """z = x + (a u) / v, in the order of torch's kernel.  Shapes: as for `Addcmul`."""

    symbol = "+ a·u/v"
    elementwise = True

    def forward(self, x: Tensor, u: Tensor, v: Tensor, a: Any) -> Tensor:
        z: Tensor = x + (a * u) / v
        return z

    grad_x = grad_u = grad_v = grad_a = None


class Lerp(Op):
    """z = x + a (y - x).  Shapes: x and y broadcast, a is a number."""

    symbol = "lerp"
    elementwise = True

    def forward(self, x: Tensor, y: Tensor, a: Any) -> Tensor:
        z: Tensor = x + a * (y - x)
        return z

    grad_x = grad_y = grad_a = None


class TanhGrad(Op):
    """z = g (1 - y²): the gradient through y = tanh x.  Shapes: any."""

    symbol = "tanh'"
    elementwise = True

    def forward(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad * (1 - y * y)

    grad_grad = grad_y = None


class SigmoidGrad(Op):
    """z = g y (1 - y): the gradient through y = σ(x).  Shapes: any."""

    symbol = "σ'"
    elementwise = True

    def forward(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad * (y * (1 - y))

    grad_grad = grad_y = None


class ReluGrad(Op):
    """z = g where y > 0, else 0: the gradient through y = relu x.  Shapes: any."""

    symbol = "relu'"
    elementwise = True

    def forward(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad.masked_fill(y <= 0, 0.0)

    grad_grad = grad_y = None


class LogSoftmaxGrad(Op):
    """z = g - eʸ Σ g: the gradient through y = log softmax x.  Shapes: any."""

    symbol = "log softmax'"
    dim: int

    def forward(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad - y.exp() * grad.sum(self.dim, True)

    grad_grad = grad_y = None


class LinearThen(Op):
    """y = f(x wᵀ + b) for an activation f: "tanh", "relu" or "sigmoid".

    Shapes: (n, k), (m, k), (m) -> (n, m).
    """

    symbol = "linear f"
    activation: str

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        y: Tensor = getattr(bias.addmm(x, weight.mT), self.activation)()
        return y

    grad_x = grad_weight = grad_bias = None


class NllMean(Op):
    """y = the mean of -x[label] over the labels that are not to be ignored.

    Shapes: (n, c), (n) -> ().
    """

    symbol = "nll"
    ignored: int = -100

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        total: Tensor = -Pick(self.ignored).forward(x, target).sum()
        return total / target.ne(self.ignored).sum()

    grad_x = grad_target = None


class NllMeanGrad(Op):
    """The gradient of y = nll(x, labels) with respect to x, if that of y is 1.

    Shapes: (), (n, c), (n) -> (n, c).
    """

    symbol = "nll'"
    ignored: int = -100

    def forward(self, top: Tensor, x: Tensor, target: Tensor) -> Tensor:
        share = -1 / target.ne(self.ignored).sum().to(x.dtype)
        return Place(self.ignored).forward(share.expand(target.shape), target, x)

    grad_top = grad_x = grad_target = None


class Dot(Op):
    """z = Σ x y over all elements.  Shapes: s, s -> ()."""

    symbol = "·"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (x * y).sum()

    grad_x = grad_y = None


class MaxPoolGrad(Op):
    """The gradient of max pooling with respect to its input x, from the indices of the maxima.

    Shapes: (n, c, a, b), (n, c, a, b), (n, c, h, w) -> (n, c, h, w).
    """

    symbol = "max pool'"
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    ceil_mode: bool = False

    def forward(self, grad: Tensor, places: Tensor, x: Tensor) -> Tensor:
        image = grad.new_zeros(x.shape).flatten(2)
        return image.scatter_add_(2, places.flatten(2), grad.flatten(2)).view(x.shape)

    grad_grad = grad_places = grad_x = None
