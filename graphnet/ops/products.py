"""Matrix products."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.op import Op, T
from graphnet.ops.arithmetic import add, mul
from graphnet.ops.broadcasting import expand_as
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.shapes import flatten, transpose, unsqueeze
from graphnet.validation import require_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["addmm", "bmm", "linear", "matmul", "mm"]


class _Product(Op, abstract=True):
    """A product of matrices or vectors."""

    symbol = "@"
    contraction = True
    infix = "·"


class Matmul(_Product):
    """z = x y, so dz/dx = · yᵀ and dz/dy = xᵀ ·, with · the gradient of z.

    Shapes: (..., n, k), (..., k, m) -> (..., n, m), where the leading sizes broadcast.
    """

    hint = "The last size of x must be the second to last of y; y.mT transposes a matrix."
    broadcasts = True
    core_dims = 2

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.matmul(y)

    def grad_x(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad.matmul(y.mT)

    def grad_y(self, grad: Tensor, x: Tensor) -> Tensor:
        return x.mT.matmul(grad)


class Matvec(_Product):
    """z = x v, so dz/dx = · vᵀ and dz/dv = xᵀ ·, with · the gradient of z.

    Shapes: (..., n, k), (k) -> (..., n), and (k), (k) -> ().
    """

    hint = "The last size of x must be the size of the vector."
    broadcasts = True

    def forward(self, x: Tensor, v: Tensor) -> Tensor:
        return x.matmul(v)

    def grad_x(self, grad: Tensor, v: Tensor) -> Tensor:
        return grad.unsqueeze(-1) * v

    def grad_v(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad.unsqueeze(-1) * x


class Vecmat(_Product):
    """z = v y, so dz/dv = · yᵀ and dz/dy = vᵀ ·, with · the gradient of z.

    Shapes: (k), (..., k, m) -> (..., m).
    """

    hint = "The size of the vector must be the second to last of y; y.mT transposes a matrix."
    broadcasts = True

    def forward(self, v: Tensor, y: Tensor) -> Tensor:
        return v.matmul(y)

    def grad_v(self, grad: Tensor, y: Tensor) -> Tensor:
        return (grad.unsqueeze(-2) * y).sum(-1)

    def grad_y(self, grad: Tensor, v: Tensor) -> Tensor:
        return v.unsqueeze(-1) * grad.unsqueeze(-2)


def matmul(input: T, other: T) -> T:
    """The matrix product of two tensors; dimensions before the last two broadcast.

    A vector counts as a row on the left and as a column on the right.
    Shapes: (..., n, k), (..., k, m) -> (..., n, m).

    Raises:
        ShapeError: the inner sizes differ.

    >>> from torch import empty
    >>> matmul(empty(2, 3).fill_(1), empty(3, 1).fill_(2))
    tensor([[6.],
            [6.]])
    """
    require_tensors("matmul", input, other)
    if other.ndim == 1:
        return Matvec()(input, other)
    return Vecmat()(input, other) if input.ndim == 1 else Matmul()(input, other)


def mm(input: T, mat2: T) -> T:
    """The product of two matrices; nothing is broadcast.

    Shapes: (n, k), (k, m) -> (n, m).

    Raises:
        ShapeError: one of them is not a matrix, or the inner sizes differ.

    >>> from torch import empty
    >>> mm(empty(2, 3), empty(3, 1)).shape
    torch.Size([2, 1])
    """
    _require_dims("mm", 2, input, mat2)
    return Matmul()(input, mat2)


class Bmm(_Product):
    """z = x y for each pair of a batch, so dz/dx = · yᵀ and dz/dy = xᵀ ·, with · the gradient of z.

    Shapes: (b, n, k), (b, k, m) -> (b, n, m).
    """

    hint = "Both batches must have the same size; ops.matmul broadcasts."

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.bmm(y)

    def grad_x(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad.bmm(y.mT)

    def grad_y(self, grad: Tensor, x: Tensor) -> Tensor:
        return x.mT.bmm(grad)


def bmm(input: T, mat2: T) -> T:
    """The matrix products of two batches; nothing is broadcast.

    Shapes: (b, n, k), (b, k, m) -> (b, n, m).

    Raises:
        ShapeError: one of them is not a batch of matrices, or sizes differ.

    >>> from torch import empty
    >>> bmm(empty(5, 2, 3), empty(5, 3, 1)).shape
    torch.Size([5, 2, 1])
    """
    _require_dims("bmm", 3, input, mat2)
    return Bmm()(input, mat2)


def addmm(input: T, mat1: T, mat2: T, *, beta: float = 1, alpha: float = 1) -> T:
    """beta · input + alpha · (mat1 mat2), with the input broadcast.

    Shapes: input to (n, m), (n, k), (k, m) -> (n, m). With beta=0, a NaN in the input is ignored.

    Raises:
        ShapeError: mat1 or mat2 is not a matrix, or the sizes do not fit.
        GraphError: beta or alpha is not a number.

    >>> from torch import empty
    >>> addmm(empty(2).fill_(1), empty(1, 3).fill_(1), empty(3, 2).fill_(2), alpha=0.5)
    tensor([[4., 4.]])
    """
    require_numbers(beta=beta, alpha=alpha)
    require_tensors("addmm", input)
    product = mm(mat1, mat2)
    if input.ndim > 2:
        raise ShapeError(f"addmm: {described(input)} has more dimensions than a matrix product.")
    if alpha != 1:
        product = mul(product, alpha)
    input = expand_as(input, product)
    if beta == 0:
        return product
    return add(input if beta == 1 else mul(input, beta), product)


def _require_dims(name: str, count: int, *tensors: Any) -> None:
    """Refuse tensors with a different number of dimensions."""
    require_tensors(name, *tensors)
    for each in tensors:
        if each.ndim != count:
            raise ShapeError(f"{name} takes {count} dimensions; {described(each)} has {each.ndim}.")


class Linear(Op):
    """y = x wᵀ + b, so dy/dx = · w, dy/dw = ·ᵀ x and dy/db = Σ ·, with · the gradient of y.

    Shapes: (..., k), (m, k), (m) -> (..., m).
    """

    symbol = "linear"
    hint = "The last size of x must be the layer's in_features, the last size of its weight."
    contraction = True

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        if x.ndim == 2:
            return bias.addmm(x, weight.mT)
        return x.matmul(weight.mT) + bias

    def grad_x(self, grad: Tensor, weight: Tensor) -> Tensor:
        return grad.matmul(weight)

    def grad_weight(self, grad: Tensor, x: Tensor) -> Tensor:
        return _rows(grad).mT.matmul(_rows(x))

    def grad_bias(self, grad: Tensor) -> Tensor:
        return _rows(grad).sum(0)

    def flops(self, shape: Sequence[int], *shapes: Sequence[int]) -> int:
        return Op.flops(self, shape, *shapes) + prod(shape)

    def backward_flops(self, place: int, shape: Sequence[int], *shapes: Sequence[int]) -> int:
        return prod(shape) if place == 2 else Op.flops(self, shape, *shapes)


class LinearMap(Op):
    """y = x wᵀ, which is `Linear` without b.

    Shapes: (..., k), (m, k) -> (..., m).
    """

    symbol = "linear"
    hint = Linear.hint
    composite = True
    contraction = True
    grad_x = Linear.grad_x
    grad_weight = Linear.grad_weight

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        return x.matmul(weight.mT)


def _rows(x: Tensor) -> Tensor:
    """All dimensions except the last as one: a matrix."""
    if x.ndim == 1:
        return unsqueeze(x, 0)
    return flatten(x, 0, -2) if x.ndim > 2 else x


def linear(input: T, weight: T, bias: T | None = None) -> T:
    """An affine map of the last dimension: y = x wᵀ + b.

    Shapes: input (..., k), weight (m, k), bias (m) or (1) -> (..., m); with a weight (k) and a
    bias () -> (...). Here k is in_features, and m out_features.

    Raises:
        ShapeError: the sizes k or m differ, or weight or bias has too many dimensions.

    >>> from torch import empty
    >>> linear(empty(1, 3).fill_(1), empty(2, 3).fill_(2), empty(2).fill_(0.5))
    tensor([[6.5000, 6.5000]])
    """
    require_tensors("linear", input, weight, *([] if bias is None else [bias]))
    if weight.ndim == 2 and bias is None:
        return LinearMap()(input, weight)
    if weight.ndim == 2 and bias is not None and bias.ndim == 1 and not _repeated(bias, weight):
        return Linear()(input, weight, bias)
    _require_ranks(input, weight, *([] if bias is None else [bias]))
    product = matmul(input, transpose(weight, 0, 1) if weight.ndim == 2 else weight)
    return product if bias is None else add(product, bias)


def _repeated(bias: T, weight: T) -> bool:
    """True if one number is the bias of several outputs."""
    return bias.shape[0] == 1 != weight.shape[0]


def _require_ranks(x: Any, weight: Any, *biases: Any) -> None:
    """Refuse numbers of dimensions that `linear` cannot take."""
    most = {1: 0, 2: x.ndim}.get(weight.ndim, -1)
    if most < 0 or any(bias.ndim > most for bias in biases):
        shapes = ", ".join(described(each) for each in (x, weight, *biases))
        raise ShapeError(
            "linear: weight and bias must be (out_features, in_features) and (out_features), or "
            f"(in_features) and (); got {shapes}."
        )
