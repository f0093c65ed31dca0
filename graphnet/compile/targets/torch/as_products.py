"""A convolution and its gradients as matrix products: what both layouts of images share.

Only for convolutions without padding, dilation and groups. How windows and kernels become matrices
depends on how images lie in memory: see `im2col` and `batch_last`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import product as pairs
from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.plan.calls import Call
from graphnet.compile.targets.torch.products import ADD_TO, sum_of_rows

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Shape, Slot
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.graph import Node, Operation

    Pixels = tuple[Any, Any]
    Seen = dict[tuple[int, int], Slot]


class AsProducts(ABC):
    """The lowering of one convolution, or of all its gradients together.

    Args:
        selection: the calls of the program.
        node: the convolution, or the first of its gradients.
        x: its input.
        weight: its kernels.

    Attributes:
        outputs: how many channels the output has.
        kernel: the sizes (c, a, b) of one kernel.
        stride: the distance between windows, down and across.
        places: how many windows there are, down and across.
        windows: the windows as a matrix.
        kernels: the kernels as a matrix.
    """

    def __init__(self, selection: Selection, node: Operation, x: Node, weight: Node) -> None:
        self.selection, self.x, self.weight = selection, x, weight
        self.outputs, *kernel = cast("Shape", weight.shape)
        self.kernel, self.stride = tuple(kernel), cast("Any", node.op).stride
        sizes = zip(cast("Shape", x.shape)[2:], kernel[1:], self.stride, strict=True)
        self.places = tuple((size - window) // step + 1 for size, window, step in sizes)
        key = ("windows", x, self.kernel[1:], self.stride)
        self.windows: Slot = selection.once(key, lambda: self.window_matrix(node))
        self.kernels: Slot = selection.once(("kernels", weight), lambda: self.kernel_matrix(node))

    @abstractmethod
    def window_matrix(self, node: Operation) -> Slot:
        """The windows as a matrix."""

    @abstractmethod
    def kernel_matrix(self, node: Operation) -> Slot:
        """The kernels as a matrix."""

    @abstractmethod
    def pixel_matrix(self, node: Operation, image: Node) -> Pixels:
        """An image as a matrix with the channels of a pixel in each row, and transposed."""

    @abstractmethod
    def output(self, node: Operation, bias: Node | None) -> None:
        """The output of the convolution."""

    @abstractmethod
    def by_weight(self, node: Operation, pixels: Pixels, inputs: tuple[Node, ...]) -> None:
        """The gradient with respect to the weight, from that of the output."""

    @abstractmethod
    def by_input(self, node: Operation, pixels: Pixels, inputs: tuple[Node, ...]) -> None:
        """The gradient with respect to the input, from that of the output."""

    def gradients(self, node: Operation, grad: Node, wanted: Sequence[Operation | None]) -> None:
        """The requested gradients with respect to the input, the weight and the bias."""
        of_input, of_weight, of_bias = wanted
        pixels, inputs = self.pixel_matrix(node, grad), (grad, self.x, self.weight)
        if of_weight is not None:
            self.by_weight(of_weight, pixels, inputs)
        if of_bias is not None:
            sum_of_rows(self.selection, of_bias, *pixels, grad)
        if of_input is not None:
            self.by_input(of_input, pixels, inputs)

    def seen(self, image: Slot, out: Slot) -> Seen:
        """For each position in the window the pixels that it sees over all windows.

        Rows and columns are the second and the third dimension of the image.
        """
        found = {}
        for i, j in pairs(*map(range, self.kernel[1:])):
            rows, columns = (
                slice(first, first + (count - 1) * step + 1, step)
                for first, count, step in zip((i, j), self.places, self.stride, strict=True)
            )
            found[i, j] = self.selection.derived(out, f"_at_{i}_{j}", image[:, rows, columns])
        return found

    def added(self, node: Operation, seen: Seen, whole: Slot, parts: Slot) -> list[Call]:
        """The calls that add, position by position, the gradient of all windows where it was seen.

        The positions are the first two dimensions of the parts, which lie in the whole.
        """
        named = {at: self.selection.derived(whole, "_{}_{}".format(*at), parts[at]) for at in seen}
        return [Call(ADD_TO, (to,), {"x": named[at]}, node) for at, to in seen.items()]
