"""A convolution of single pixels as a matrix product: the channels of each pixel in a row.

Images that lie pixel by pixel are such matrices already, and so is the weight: nothing is copied,
and no window is added to another. oneDNN's product comes first: with AVX-512 it can be twice as
fast as torch's own, which torch's convolution would call here on one thread.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.plan.calls import Call
from graphnet.compile.targets.torch.as_products import AsProducts
from graphnet.compile.targets.torch.images import matrix
from graphnet.compile.targets.torch.kernel import Kernel
from graphnet.compile.targets.torch.memory_format import BY_PIXELS, BY_PLANES, as_images
from graphnet.compile.targets.torch.products import ADDMM, has_onednn, onednn, product
from graphnet.compile.targets.torch.tuning import Candidate

if TYPE_CHECKING:
    from graphnet.compile.plan.calls import Operand
    from graphnet.compile.plan.slots import Shape, Slot
    from graphnet.compile.targets.torch.as_products import Pixels
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.graph import Node, Operation

ONEDNN_IMAGE = Kernel(
    '{out} = onednn_linear({x}, {weight}, {bias}, {activation}, [], "")'
    ".view{shape}.permute(0, 3, 1, 2)"
)


def is_pointwise(node: Operation, weight: Node) -> bool:
    """True if each window of a convolution, or of its gradients, is one pixel, and all are seen."""
    return weight.shape[2:] == (1, 1) and tuple(cast("Any", node.op).stride) == (1, 1)


class Pointwise(AsProducts):
    """Pixels as (n h w, c), kernels as (o, c)."""

    def output(self, node: Operation, bias: Node | None) -> None:
        """The output of a convolution, with or without bias."""
        selection, kernels = self.selection, self.kernels
        start = None if bias is None else selection.slots[bias]
        ways = pixel_products(
            selection, node, self.windows, (kernels, selection.mT(kernels)), start
        )
        selection.choose(node, ways[::-1], (self.x, self.weight))

    def pixel_matrix(self, node: Operation, image: Node) -> Pixels:
        """An image as a matrix with a row for each pixel, and transposed."""
        rows = matrix(self.selection, node, image, BY_PIXELS, (-1, self.outputs), "_rows")
        return rows, self.selection.mT(rows)

    def by_weight(self, node: Operation, pixels: Pixels, inputs: tuple[Node, ...]) -> None:
        """The gradient with respect to the weight, written where it is needed."""
        selection, out = self.selection, self.selection.place(node)
        flat = selection.derived(out, "_matrix", out.view(self.outputs, -1))
        ways = [Candidate([product(node, flat, pixels[1], self.windows)], out)]
        if has_onednn(node):
            call = onednn(node, flat, pixels[1], selection.mT(self.windows), None)
            ways.insert(0, Candidate([call], out))
        selection.choose(node, ways, inputs)

    def by_input(self, node: Operation, pixels: Pixels, inputs: tuple[Node, ...]) -> None:
        """The gradient with respect to the input: of each pixel by itself."""
        selection, kernels = self.selection, self.kernels
        weight = selection.mT(kernels), kernels
        ways = pixel_products(selection, node, pixels[0], weight, None)
        selection.choose(node, ways[::-1], inputs)

    def window_matrix(self, node: Operation) -> Slot:
        """The pixels of the input in rows, (n h w, c)."""
        return matrix(self.selection, node, self.x, BY_PIXELS, (-1, self.kernel[0]), "_rows")

    def kernel_matrix(self, node: Operation) -> Slot:
        """The kernels as a matrix, (o, c)."""
        sizes = (self.outputs, -1)
        return matrix(self.selection, node, self.weight, BY_PLANES, sizes, "_matrix")


def pixel_products(
    selection: Selection,
    node: Operation,
    x: Operand,
    weight: tuple[Operand, Operand],
    bias: Slot | None,
) -> list[Candidate]:
    """The ways to compute an image, pixel by pixel, as x wᵀ + b: torch's product, and oneDNN's.

    The weight is given as it is, and transposed.
    """
    batch, channels, down, across = cast("Shape", node.shape)
    sizes = (batch, down, across, channels)
    rows = selection.new(node, (prod(sizes[:3]), channels))
    image = selection.keep(node, as_images(rows.view(sizes), BY_PIXELS))
    out = selection.derived(image, "_rows", rows)
    call = product(node, out, x, weight[1])
    if bias is not None:
        call = Call(ADDMM, (out,), {"bias": bias, **call.args}, node)
    ways = [Candidate([call], image)]
    if has_onednn(node):
        made = selection.made_by_pixels(node)
        args = {"x": x, "weight": weight[0], "bias": bias}
        call = Call(ONEDNN_IMAGE, (made,), args, node, {"activation": "none", "shape": sizes})
        ways.append(Candidate([call], made))
    return ways
