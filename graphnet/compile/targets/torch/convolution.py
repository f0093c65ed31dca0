"""Lowerings for images: convolution and pooling by torch's own kernels, or as products.

The kernels make new tensors in the format of their input: channel by channel, or pixel by pixel
("channels last"). Where convolutions are products the batch can be last, for pools and activations
too. Which is the fastest depends on the whole network, so a program is made in several formats, and
the fastest one is kept; see `assemble`.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.plan.calls import Call
from graphnet.compile.targets.torch.batch_last import BatchLast
from graphnet.compile.targets.torch.fused_ops import MaxPoolGrad
from graphnet.compile.targets.torch.im2col import Im2col
from graphnet.compile.targets.torch.images import (
    CONTIGUOUS,
    PIXEL_BY_PIXEL,
    by_pixels,
    image,
    images_and_kernels,
)
from graphnet.compile.targets.torch.kernel import Kernel
from graphnet.compile.targets.torch.memory_format import BATCH_LAST, BY_PIXELS, MemoryFormat, lies
from graphnet.compile.targets.torch.pointwise import Pointwise, is_pointwise
from graphnet.graph import Node, Operation
from graphnet.ops.convolution import Conv2d, Conv2dBias, Conv2dGradInput, Conv2dGradWeight
from graphnet.ops.pooling import MaxPlaces, MaxPool2d
from graphnet.ops.reductions import Sum

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Program
    from graphnet.compile.plan.calls import Operand
    from graphnet.compile.plan.slots import Slot
    from graphnet.compile.targets.torch.as_products import AsProducts
    from graphnet.compile.targets.torch.lowerings import Lowering
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.op import Op


LARGEST_WINDOW = 32  # numbers that are copied faster than torch's kernel uses them
LARGEST_WINDOWS = 5_000  # the same of all windows of an image together
LARGEST_BATCH_LAST = 20_000  # the same of all windows, where the batch is last

_OPTIONS = "{stride}, {border}, {dilation}, False, [0, 0], {groups}"
_WINDOW = "{kernel}, {stride}, {padding}, {dilation}, {ceil_mode}"
_CONVOLUTION = f"{{out}} = convolution({{x}}, {{weight}}, {{bias}}, {_OPTIONS})"
CONVOLUTION = Kernel(_CONVOLUTION)
CONVOLUTION_BY_PIXELS = Kernel(f"{_CONVOLUTION}.contiguous(memory_format={{order}})")
GRADIENTS = Kernel(
    f"{{out}}, {{out1}}, {{out2}} = convolution_backward("
    f"{{grad}}, {{x}}, {{weight}}, [{{channels}}], {_OPTIONS}, {{wanted}})"
)
MAX_POOL = Kernel(f"max_pool({{x}}, {_WINDOW}, out={{out}}, indices={{out1}})")
MAX_POOL_GRAD = Kernel(
    f"max_pool_backward({{grad}}, {{x}}, {_WINDOW}, {{indices}}, grad_input={{out}})"
)


def usual_format(program: Program) -> MemoryFormat:
    """The format that is usually the fastest, for a program that is not measured."""
    convolutions = _convolutions(program)
    if convolutions and all(_is_small(node, LARGEST_BATCH_LAST) for node in convolutions):
        return MemoryFormat(BATCH_LAST, frozenset(kernels_of(program)))
    products = frozenset(
        _weight(node).name
        for node in convolutions
        if _is_small(node, LARGEST_WINDOWS)
        or (_fits(node, node) and is_pointwise(node, _weight(node)))
    )
    return MemoryFormat(BY_PIXELS, products)


def kernels_of(program: Program) -> list[str]:
    """The names of the weights of all convolutions that may be computed as products."""
    fit = (node for node in _convolutions(program) if _fits(node, node))
    return list(dict.fromkeys(_weight(node).name for node in fit))


def _is_small(node: Operation, most: int) -> bool:
    """True for a product of small windows, or of the windows of a small image."""
    _, *window = cast("tuple[int, ...]", _weight(node).shape)
    _, _, *places = cast("tuple[int, ...]", node.shape)
    return _fits(node, node) and (
        prod(window) <= LARGEST_WINDOW or prod(window) * prod(places) <= most
    )


def _fits(node: Operation, output: Node) -> bool:
    """True if a convolution with this output, or its gradients, may be computed as products."""
    op = cast("Any", node.op)
    plain = not any(op.padding) and tuple(op.dilation) == (1, 1) and op.groups == 1
    return plain and 0 not in output.shape


def _convolutions(program: Program) -> list[Operation]:
    kinds = Conv2d | Conv2dBias
    return [node for node in program if isinstance(node, Operation) and isinstance(node.op, kinds)]


def _weight(node: Operation) -> Node:
    return node.inputs[1]


def has_images(program: Program) -> bool:
    """True if the format of images matters."""
    kinds = (Conv2d, Conv2dBias, Conv2dGradInput, Conv2dGradWeight, MaxPool2d)
    return any(isinstance(node, Operation) and isinstance(node.op, kinds) for node in program)


def convolution(selection: Selection, node: Operation) -> None:
    """A convolution, with or without bias."""
    if not _is_native(node):
        selection.own_rule(node)
        return
    x, weight, *bias = node.inputs
    if weight.name in selection.format.as_products and _fits(node, node):
        lowering = _as_products(selection, node, weight)
        lowering(selection, node, x, weight).output(node, bias[0] if bias else None)
        return
    args = {
        **images_and_kernels(selection, node, {"x": x}, weight, node),
        "bias": selection.slots[bias[0]] if bias else None,
    }
    kernel, out, options = CONVOLUTION, selection.made(node), _options(node.op)
    if selection.format.order == BY_PIXELS:  # torch's kernels for few images lay them out otherwise
        kernel, out = CONVOLUTION_BY_PIXELS, selection.made_by_pixels(node)
        options |= {"order": PIXEL_BY_PIXEL}
    selection.add(Call(kernel, (out,), args, node, options))
    selection.finish(node, out)


def gradients(selection: Selection, node: Operation) -> None:
    """All requested gradients of a convolution with respect to its input, weight and bias."""
    if not _is_native(node):
        selection.own_rule(node)
        return
    found = _siblings(selection, node)
    grad, (x, weight) = node.inputs[0], _operands(node)
    wanted = (found.get(Conv2dGradInput), found.get(Conv2dGradWeight), found.get(Sum))
    selection.done.update(each for each in wanted if each is not None)
    if weight.name in selection.format.as_products and _fits(node, grad):
        first = next(each for each in wanted if each is not None)
        lowering = _as_products(selection, first, weight)
        lowering(selection, first, x, weight).gradients(first, grad, wanted)
        return
    args = images_and_kernels(selection, node, {"grad": grad, "x": x}, weight, grad)
    mask = [each is not None for each in wanted]
    options = {**_options(node.op), "channels": cast("int", weight.shape[0]), "wanted": mask}
    out = tuple(None if each is None else selection.made(each) for each in wanted)
    selection.add(Call(GRADIENTS, out, args, node, options))
    out = (_by_pixels(selection, wanted[0], out[0]), *out[1:])
    for each, slot in zip(wanted, out, strict=True):
        if each is not None and slot is not None:
            selection.finish(each, slot)


def _by_pixels(selection: Selection, node: Operation | None, made: Slot | None) -> Slot | None:
    """An image that a kernel makes anew, certainly pixel by pixel if the program's images are."""
    if node is None or made is None or selection.format.order != BY_PIXELS:
        return made
    out = selection.made_by_pixels(node)
    out.buffer.behind = (made.buffer,)
    selection.add(Call(CONTIGUOUS, (out,), {"x": made}, node, {"order": PIXEL_BY_PIXEL}))
    return out


