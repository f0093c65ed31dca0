"""Windows that slide over a tensor, and the sum of what they saw.

`Windows` and `Fold` are each other's derivatives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import ShapeError
from graphnet.op import Op, T
from graphnet.ops.dims import described, normal_dim
from graphnet.ops.indexing import getitem, select
from graphnet.ops.joining import pad
from graphnet.ops.shapes import flatten, permute, reshape, squeeze, unsqueeze

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["sliding_windows", "unfold"]


class Windows(Op):
    """Every window of one dimension, its elements in a new last dimension.

    Shapes: (n, m) -> ((n - size) // step + 1, m, size) for dim=0.
    """

    symbol = "windows"
    hint = "A window is no larger than the dimension, and a step is 1 or more."
    dim: int
    size: int
    step: int

    def forward(self, x: Tensor) -> Tensor:
        return x.unfold(self.dim, self.size, self.step)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return Fold(self.dim, self.size, self.step)(grad, x_like)


class Fold(Op):
    """Each element summed over all windows that saw it, in the shape of another tensor.

    Shapes: ((n - size) // step + 1, m, size), (n, m) -> (n, m) for dim=0.
    """

    symbol = "fold"
    dim: int
    size: int
    step: int

    def forward(self, x: Tensor, other_like: Tensor) -> Tensor:
        result = x.new_zeros(other_like.shape)
        count = x.shape[self.dim]
        places = [slice(None)] * self.dim
        # The fewer additions: one for each window, or one for each element of a window.
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
    """Every window of a dimension, its elements in a new last dimension: `torch.Tensor.unfold`.

    Shapes: (n, m) -> ((n - size) // step + 1, m, size) for dimension=0.

    Raises:
        ShapeError: the window is larger than the dimension, or the step is not 1 or more.

    >>> from torch import empty
    >>> sliding_windows(empty(7, 2), 0, 3, 2).shape
    torch.Size([3, 2, 3])
    """
    dim = normal_dim(x, dimension)
    if size < 0 or step < 1:
        raise ShapeError(f"unfold: a window of {size} with the step {step} does not exist.")
    if not x.ndim:
        return select(Windows(0, size, step)(reshape(x, 1)), 0, 0)
    return Windows(dim, size, step)(x)


def unfold(
    x: T,
    kernel_size: int | tuple[int, ...],
    dilation: int | tuple[int, ...] = 1,
    padding: int | tuple[int, ...] = 0,
    stride: int | tuple[int, ...] = 1,
) -> T:
    """Every window of an image as one column: `torch.nn.functional.unfold`.

    Shapes: (n, c, h, w) -> (n, c · kernel elements, windows), and the same without n.

    Raises:
        ShapeError: x is not an image or a batch of images, a size is out of range, or the window
            is larger than the padded image.

    >>> from torch import empty
    >>> unfold(empty(2, 3, 5, 5), kernel_size=3).shape
    torch.Size([2, 27, 9])
    """
    high, wide = _pair("kernel_size", kernel_size, 1)
    down, across = _pair("stride", stride, 1)
    apart = _pair("dilation", dilation, 1)
    top, left = _pair("padding", padding, 0)
    if x.ndim not in (3, 4) or 0 in x.shape[-3:]:
        raise ShapeError(
            f"unfold: {described(x)} is not an image (c, h, w) or a batch of them (n, c, h, w)."
        )
    if x.ndim == 3:
        return squeeze(unfold(unsqueeze(x, 0), kernel_size, dilation, padding, stride), 0)
    padded = pad(x, (left, left, top, top)) if top or left else x
    rows = sliding_windows(padded, 2, apart[0] * (high - 1) + 1, down)
    seen = sliding_windows(
        rows, 3, apart[1] * (wide - 1) + 1, across
    )  # (n, c, rows, columns, high, wide)
    if apart != (1, 1):
        seen = getitem(seen, (..., slice(None, None, apart[0]), slice(None, None, apart[1])))
    return flatten(flatten(permute(seen, 0, 1, 4, 5, 2, 3), 4, 5), 1, 3)


def _pair(name: str, value: int | tuple[int, ...], least: int) -> tuple[int, int]:
    """A height and a width, given as one number or as two."""
    pair = (value,) if isinstance(value, int) else tuple(value)
    pair = pair * 2 if len(pair) == 1 else pair
    if len(pair) != 2 or min(pair) < least:
        raise ShapeError(f"unfold: {name} is one number or two, {least} or more; {value} came.")
    return pair[0], pair[1]
