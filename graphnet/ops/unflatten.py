"""One dimension split into several, as for groups of channels and heads of attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import T, View
from graphnet.ops.dims import normal_dim
from graphnet.validation import require_integers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["unflatten"]


class Unflatten(View):
    """One dimension split into several, in the same order.  Shapes: (n, m k) -> (n, m, k)."""

    symbol = "unflatten"
    hint = "The product of the sizes must be the size of the dimension; one of them may be -1."
    dim: int
    sizes: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x.unflatten(self.dim, self.sizes)
        return result

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return grad.reshape_as(x_like)


def unflatten(input: T, dim: int, sizes: tuple[int, ...] | list[int]) -> T:
    """The input with `dim` split into several dimensions of these sizes; one may be -1.

    Shapes: (n, m k) -> (n, m, k) for dim=1 and sizes=(m, k).

    Raises:
        ShapeError: the input has no such dimension, or the product of the sizes is not its size.

    >>> from torch import empty
    >>> unflatten(empty(2, 6), 1, (3, -1)).shape
    torch.Size([2, 3, 2])
    """
    return Unflatten(normal_dim(input, dim), require_integers("unflatten: a size", sizes))(input)
