"""Windows: those of an image as the columns of a matrix, those along a dimension, and their sums.

`Unfold` and `FoldLike` are each other's derivatives, and so are `Windows` and `WindowsSum`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.op import Op, T, View
from graphnet.ops.dims import described, normal_dim, require_tensors
from graphnet.ops.image_windows import sum_windows, window_counts, windows
from graphnet.ops.indexing import select
from graphnet.ops.shapes import reshape
from graphnet.ops.window_options import Padding, Pair, Sizes, on_batch, pair, require_tensor
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["fold", "sliding_windows", "unfold"]


class _Columns(Op, abstract=True):
    """The windows of an image, whose pixels stand in columns."""

    kernel: Pair
    stride: Pair
    padding: Padding
    dilation: Pair


class Unfold(_Columns):
    """The pixels of each window as a column.

    Shapes: (n, c, h, w) -> (n, c · a · b, windows) for a kernel (a, b).
    """

    symbol = "unfold"
    hint = "An image must have channels and pixels, and the kernel must fit into the padded image."
    structural = True

    def forward(self, x: Tensor) -> Tensor:
        if 0 in x.shape[1:]:
            raise ShapeError(f"an image needs channels and pixels; got {tuple(x.shape)}")
        down, across = columns_of(self, (x.shape[2], x.shape[3]))
        view = windows(x, self.kernel, self.stride, self.padding, self.dilation)
        height = x.shape[1] * self.kernel[0] * self.kernel[1]
        return view.permute(0, 1, 4, 5, 2, 3).reshape(x.shape[0], height, down * across)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return FoldLike(**self.options)(grad, x_like)


class FoldLike(_Columns):
    """Columns summed at the positions of their windows, in an image as large as another.

    Shapes: (n, c · a · b, windows), (n, c, h, w) -> (n, c, h, w).
    """

    symbol = "fold"

    def trial(self, y: Tensor, x_like: Tensor) -> Tensor:
        return y.new_zeros(x_like.shape)

    def forward(self, y: Tensor, x_like: Tensor) -> Tensor:
        return folded(self, y, (x_like.shape[2], x_like.shape[3]))

    def grad_y(self, grad: Tensor) -> Tensor:
        return Unfold(**self.options)(grad)


class Fold(Op):
    """Columns summed at the positions of their windows, in an image of a given size.

    Shapes: (n, c · a · b, windows) -> (n, c, *size).
    """

    symbol = "fold"
    size: Pair
    kernel: Pair
    stride: Pair
    padding: Padding
    dilation: Pair

    def trial(self, y: Tensor) -> Tensor:
        channels = y.shape[1] // (self.kernel[0] * self.kernel[1])
        return y.new_zeros(y.shape[0], channels, *self.size)

    def forward(self, y: Tensor) -> Tensor:
        return folded(self, y, self.size)

    def grad_y(self, grad: Tensor) -> Tensor:
        return Unfold(self.kernel, self.stride, self.padding, self.dilation)(grad)


def columns_of(op: Any, size: Pair) -> Pair:
    """The number of windows, down and across."""
    return window_counts(size, op.kernel, op.stride, op.padding, op.dilation)


def folded(op: Any, y: Tensor, size: Pair) -> Tensor:
    """The sum of the columns as an image of this size.

    Raises:
        ShapeError: the columns do not fit such an image.
    """
    require_columns(op, y, size)
    channels = y.shape[1] // (op.kernel[0] * op.kernel[1])
    values = y.reshape(y.shape[0], channels, *op.kernel, *columns_of(op, size))
    places = values.permute(0, 1, 4, 5, 2, 3)
    return sum_windows(places, size, op.stride, op.padding, op.dilation)


def require_columns(op: Any, y: Any, size: Pair) -> None:
    """Refuse columns that do not fit an image of this size, as far as theirs is known.

    Raises:
        ShapeError: the number of windows differs, or a column is not a multiple of the kernel.
    """
    down, across = columns_of(op, size)
    height, count = y.shape[-2:]
    pixels = op.kernel[0] * op.kernel[1]
    whole = height is None or (height > 0 and height % pixels == 0)
    if not whole or count not in (None, down * across):
        raise ShapeError(
            f"fold: an image of {size[0]} × {size[1]} pixels has {down * across} windows of "
            f"{pixels} pixels for each channel; got {described(y)}."
        )


def unfold(
    input: T, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> T:
    """Each window of an image as one column: `torch.nn.functional.unfold`.

    Shapes: (n, c, h, w) -> (n, c · kernel elements, windows), and the same without n.

    Raises:
        ShapeError: the input is not an image or batch of images, or no window fits into it.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> unfold(empty(2, 3, 5, 5), kernel_size=3).shape
    torch.Size([2, 27, 9])
    """
    require_tensor(input, "the input of unfold", (3, 4), ("bool",))
    return on_batch(Unfold(*_options(kernel_size, dilation, padding, stride)), input)


def fold(
    input: T,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> T:
    """An image whose pixels are summed over all columns that hold them: the adjoint of `unfold`.

    Shapes: (n, c · kernel elements, windows) -> (n, c, *output_size), and the same without n.

    Raises:
        ShapeError: the columns do not fit an image of this size.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> fold(empty(4, 2).fill_(1), (2, 3), kernel_size=2)
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """
    require_tensor(input, "the input of fold", (2, 3), ("bool",))
    size = pair(output_size, "output_size", repeat=False)
    op = Fold(size, *_options(kernel_size, dilation, padding, stride))
    require_columns(op, input, size)
    return on_batch(op, input, ndim=3)


def _options(
    kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> tuple[Pair, Pair, Padding, Pair]:
    """The options in the order of the classes' fields."""
    down, across = pair(padding, "padding", 0, repeat=False)
    return (
        pair(kernel_size, "kernel_size", repeat=False),
        pair(stride, "stride", repeat=False),
        (down, down, across, across),
        pair(dilation, "dilation", repeat=False),
    )


class Windows(View):
    """Each window of one dimension, its elements in a new last dimension.

    Shapes: (n, m) -> ((n - size) // step + 1, m, size) for dim=0.
    """

    symbol = "windows"
    hint = "A window must not be larger than the dimension, and a step must be 1 or more."
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