def _as_products(selection: Selection, node: Operation, weight: Node) -> type[AsProducts]:
    """What lowers a convolution to products, in the format of the program."""
    if selection.format.order == BATCH_LAST:
        return BatchLast
    return Pointwise if is_pointwise(node, weight) else Im2col


def max_pool(selection: Selection, node: Operation) -> None:
    """The maxima and their indices, which one kernel finds together."""
    (x,) = node.inputs
    if not x.dtype.is_floating_point or 0 in x.shape:
        selection.own_rule(node)
        return
    other = _other_result(selection, node)
    values, places = (node, other) if isinstance(node.op, MaxPool2d) else (other, node)
    out = tuple(
        selection.named(f"{node.name}_scratch", selection.new_image(node, of))
        if each is None
        else selection.place_image(each)
        for each, of in ((values, x.dtype), (places, torch.int64))
    )
    out = tuple(_as_channels(selection, each) for each in out)
    args = {"x": _pooled(selection, x)}
    selection.add(Call(MAX_POOL, out, args, node, _options(node.op)))
    if other is not None:
        selection.done.add(other)


def _other_result(selection: Selection, node: Operation) -> Operation | None:
    """The node of the indices that belong to some maxima, or the other way round."""
    x, kind = node.sources[0], MaxPlaces if isinstance(node.op, MaxPool2d) else MaxPool2d
    operations = (each for each in selection.program if isinstance(each, Operation))
    of_kind = (each for each in operations if type(each.op) is kind and each.sources[0] is x)
    return next((each for each in of_kind if each.op.options == node.op.options), None)


