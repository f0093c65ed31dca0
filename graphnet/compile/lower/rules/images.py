"""Operations on images: convolutions as contractions, pooling as reductions over windows."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.lower.layouts import LANES
from graphnet.compile.lower.loops import Contraction, Map
from graphnet.compile.lower.rules import winograd
from graphnet.compile.lower.scalars import (
    NotLowered,
    Place,
    load,
)
from graphnet.compile.plan.slots import Slot, new_slot
from graphnet.ops.convolution import Conv2d, Conv2dBias, Conv2dGradInput, Conv2dGradWeight
from graphnet.ops.transposed import ConvTranspose2d
from graphnet.ops.unfolding import Fold, FoldLike, Unfold, WindowsSum

if TYPE_CHECKING:
    from graphnet.compile.lower.lowering import Lowering, Rule
    from graphnet.compile.plan.slots import Shape
    from graphnet.graph import Node, Operation
    from graphnet.op import Op

Border = Sequence[int]
"""How many rows and columns are added: at the top, the bottom, the left, the right."""
OFTEN = 60
"""How often each number of an image must be multiplied to repay a copy in another order."""


def image_of(low: Lowering, node: Operation, place: int) -> Slot:
    """An operand in the order of memory in which images are computed."""
    slot = low.stored(cast("Node", node.sources[place]))
    if not low.batch_last or slot.strides[0] == 1 or slot.shape[0] == 1:
        return slot
    key = (slot.buffer, slot.offset, slot.shape, slot.strides, "image")
    if key not in low.turned:
        low.turned[key] = low.new(slot.shape, slot.dtype)
        low.done.work += prod(slot.shape)
        low.copy(node, low.turned[key], slot)
    return low.turned[key]


def channels_last(low: Lowering, node: Operation, image: Slot, products: int) -> Slot:
    """An image whose channels lie side by side, if they fill vectors and repay the copy.

    A tile adds up the products of all pixels, for several channels. With the batch innermost each
    pixel lies in a line of the cache of its own, and the lines crowd each other out.
    """
    n, c, h, w = image.shape
    is_whole = n >= LANES and (c // cast("Any", node.op).groups) % LANES == 0
    if not low.batch_last or not is_whole or products < OFTEN * prod(image.shape):
        return image
    made = new_slot((n, h, w, c), image.dtype).permute(0, 3, 1, 2)
    low.done.work += prod(image.shape)
    low.copy(node, made, image)
    return made


def padded(low: Lowering, node: Operation, slot: Slot, border: Border, fill: float = 0.0) -> Slot:
    """An image with a border; a negative one at the bottom or right cuts."""
    top, bottom, left, right = border
    height, width = slot.shape[2] + min(bottom, 0), slot.shape[3] + min(right, 0)
    slot = slot[:, :, :height, :width]
    if max(border) <= 0:
        return slot
    key = (slot.buffer, slot.offset, slot.shape, slot.strides, tuple(border), fill)
    if key not in low.turned:
        sizes = (*slot.shape[:2], height + top + max(bottom, 0), width + left + max(right, 0))
        low.turned[key] = made = low.new(sizes, slot.dtype)
        low.fill(node, made, fill)
        low.copy(node, made[:, :, top : top + height, left : left + width], slot)
        low.done.work += prod(sizes) / 8
    return low.turned[key]


def windows(slot: Slot, kernel: Sequence[int], op: Any, counts: Sequence[int]) -> Slot:
    """The pixels of each window: (n, c, down, across, *kernel)."""
    dilation = getattr(op, "dilation", (1, 1))
    batch, channels, down, across = slot.strides
    return slot.as_strided(
        (*slot.shape[:2], *counts, *kernel),
        (batch, channels, down * op.stride[0], across * op.stride[1],
         down * dilation[0], across * dilation[1]),
    )  # fmt: skip


def grouped(slot: Slot, groups: int, dim: int = 1) -> Slot:
    """The channels as groups of channels."""
    return slot.unflatten(dim, (groups, slot.shape[dim] // groups))


def strided(slot: Slot, shape: Shape, *dims: int | None) -> Slot:
    """A slot seen along the axes of a contraction: for each axis its dimension, or None."""
    strides = tuple(0 if dim is None else slot.strides[dim] for dim in dims)
    return slot.as_strided(shape, strides)


def floats(node: Operation) -> None:
    """Refuse integers."""
    if not node.dtype.is_floating_point:
        raise NotLowered(f"{node.op.name} of integers")


def convolution(low: Lowering, node: Operation) -> None:
    """For each window, the sum of its pixels times the weights."""
    op = cast("Any", node.op)
    weight = low.stored(cast("Node", node.sources[1]))
    bias = low.stored(cast("Node", node.sources[2])) if len(node.sources) == 3 else None
    out = low.place(node)
    low.keep(node, out)
    image = padded(low, node, image_of(low, node, 0), op.padding)
    kernel = weight.shape[2:]
    counts = out.shape[2:]
    if winograd.pays(low, op, image, weight.shape, counts):
        winograd.Winograd(low, node, counts).convolve(image, weight, bias, out)
        return
    seen = grouped(windows(image, kernel, op, counts), op.groups)
    kernels, result = grouped(weight, op.groups, 0), grouped(out, op.groups)
    n, g, o, h, w = result.shape
    sizes = (n, g, o, h, w, weight.shape[1], *kernel)
    start = None
    if bias is not None:
        start = strided(grouped(bias, g, 0), sizes[:5], None, 0, 1, None, None)
    low.contract(
        Contraction(
            node,
            sizes,
            5,
            strided(seen, sizes, 0, 1, None, 3, 4, 2, 5, 6),
            strided(kernels, sizes, None, 0, 1, None, None, 2, 3, 4),
            result,
            start,
        )
    )


def weight_gradient(low: Lowering, node: Operation) -> None:
    """For each weight, the sum of the pixels that it meets times the gradients there."""
    floats(node)
    op, shape = cast("Any", node.op), cast("Shape", node.shape)
    out = low.place(node)
    low.keep(node, out)
    given = image_of(low, node, 0)
    counts = given.shape[2:]
    image = padded(low, node, image_of(low, node, 1), op.padding)
    if winograd.pays(low, op, image, shape, counts):
        winograd.Winograd(low, node, counts).weight_gradient(given, image, out)
        return
    image = channels_last(low, node, image, prod(given.shape) * prod(shape[1:]))
    grad = grouped(given, op.groups)
    seen = grouped(windows(image, shape[2:], op, counts), op.groups)
    result = grouped(out, op.groups, 0)
    n, g, o, h, w = grad.shape
    sizes = (g, o, *shape[1:], n, h, w)
    low.contract(
        Contraction(
            node,
            sizes,
            5,
            strided(grad, sizes, 1, 2, None, None, None, 0, 3, 4),
            strided(seen, sizes, 1, None, 2, 5, 6, 0, 3, 4),
            result,
        )
    )


def input_gradient(low: Lowering, node: Operation) -> None:
    """For each weight of a window, its products with the gradients added to the pixels it meets."""
    floats(node)
    op, weight = cast("Any", node.op), low.stored(cast("Node", node.sources[1]))
    grad, out = image_of(low, node, 0), low.place(node)
    low.keep(node, out)
    whole, inside = _with_border(low, out, op.padding)
    if winograd.pays(low, op, whole, weight.shape, grad.shape[2:]):
        winograd.Winograd(low, node, grad.shape[2:]).input_gradient(grad, weight, whole)
        low.copy(node, out, inside)
        return
    low.fill(node, whole, 0.0)
    seen = grouped(windows(whole, weight.shape[2:], op, grad.shape[2:]), op.groups)
    given, kernels = grouped(grad, op.groups), grouped(weight, op.groups, 0)
    n, g, o, h, w = given.shape
    sizes = (n, g, h, w, *weight.shape[2:], weight.shape[1], o)
    result = strided(seen, sizes[:7], 0, 1, 3, 4, 5, 6, 2)
    low.contract(
        Contraction(
            node,
            sizes,
            7,
            strided(given, sizes, 0, 1, 3, 4, None, None, None, 2),
            strided(kernels, sizes, None, 0, None, None, 3, 4, 2, 1),
            result,
            result,
        )
    )
    low.copy(node, out, inside)


def _with_border(low: Lowering, out: Slot, border: Border) -> tuple[Slot, Slot]:
    """An image with a border, as `padded` adds it, and the part of it that is inside."""
    top, bottom, left, right = border
    height, width = out.shape[2:]
    sizes = (*out.shape[:2], height + top + max(bottom, 0), width + left + max(right, 0))
    whole = out if sizes == out.shape else low.new(sizes, out.dtype)
    return whole, whole[:, :, top : top + height, left : left + width]


# windows


def sum_windows(
    low: Lowering, node: Operation, values: Slot, op: Any, border: Border, out: Slot
) -> None:
    """The sum of the values of all windows, (n, c, down, across, *kernel), at their pixels."""
    whole, inside = _with_border(low, out, border)
    low.fill(node, whole, 0.0)
    at = windows(whole, values.shape[4:], op, values.shape[2:4])
    if prod(values.shape):
        low.add(Map(node, values.shape, load(values), Place(at), adds=True))
    low.copy(node, out, inside)


def unfold(low: Lowering, node: Operation) -> None:
    """The pixels of each window as a column."""
    op, out = cast("Any", node.op), low.place(node)
    image = padded(low, node, image_of(low, node, 0), op.padding)
    n, c = image.shape[:2]
    spans = [d * (k - 1) + 1 for d, k in zip(op.dilation, op.kernel, strict=True)]
    counts = [(s - cover) // step + 1 for s, cover, step in
              zip(image.shape[2:], spans, op.stride, strict=True)]  # fmt: skip
    seen = windows(image, op.kernel, op, counts).permute(0, 1, 4, 5, 2, 3)
    made = out if out.is_contiguous else new_slot(out.shape, out.dtype)
    low.copy(node, made.reshape(n, c, *op.kernel, *counts), seen)
    low.copy(node, out, made)
    low.keep(node, out)


def fold(low: Lowering, node: Operation) -> None:
    """The columns added as windows of an image."""
    op, y, out = cast("Any", node.op), low.stored(cast("Node", node.sources[0])), low.place(node)
    low.keep(node, out)
    top, bottom, left, right = op.padding
    sizes = (out.shape[2] + top + max(bottom, 0), out.shape[3] + left + max(right, 0))
    if min(bottom, right) < 0:
        raise NotLowered("fold into a cut image")
    spans = [d * (k - 1) + 1 for d, k in zip(op.dilation, op.kernel, strict=True)]
    counts = [(s - cover) // step + 1 for s, cover, step in
              zip(sizes, spans, op.stride, strict=True)]  # fmt: skip
    given = low.dense(node, y).reshape(y.shape[0], out.shape[1], *op.kernel, *counts)
    sum_windows(low, node, given.permute(0, 1, 4, 5, 2, 3), op, op.padding, out)


def windows_sum(low: Lowering, node: Operation) -> None:
    """The windows of one dimension added at their places."""
    op, y, out = cast("Any", node.op), low.stored(cast("Node", node.sources[0])), low.place(node)
    low.fill(node, out, 0.0)
    low.keep(node, out)
    if prod(y.shape):
        at = Place(out.unfold(op.dim, op.size, op.step))
        low.add(Map(node, y.shape, load(y), at, adds=True))


RULES: dict[type[Op], Rule] = {
    Conv2d: convolution,
    Conv2dBias: convolution,
    Conv2dGradInput: input_gradient,
    Conv2dGradWeight: weight_gradient,
    ConvTranspose2d: input_gradient,
    Fold: fold,
    FoldLike: fold,
    Unfold: unfold,
    WindowsSum: windows_sum,
}
