"""Convolution as a matrix product: the pixels of each window in a row, times the kernels.

The rows are laid out pixel by pixel, channels last; the rows of the forward call serve the gradient
of the weight as well. Where an image has few channels the windows stand in columns instead, so that
longer runs of pixels are copied.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, cast

from graphnet.compile.plan.calls import Call
from graphnet.compile.plan.slots import new_slot
from graphnet.compile.targets.torch.as_products import AsProducts
from graphnet.compile.targets.torch.images import image, matrix, permuted, shown
from graphnet.compile.targets.torch.kernel import COPY, ZERO
from graphnet.compile.targets.torch.memory_format import BY_PIXELS, as_images
from graphnet.compile.targets.torch.pointwise import pixel_products
from graphnet.compile.targets.torch.products import ADD_TO, has_onednn, onednn, product
from graphnet.compile.targets.torch.tuning import Candidate

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Shape, Slot
    from graphnet.compile.targets.torch.as_products import Pixels, Seen
    from graphnet.graph import Node, Operation


class Im2col(AsProducts):
    """Windows as (n h' w', a b c), kernels as (o, a b c)."""

    @property
    def stand(self) -> bool:
        """True if the windows are a matrix of columns that lies in memory, transposed."""
        channels, _, width = self.kernel
        return bool(self.places[1] > width * channels)

    def output(self, node: Operation, bias: Node | None) -> None:
        """The output of a convolution, with or without bias."""
        selection, kernels = self.selection, self.kernels
        start = None if bias is None else selection.slots[bias]
        weight = kernels, selection.mT(kernels)
        candidates = pixel_products(selection, node, self.windows, weight, start)
        selection.choose(node, candidates, (self.x, self.weight))

    def pixel_matrix(self, node: Operation, image: Node) -> Pixels:
        """An image as a matrix with a row for each pixel, and transposed."""
        rows = matrix(self.selection, node, image, BY_PIXELS, (-1, self.outputs), "_rows")
        return rows, self.selection.mT(rows)

    def by_weight(self, node: Operation, pixels: Pixels, inputs: tuple[Node, ...]) -> None:
        """The gradient with respect to the weight: its matrix, copied in the order of torch."""
        selection, out = self.selection, self.selection.place(node)
        windows, transposed = self.windows, selection.mT(self.windows)
        (rows, columns), (channels, height, width) = pixels, self.kernel
        if self.stand:
            memory = selection.new(node, (height, width, channels, self.outputs))
            to, turned = memory.view(-1, self.outputs), memory.permute(3, 2, 0, 1)
            x, y, y_transposed = transposed, rows, columns
        else:
            memory = selection.new(node, (self.outputs, height, width, channels))
            to, turned = memory.view(self.outputs, -1), memory.permute(0, 3, 1, 2)
            x, y, y_transposed = columns, windows, transposed
        selection.derived(out, "_matrix", to)
        put = Call(COPY, (out,), {"x": selection.derived(out, "_image", turned)}, node)
        candidates = [Candidate([product(node, to, x, y), put], out)]
        if has_onednn(node):
            candidates.append(Candidate([onednn(node, to, x, y_transposed, None), put], out))
        selection.choose(node, candidates, inputs)

    def by_input(self, node: Operation, pixels: Pixels, inputs: tuple[Node, ...]) -> None:
        """Add the gradient of each window's pixels to where the windows lie.

        Either all at once, or one position in the window after another, which needs less memory.
        """
        selection, (rows, _) = self.selection, pixels
        batch, channels, height, width = cast("Shape", node.shape)
        places = (batch, *self.places)
        memory = selection.new(node, (batch, height, width, channels))
        out = selection.keep(node, as_images(memory, BY_PIXELS))
        clear = Call(ZERO, (selection.derived(out, "_pixels", memory),), {}, node)
        seen = self.seen(memory, out)
        parts = selection.new(node, (*places, *self.kernel[1:], channels))
        whole = selection.derived(out, "_windows", parts.view(prod(places), -1))
        adds = self.added(node, seen, whole, parts.permute(3, 4, 0, 1, 2, 5))
        choices = [
            [product(node, whole, rows, self.kernels), clear, *adds],
            [clear, *self._one_by_one(node, seen, rows, places)],
        ]
        if has_onednn(node):
            other = onednn(node, whole, rows, selection.mT(self.kernels), None)
            choices.append([other, clear, *adds])
        selection.choose(node, [Candidate(calls, out) for calls in choices], inputs)

    def _one_by_one(self, node: Operation, seen: Seen, rows: Slot, places: Shape) -> list[Call]:
        """The product for one position in the window at a time, each added where it is seen."""
        selection, out = self.selection, self.selection.slots[node]
        channels, *window = self.kernel
        part = selection.derived(out, "_part", selection.new(node, (prod(places), channels)))
        pixel = selection.derived(out, "_pixel", part.view(*places, channels))
        weights = self.kernels.view(-1, *window, channels)
        calls: list[Call] = []
        for (i, j), to in seen.items():
            kernel = selection.derived(self.kernels, f"_{i}_{j}", weights[:, i, j])
            calls.append(product(node, part, rows, kernel))
            calls.append(Call(ADD_TO, (to,), {"x": pixel}, node))
        return calls

    def window_matrix(self, node: Operation) -> Slot:
        """The pixels of each window in a row, (n h' w', a b c)."""
        selection, x = self.selection, self.x
        channels, height, width = self.kernel
        (down, across), batch = self.stride, cast("int", x.shape[0])
        kernel, places = (height, width, channels), (batch, *self.places)
        order = (4, 5, 1, 0, 2, 3) if self.stand else (0, 2, 3, 4, 5, 1)
        memory = new_slot((*kernel, *places) if self.stand else (*places, *kernel), x.dtype)
        seen = shown(
            selection,
            selection.slots[x] if self.stand else image(selection, x),
            "_seen",
            lambda slot: slot.unfold(2, height, down).unfold(3, width, across).permute(order),
            f".unfold(2, {height}, {down}).unfold(3, {width}, {across}).permute{order}",
        )
        windows = selection.named(f"{x.name}_windows", memory)
        selection.add(Call(COPY, (windows,), {"x": seen}, node))
        name = "columns" if self.stand else "rows"
        found = selection.named(f"{x.name}_{name}", memory.view(prod(memory.shape[:3]), -1))
        return cast("Slot", selection.mT(found)) if self.stand else found

    def kernel_matrix(self, node: Operation) -> Slot:
        """The kernels as a matrix, (o, a b c)."""
        selection, weight = self.selection, self.weight
        channels, *window = self.kernel
        memory = new_slot((self.outputs, *window, channels), weight.dtype)
        given = permuted(selection, selection.slots[weight], BY_PIXELS, "_by_pixels")
        out = selection.named(f"{weight.name}_kernels", memory)
        selection.add(Call(COPY, (out,), {"x": given}, node))
        return selection.named(f"{weight.name}_matrix", memory.view(self.outputs, -1))
