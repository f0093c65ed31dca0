"""Windows that slide over one dimension of a tensor, and the sum over all windows.

`Windows` and `WindowsSum` are each other's derivatives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import ShapeError
from graphnet.op import Op, T
from graphnet.ops.dims import normal_dim, require_tensors
from graphnet.ops.indexing import select
from graphnet.ops.shapes import reshape
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["sliding_windows"]


class Windows(Op):
    """Each window of one dimension, its elements in a new last dimension.

    Shapes: (n, m) -> ((n - size) // step + 1, m, size) for dim=0.
    """

    symbol = "windows"
    hint = "A window must not be larger than the dimension, and a step must be 1 or more."
    view = True
    dim: int
    size: int
    step: int

    def forward(self, x: Tensor) -> Tensor:
        if self.size > x.shape[self.dim]:
            raise ShapeError(f"a window of {self.size} does not fit into {tuple(x.shape)}")
        return x.unfold(self.dim, self.size, self.step)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return WindowsSum(self.dim, self.size, self.step)(grad, x_like)


class WindowsSum(Op):
    """Each element summed over all windows that contain it, in the shape of another tensor.

    Shapes: ((n - size) // step + 1, m, size), (n, m) -> (n, m) for dim=0.
    """

    symbol = "windowsᵀ"
    dim: int
    size: int
    step: int

    def forward(self, x: Tensor, other_like: Tensor) -> Tensor:
        result = x.new_zeros(other_like.shape)
        count = x.shape[self.dim]
        places = [slice(None)] * self.dim
        # The smaller number of additions: one for each window, or for each element of a window.
        if count < self.size:
            for window in range(count):
                start = window * self.step
                seen = x.select(self.dim, window).movedim(-1, self.dim)
                result[(*places, slice(start, start + self.size))] += seen
        else:
            for offset in range(self.size):
                stop = offset + (count - 1) * self.step + 1
                result[(*places, slice(offset, stop, self.step))] += x[..., offset]
        return result

    def trial(self, x: Tensor, other_like: Tensor) -> Tensor:
        return x.new_zeros(other_like.shape)

    def grad_x(self, grad: Tensor) -> Tensor:
        return Windows(self.dim, self.size, self.step)(grad)


def sliding_windows(x: T, dimension: int, size: int, step: int) -> T:
    """Each window of a dimension, its elements in a new last dimension: `torch.Tensor.unfold`.

    Shapes: (n, m) -> ((n - size) // step + 1, m, size) for dimension=0.

    Raises:
        ShapeError: the window is larger than the dimension.
        GraphError: the size or the step has a wrong value.

    >>> from torch import empty
    >>> sliding_windows(empty(7, 2), 0, 3, 2).shape
    torch.Size([3, 2, 3])
    """
    require_tensors("unfold", x)
    op = Windows(
        normal_dim(x, dimension), require_integer("size", size, 0), require_integer("step", step, 1)
    )
    return op(x) if x.ndim else select(op(reshape(x, 1)), 0, 0)
