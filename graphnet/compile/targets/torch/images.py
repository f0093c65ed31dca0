"""Images as convolutions and products take them: a view where the memory allows, else a copy."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, cast

import torch

from graphnet.compile.plan.calls import Call, Constant, Expression
from graphnet.compile.plan.slots import NotAView, Slot, new_slot
from graphnet.compile.targets.torch.kernel import Kernel
from graphnet.compile.targets.torch.memory_format import (
    BY_PIXELS,
    BY_PLANES,
    as_images,
    lies,
    ordered,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphnet.compile.plan.calls import Operand
    from graphnet.compile.plan.slots import Shape
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.graph import Node, Operation

MANY_WEIGHTS = 8  # for each number of the images, from which turning images costs less

MATRIX = Kernel("{out} = {x}.permute{order}.reshape{shape}")
CONTIGUOUS = Kernel("{out} = {x}.contiguous(memory_format={order})")
PIXEL_BY_PIXEL = Constant(torch.channels_last, "pixel_by_pixel")


def images_and_kernels(
    selection: Selection, node: Operation, images: dict[str, Node], weight: Node, output: Node
) -> dict[str, Operand | None]:
    """What torch's kernels for a convolution take: its images by name, and its kernels.

    They turn the weights, and later their gradients, into the order of the images. Weights are
    stored plane by plane; where they are many more than pixels, the images are turned instead.
    """
    slots, given = selection.slots, {**images, "weight": weight}
    few = prod(cast("Shape", images["x"].shape)) + prod(cast("Shape", output.shape))
    if prod(cast("Shape", weight.shape)) >= MANY_WEIGHTS * few:
        return {name: by_planes(slots[each]) for name, each in given.items()}
    kernels = kernel_image(selection, weight, node)
    return {**{name: image(selection, each) for name, each in images.items()}, "weight": kernels}


def image(selection: Selection, node: Node) -> Slot | Expression:
    """An image or a kernel as torch's convolution takes it in the format of the program."""
    slot = selection.slots[node]
    if lies(slot, BY_PIXELS) or selection.format.order == BY_PLANES:
        return slot
    return by_pixels("{x}", slot)


def kernel_image(selection: Selection, weight: Node, node: Operation) -> Slot | Expression:
    """The kernels of a convolution, copied once for the forward and the backward pass."""
    given = image(selection, weight)
    slot = selection.slots[weight]
    if given is slot or not slot.is_fixed:
        return given

    def copied() -> Slot:
        memory = new_slot(ordered(slot.shape, BY_PIXELS), slot.dtype)
        out = selection.derived(slot, "_by_pixels", as_images(memory, BY_PIXELS))
        selection.copy(node, out, slot)
        return out

    return selection.once(("by pixels", weight), copied)


def by_pixels(text: str, slot: Slot) -> Expression:
    """An image pixel by pixel, copied if it lies otherwise."""
    args = {"x": slot, "order": PIXEL_BY_PIXEL}
    return Expression(f"{text}.contiguous(memory_format={{order}})", args)


def by_planes(slot: Slot) -> Slot | Expression:
    """An image plane by plane, copied if it lies otherwise."""
    return slot if lies(slot, BY_PLANES) else Expression("{x}.contiguous()", {"x": slot})


def shown(
    selection: Selection, given: Operand, suffix: str, view: Callable[[Slot], Slot], text: str
) -> Operand:
    """A view of memory that is always the same, else the expression that views it each time."""
    if isinstance(given, Slot) and given.is_fixed:
        return selection.derived(given, suffix, view(given))
    return Expression(f"{{x}}{text}", {"x": given})


def permuted(selection: Selection, given: Slot, order: Shape, suffix: str) -> Operand:
    """An image with its dimensions in another order, as `shown` has it."""
    return shown(selection, given, suffix, lambda each: each.permute(order), f".permute{order}")


def matrix(
    selection: Selection, node: Operation, source: Node, order: Shape, shape: Shape, suffix: str
) -> Slot:
    """A tensor as a matrix, its dimensions in this order.

    It is a view where the memory allows, else made anew at each step.
    """
    slot = selection.slots[source]
    permuted = slot.permute(order)
    if slot.is_fixed:
        try:
            return selection.derived(slot, suffix, permuted.reshape(shape))
        except NotAView:
            pass
    sizes = new_slot(permuted.shape, slot.dtype).view(shape).shape
    out = new_slot(sizes, slot.dtype, made=True, owned=False)
    out.buffer.behind = (slot.buffer,)
    options = {"order": order, "shape": shape}
    selection.add(Call(MATRIX, (selection.derived(slot, suffix, out),), {"x": slot}, node, options))
    return out