def max_pool_grad(selection: Selection, node: Operation) -> None:
    """The gradient of max pooling."""
    grad, places, x = node.inputs
    if 0 in x.shape:
        selection.own_rule(node)
        return
    out = _as_channels(selection, selection.place_image(node))
    args = {
        "grad": _pooled(selection, grad),
        "x": _pooled(selection, x),
        "indices": _as_channels(selection, selection.slots[places]),
    }
    selection.add(Call(MAX_POOL_GRAD, (out,), args, node, _options(node.op)))


def _pooled(selection: Selection, node: Node) -> Operand:
    """An image as the pooling kernel takes it, in the format of the program."""
    if selection.format.order != BATCH_LAST:
        return image(selection, node)
    slot = selection.slots[node]
    if lies(slot, BATCH_LAST):
        return _as_channels(selection, slot)
    return by_pixels("{x}.transpose(0, 1)", slot)


def _as_channels(selection: Selection, slot: Slot) -> Slot:
    """Memory as the pooling kernel takes it.

    Each channel is pooled by itself, so a batch of channels works as well as channels of a batch.
    If the batch is last in memory, that is what the kernel knows as "channels last".
    """
    if selection.format.order != BATCH_LAST:
        return slot
    return selection.derived(slot, "_turned", slot.transpose(0, 1))


def _is_native(node: Operation) -> bool:
    """True if torch's kernel takes the options: the padding is the same on both sides.

    For images without elements it forgets the bias, and returns the channels of the input.
    """
    top, bottom, left, right = cast("Any", node.op).padding
    is_empty = any(0 in each.shape for each in node.inputs)
    return bool(top == bottom >= 0 and left == right >= 0) and not is_empty


def _options(op: Op) -> dict[str, Any]:
    """The options as torch's kernels take them; `border` is the padding on one side of each two."""
    options = {
        name: list(each) if isinstance(each, tuple) else each for name, each in op.options.items()
    }
    return {**options, "border": options["padding"][::2]}


def _operands(node: Operation) -> tuple[Node, Node]:
    """The input and the weight of the differentiated convolution."""
    _, second, third = node.inputs
    return (third, second) if isinstance(node.op, Conv2dGradInput) else (second, third)


def _siblings(selection: Selection, node: Operation) -> dict[type[Op], Operation]:
    """The gradients of one convolution that can be computed together."""
    grad, operands = node.sources[0], _operands(node)
    found: dict[type[Op], Operation] = {type(node.op): node}
    for each in selection.program:
        if not isinstance(each, Operation) or each.sources[0] is not grad or each in selection.done:
            continue
        if isinstance(each.op, Conv2dGradInput | Conv2dGradWeight):
            if _operands(each) == operands and each.op.options == node.op.options:
                found[type(each.op)] = each
        elif isinstance(each.op, Sum) and each.op.dims == (0, 2, 3) and not each.op.keepdim:
            found[Sum] = each
    return found


LOWERINGS: dict[type[Op], Lowering] = {
    **dict.fromkeys((Conv2d, Conv2dBias), convolution),
    **dict.fromkeys((Conv2dGradInput, Conv2dGradWeight), gradients),
    **dict.fromkeys((MaxPool2d, MaxPlaces), max_pool),
    MaxPoolGrad: max_pool_grad,
}
