"""Convolution as a matrix product, for images that lie in memory with the batch last.

One position in the window sees, over all windows, long runs of memory: row by row, and in each
pixel the whole batch. So they are copied faster than windows of few channels, and weights are used
as they lie. As in `im2col`, only for convolutions without padding, dilation and groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product as pairs
from math import prod
from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.plan.calls import Call
from graphnet.compile.plan.slots import new_slot
from graphnet.compile.targets.torch.im2col import counts
from graphnet.compile.targets.torch.images import matrix, shown
from graphnet.compile.targets.torch.kernel import COPY, ZERO
from graphnet.compile.targets.torch.memory_format import (
    BATCH_LAST,
    BY_PLANES,
    as_images,
    lies,
    ordered,
)
from graphnet.compile.targets.torch.products import ADD_TO, ADDMM, product, sum_of_rows
from graphnet.compile.targets.torch.tuning import Candidate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphnet.compile.plan.slots import Slot
    from graphnet.compile.targets.torch.im2col import Wanted
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.graph import Node, Operation


@dataclass(frozen=True)
class Windows:
    """The windows of an image as a matrix.

    Attributes:
        pixels: what each position in the window sees, (c a b, h' w' n).
        sizes: the sizes (c, a, b, h', w', n).
        whole: True if there is one window, as large as the image.
    """

    pixels: Slot
    sizes: tuple[int, ...]
    whole: bool


def output(selection: Selection, node: Operation) -> None:
    """The output of a convolution, with or without bias."""
    x, weight, *bias = (cast("Node", each) for each in node.sources)
    windows, kernels = _laid_out(selection, node, x, weight)
    batch, channels, down, across = cast("tuple[int, ...]", node.shape)
    memory = selection.new(node, (channels, down, across, batch))
    image = selection.keep(node, as_images(memory, BATCH_LAST))
    out = selection.derived(image, "_rows", memory.view(channels, -1))
    call = product(node, out, kernels, windows.pixels)
    candidates = [Candidate([call], image)]
    if bias:
        start = _matrix(selection, node, bias[0], (0,), channels)
        sum_after = Call(ADD_TO, (out,), {"x": start}, node)
        both = Call(ADDMM, (out,), {"bias": start, **call.args}, node)
        candidates = [Candidate([call, sum_after], image), Candidate([both], image)]
    selection.choose(node, candidates, (x, weight))


def gradients(selection: Selection, grad: Node, x: Node, weight: Node, wanted: Wanted) -> None:
    """The requested gradients with respect to the input, the weight and the bias."""
    of_input, of_weight, of_bias = wanted
    node = next(each for each in wanted if each is not None)
    windows, kernels = _laid_out(selection, node, x, weight)
    rows = _matrix(selection, node, grad, BATCH_LAST, cast("int", weight.shape[0]))
    if of_weight is not None:
        _by_weight(selection, of_weight, windows, rows, (grad, x, weight))
    if of_bias is not None:
        sum_of_rows(selection, of_bias, selection.mT(rows), rows, grad)
    if of_input is not None:
        _by_input(selection, of_input, windows, kernels, rows)


def _by_weight(
    selection: Selection, node: Operation, windows: Windows, rows: Slot, inputs: tuple[Node, ...]
) -> None:
    out = selection.place(node)
    outputs, *kernel = out.shape
    memory = selection.new(node, (prod(kernel), outputs))
    to = selection.derived(out, "_matrix", memory)
    turned = memory.view(*kernel, outputs).permute(3, 0, 1, 2)
    put = Call(COPY, (out,), {"x": selection.derived(out, "_image", turned)}, node)
    flat = selection.derived(out, "_flat", out.view(outputs, -1))
    ways = [
        [product(node, to, windows.pixels, selection.mT(rows)), put],
        [product(node, flat, rows, selection.mT(windows.pixels))],
    ]
    selection.choose(node, [Candidate(way, out) for way in ways], inputs)


def _by_input(
    selection: Selection, node: Operation, windows: Windows, kernels: Slot, rows: Slot
) -> None:
    """Add the gradient of what each position in the window sees to where it was seen."""
    pixels = selection.new(node, ordered(cast("Any", node.shape), BATCH_LAST))
    image = selection.keep(node, as_images(pixels, BATCH_LAST))
    count, turned = prod(windows.sizes[:3]), selection.mT(kernels)
    if windows.whole:
        flat = selection.derived(image, "_rows", pixels.view(count, -1))
        selection.add(product(node, flat, turned, rows))
        return
    parts = selection.new(node, windows.sizes)
    whole = selection.derived(image, "_windows", parts.view(count, -1))
    selection.add(product(node, whole, turned, rows))
    selection.add(Call(ZERO, (selection.derived(image, "_pixels", pixels),), {}, node))
    seen = _seen(pixels, windows.sizes[1:3], cast("Any", node.op).stride)
    for i, j in pairs(*map(range, windows.sizes[1:3])):
        to = selection.derived(image, f"_at_{i}_{j}", seen[:, i, j])
        part = selection.derived(whole, f"_{i}_{j}", parts[:, i, j])
        selection.add(Call(ADD_TO, (to,), {"x": part}, node))


def _laid_out(selection: Selection, node: Operation, x: Node, weight: Node) -> tuple[Windows, Slot]:
    """The windows, and the kernels as a matrix, (o, c a b)."""
    rows = cast("int", weight.shape[0])
    windows = selection.once(
        ("windows", x, weight.shape[2:], cast("Any", node.op).stride),
        lambda: _windows(selection, node, x, weight),
    )
    return windows, selection.once(
        ("kernels", weight), lambda: _matrix(selection, node, weight, BY_PLANES, rows)
    )


def _windows(selection: Selection, node: Operation, x: Node, weight: Node) -> Windows:
    kernel, stride = cast("tuple[int, ...]", weight.shape[1:]), cast("Any", node.op).stride
    sizes = (*kernel, *counts(x, weight, stride), cast("int", x.shape[0]))
    if x.shape[1:] == kernel:
        whole = _matrix(selection, node, x, BATCH_LAST, prod(kernel))
        return Windows(whole, sizes, whole=True)
    memory = selection.named(f"{x.name}_windows", new_slot(sizes, x.dtype))
    pixels = _seen(_batch_last(selection, node, x), kernel[1:], stride)
    seen = selection.named(f"{x.name}_seen", pixels)
    selection.add(Call(COPY, (memory,), {"x": seen}, node))
    columns = selection.named(f"{x.name}_columns", memory.view(prod(kernel), -1))
    return Windows(columns, sizes, whole=False)


def _batch_last(selection: Selection, node: Operation, x: Node) -> Slot:
    """The memory (c, h, w, n) of an image, which is copied there if it lies otherwise."""
    slot = selection.slots[x]
    if lies(slot, BATCH_LAST):
        return slot.permute(BATCH_LAST)
    sizes = ordered(cast("Any", x.shape), BATCH_LAST)
    out = selection.named(f"{x.name}_batch_last", new_slot(sizes, x.dtype))
    text = f".permute{BATCH_LAST}"
    given = shown(selection, slot, "_permuted", lambda each: each.permute(BATCH_LAST), text)
    selection.add(Call(COPY, (out,), {"x": given}, node))
    return out


def _seen(image: Slot, kernel: Sequence[int], stride: tuple[int, int]) -> Slot:
    """What each position in the window sees: (c, h, w, n) as (c, a, b, h', w', n)."""
    windows = image.unfold(1, kernel[0], stride[0]).unfold(2, kernel[1], stride[1])
    return windows.permute(0, 4, 5, 1, 2, 3)


def _matrix(
    selection: Selection, node: Operation, source: Node, order: tuple[int, ...], rows: int
) -> Slot:
    """A tensor as a matrix with this number of rows, its dimensions in this order."""
    return matrix(selection, node, source, order, (rows, -1), "_matrix")
