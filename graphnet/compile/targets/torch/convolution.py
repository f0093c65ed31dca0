"""Writers for images: convolution and pooling by torch's own kernels, or as products.

The kernels make new tensors in the layout of their input: channel by channel, or pixel by pixel
("channels last"). Where convolutions are products the batch can be last, for pools and activations
too. Which is the fastest depends on the whole network, so a program is written in several ways, and
the fastest one is kept; see `runner`.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.targets.torch import batch_last
from graphnet.compile.targets.torch import im2col as columns
from graphnet.compile.targets.torch.fused_ops import MaxPoolGrad
from graphnet.compile.targets.torch.memory_format import BATCH_LAST, BY_PIXELS, Layout, lies
from graphnet.graph import Node, Operation
from graphnet.ops.convolution import Conv2d, Conv2dBias, Conv2dGradInput, Conv2dGradWeight
from graphnet.ops.pooling import MaxPlaces, MaxPool2d
from graphnet.ops.reductions import Sum

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Program
    from graphnet.compile.targets.torch.lowerings import Writer
    from graphnet.compile.targets.torch.printer import Emission
    from graphnet.op import Op


LARGEST_WINDOW = 32  # numbers that are copied faster than torch's kernel uses them
LARGEST_WINDOWS = 5_000  # the same of all windows of an image together
LARGEST_BATCH_LAST = 20_000  # the same of all windows, where the batch is last


def usual_layout(program: Program) -> Layout:
    """The layout that is usually the fastest, for a program that is not measured."""
    convolutions = _convolutions(program)
    if convolutions and all(_is_small(node, LARGEST_BATCH_LAST) for node in convolutions):
        return Layout(BATCH_LAST, frozenset(kernels_of(program)))
    small = frozenset(
        _weight(node).name for node in convolutions if _is_small(node, LARGEST_WINDOWS)
    )
    return Layout(BY_PIXELS, small)


def kernels_of(program: Program) -> list[str]:
    """The names of the weights of all convolutions that may be computed as products."""
    fit = (node for node in _convolutions(program) if _fits(node))
    return list(dict.fromkeys(_weight(node).name for node in fit))


def _is_small(node: Operation, most: int) -> bool:
    """True for a product of small windows, or of the windows of a small image."""
    _, *window = cast("tuple[int, ...]", _weight(node).shape)
    _, _, *places = cast("tuple[int, ...]", node.shape)
    return _fits(node) and (prod(window) <= LARGEST_WINDOW or prod(window) * prod(places) <= most)


def _fits(node: Operation) -> bool:
    """True if a convolution may be computed as a product."""
    return columns.fits(node.op) and 0 not in node.shape


def _convolutions(program: Program) -> list[Operation]:
    kinds = Conv2d | Conv2dBias
    return [node for node in program if isinstance(node, Operation) and isinstance(node.op, kinds)]


def _weight(node: Operation) -> Node:
    return cast("Node", node.sources[1])


def has_images(program: Program) -> bool:
    """True if the layout of images matters."""
    kinds = (Conv2d, Conv2dBias, Conv2dGradInput, Conv2dGradWeight, MaxPool2d)
    return any(isinstance(node, Operation) and isinstance(node.op, kinds) for node in program)


def convolution(emission: Emission, node: Operation) -> None:
    """A convolution, with or without bias."""
    if not _is_native(node):
        emission.own_rule(node)
        return
    x, weight, *bias = (cast("Node", each) for each in node.sources)
    if way := _product(emission, node, weight, node):
        way.output(emission, node)
        return
    name = emission.names[bias[0]] if bias else "None"
    arguments = f"{emission.image(x)}, {emission.image(weight)}, {name}, {_options(node.op)}"
    emission.write(node, f"{emission.name(node)} = convolution({arguments})")
    emission.fresh(node)


def gradients(emission: Emission, node: Operation) -> None:
    """All requested gradients of a convolution with respect to its input, weight and bias."""
    if not _is_native(node):
        emission.own_rule(node)
        return
    found = _siblings(emission, node)
    grad = cast("Node", node.sources[0])
    x, weight = (cast("Node", each) for each in _operands(node))
    wanted = (found.get(Conv2dGradInput), found.get(Conv2dGradWeight), found.get(Sum))
    emission.done.update(each for each in wanted if each is not None)
    if way := _product(emission, node, weight, grad):
        way.gradients(emission, grad, x, weight, wanted)
        return
    mask = [each is not None for each in wanted]
    channels = cast("int", weight.shape[0])
    arguments = f"{emission.image(grad)}, {emission.image(x)}, {emission.image(weight)}"
    call = f"convolution_backward({arguments}, [{channels}], {_options(node.op)}, {mask})"
    names = [emission.name(each) if each is not None else "_" for each in wanted]
    emission.write(node, f"{', '.join(names)} = {call}")
    for each in wanted:
        if each is not None:
            emission.fresh(each)


def _product(emission: Emission, node: Operation, weight: Node, output: Node) -> Any:
    """The module that writes a convolution, or its gradients, as products, if there is one."""
    is_product = weight.name in emission.layout.as_products
    if not is_product or not columns.fits(node.op) or 0 in output.shape:
        return None
    return batch_last if emission.layout.order == BATCH_LAST else columns


def max_pool(emission: Emission, node: Operation) -> None:
    """The maxima and their indices, which one kernel finds together."""
    x = cast("Node", node.sources[0])
    if not x.dtype.is_floating_point or 0 in x.shape:
        emission.own_rule(node)
        return
    kinds = {MaxPool2d: MaxPlaces, MaxPlaces: MaxPool2d}
    other = next(
        (
            each
            for each in emission.program
            if isinstance(each, Operation)
            and type(each.op) is kinds[cast("Any", type(node.op))]
            and each.sources[0] is x
            and each.op.options == node.op.options
        ),
        None,
    )
    values, places = (node, other) if isinstance(node.op, MaxPool2d) else (other, node)
    names = [
        emission.scratch_image(node, kind) if each is None else emission.place_image(each)
        for each, kind in ((values, x.dtype), (places, torch.int64))
    ]
    given = f"{_pooled(emission, x)}, {_window(node.op)}"
    out, indices = (_as_channels(emission, name) for name in names)
    emission.write(node, f"max_pool({given}, out={out}, indices={indices})")
    if other is not None:
        emission.done.add(other)


def max_pool_grad(emission: Emission, node: Operation) -> None:
    """The gradient of max pooling."""
    grad, places, x = (cast("Node", each) for each in node.sources)
    if 0 in x.shape:
        emission.own_rule(node)
        return
    name = _as_channels(emission, emission.place_image(node))
    given = f"{_pooled(emission, grad)}, {_pooled(emission, x)}, {_window(node.op)}"
    indices = _as_channels(emission, emission.names[places])
    emission.write(node, f"max_pool_backward({given}, {indices}, grad_input={name})")


def _pooled(emission: Emission, node: Node) -> str:
    """An image as the pooling kernel takes it, in the layout of the program."""
    if emission.layout.order != BATCH_LAST:
        return emission.image(node)
    if node in emission.tensors and lies(emission.tensors[node], BATCH_LAST):
        return _as_channels(emission, emission.names[node])
    return emission.by_pixels(f"{emission.names[node]}.transpose(0, 1)")


def _as_channels(emission: Emission, name: str) -> str:
    """Memory as the pooling kernel takes it.

    Each channel is pooled by itself, so a batch of channels works as well as channels of a batch.
    If the batch is last in memory, that is what the kernel knows as "channels last".
    """
    if emission.layout.order != BATCH_LAST:
        return name
    return emission.words.constant(emission.words.known[name].transpose(0, 1), f"{name}_turned")


def _is_native(node: Operation) -> bool:
    """True if torch's kernel takes the options: the padding is the same on both sides.

    For images without elements it forgets the bias, and returns the channels of the input.
    """
    top, bottom, left, right = cast("Any", node.op).padding
    is_empty = any(0 in cast("Node", each).shape for each in node.sources)
    return bool(top == bottom >= 0 and left == right >= 0) and not is_empty


def _options(op: Op) -> str:
    given = cast("Any", op)
    border = [given.padding[0], given.padding[2]]
    stride, dilation = list(given.stride), list(given.dilation)
    return f"{stride}, {border}, {dilation}, False, [0, 0], {given.groups}"


def _window(op: Op) -> str:
    given = cast("Any", op)
    sizes = (given.kernel, given.stride, given.padding, given.dilation)
    return f"{', '.join(str(list(each)) for each in sizes)}, {given.ceil_mode}"


def _operands(node: Operation) -> tuple[Any, Any]:
    """The input and the weight of the differentiated convolution."""
    _, second, third = node.sources
    return (third, second) if isinstance(node.op, Conv2dGradInput) else (second, third)


def _siblings(emission: Emission, node: Operation) -> dict[type[Op], Operation]:
    """The gradients of one convolution that can be computed together."""
    grad, operands = node.sources[0], _operands(node)
    found: dict[type[Op], Operation] = {type(node.op): node}
    for each in emission.program:
        if not isinstance(each, Operation) or each.sources[0] is not grad or each in emission.done:
            continue
        if isinstance(each.op, Conv2dGradInput | Conv2dGradWeight):
            if _operands(each) == operands and each.op.options == node.op.options:
                found[type(each.op)] = each
        elif isinstance(each.op, Sum) and each.op.dims == (0, 2, 3) and not each.op.keepdim:
            found[Sum] = each
    return found


WRITERS: dict[type[Op], Writer] = {
    Conv2d: convolution,
    Conv2dBias: convolution,
    Conv2dGradInput: gradients,
    Conv2dGradWeight: gradients,
    MaxPool2d: max_pool,
    MaxPlaces: max_pool,
    MaxPoolGrad: max_pool_grad,
}
