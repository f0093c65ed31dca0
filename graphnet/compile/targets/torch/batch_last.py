"""Convolution as a matrix product, for images that lie in memory with the batch last.

One position in the window sees, over all windows, long runs of memory: row by row, and in each
pixel the whole batch. So they are copied faster than windows of few channels, and weights are used
as they lie.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, cast

from graphnet.compile.plan.calls import Call
from graphnet.compile.plan.slots import new_slot
from graphnet.compile.targets.torch.as_products import AsProducts
from graphnet.compile.targets.torch.images import matrix, permuted
from graphnet.compile.targets.torch.kernel import COPY, ZERO
from graphnet.compile.targets.torch.memory_format import (
    BATCH_LAST,
    BY_PLANES,
    as_images,
    lies,
    ordered,
)
from graphnet.compile.targets.torch.products import ADD_TO, ADDMM, product
from graphnet.compile.targets.torch.tuning import Candidate

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Shape, Slot
    from graphnet.compile.targets.torch.as_products import Pixels
    from graphnet.graph import Node, Operation


class BatchLast(AsProducts):
    """Windows as (c a b, h' w' n), kernels as (o, c a b)."""

    @property
    def sizes(self) -> Shape:
        """What each position in the window sees: (c, a, b, h', w', n)."""
        return (*self.kernel, *self.places, cast("int", self.x.shape[0]))

    @property
    def whole(self) -> bool:
        """True if there is one window, as large as the image."""
        return self.x.shape[1:] == self.kernel

    def output(self, node: Operation, bias: Node | None) -> None:
        """The output of a convolution, with or without bias."""
        selection = self.selection
        batch, channels, down, across = cast("Shape", node.shape)
        memory = selection.new(node, (channels, down, across, batch))
        image = selection.keep(node, as_images(memory, BATCH_LAST))
        out = selection.derived(image, "_rows", memory.view(channels, -1))
        call = product(node, out, self.kernels, self.windows)
        choices = [[call]]
        if bias is not None:
            start = self._matrix(node, bias, (0,), channels)
            sum_after = Call(ADD_TO, (out,), {"x": start}, node)
            choices = [[call, sum_after], [Call(ADDMM, (out,), {"bias": start, **call.args}, node)]]
        candidates = [Candidate(calls, image) for calls in choices]
        selection.choose(node, candidates, (self.x, self.weight))

    def pixel_matrix(self, node: Operation, image: Node) -> Pixels:
        """An image as a matrix with a row for each pixel, and transposed."""
        rows = self._matrix(node, image, BATCH_LAST, self.outputs)
        return self.selection.mT(rows), rows

    def by_weight(self, node: Operation, pixels: Pixels, inputs: tuple[Node, ...]) -> None:
        """The gradient with respect to the weight: as it lies, or transposed and copied."""
        selection, out = self.selection, self.selection.place(node)
        memory = selection.new(node, (prod(self.kernel), self.outputs))
        to = selection.derived(out, "_matrix", memory)
        turned = memory.view(*self.kernel, self.outputs).permute(3, 0, 1, 2)
        put = Call(COPY, (out,), {"x": selection.derived(out, "_image", turned)}, node)
        flat = selection.derived(out, "_flat", out.view(self.outputs, -1))
        choices = [
            [product(node, to, self.windows, pixels[0]), put],
            [product(node, flat, pixels[1], selection.mT(self.windows))],
        ]
        selection.choose(node, [Candidate(calls, out) for calls in choices], inputs)

    def by_input(self, node: Operation, pixels: Pixels, inputs: tuple[Node, ...]) -> None:
        """Add the gradient of what each position in the window sees to where it was seen."""
        selection, rows = self.selection, pixels[1]
        memory = selection.new(node, ordered(cast("Shape", node.shape), BATCH_LAST))
        image = selection.keep(node, as_images(memory, BATCH_LAST))
        count, turned = prod(self.kernel), selection.mT(self.kernels)
        if self.whole:
            flat = selection.derived(image, "_rows", memory.view(count, -1))
            selection.add(product(node, flat, turned, rows))
            return
        parts = selection.new(node, self.sizes)
        whole = selection.derived(image, "_windows", parts.view(count, -1))
        selection.add(product(node, whole, turned, rows))
        selection.add(Call(ZERO, (selection.derived(image, "_pixels", memory),), {}, node))
        seen = self.seen(memory, image)
        for call in self.added(node, seen, whole, parts.permute(1, 2, 0, 3, 4, 5)):
            selection.add(call)

    def kernel_matrix(self, node: Operation) -> Slot:
        """The kernels as a matrix, (o, c a b)."""
        return self._matrix(node, self.weight, BY_PLANES, self.outputs)

    def window_matrix(self, node: Operation) -> Slot:
        """What each position in the window sees, (c a b, h' w' n)."""
        selection, x, count = self.selection, self.x, prod(self.kernel)
        if self.whole:
            return self._matrix(node, x, BATCH_LAST, count)
        memory = selection.named(f"{x.name}_windows", new_slot(self.sizes, x.dtype))
        (_, height, width), (down, across) = self.kernel, self.stride
        windows = self._batch_last(node).unfold(1, height, down).unfold(2, width, across)
        seen = selection.named(f"{x.name}_seen", windows.permute(0, 4, 5, 1, 2, 3))
        selection.add(Call(COPY, (memory,), {"x": seen}, node))
        return selection.named(f"{x.name}_columns", memory.view(count, -1))

    def _batch_last(self, node: Operation) -> Slot:
        """The memory (c, h, w, n) of the input, which is copied there if it lies otherwise."""
        selection, x, slot = self.selection, self.x, self.selection.slots[self.x]
        if lies(slot, BATCH_LAST):
            return slot.permute(BATCH_LAST)
        sizes = ordered(cast("Shape", x.shape), BATCH_LAST)
        out = selection.named(f"{x.name}_batch_last", new_slot(sizes, x.dtype))
        given = permuted(selection, slot, BATCH_LAST, "_permuted")
        selection.add(Call(COPY, (out,), {"x": given}, node))
        return out

    def _matrix(self, node: Operation, source: Node, order: Shape, rows: int) -> Slot:
        """A tensor as a matrix with this number of rows, its dimensions in this order."""
        return matrix(self.selection, node, source, order, (rows, -1), "_matrix")
