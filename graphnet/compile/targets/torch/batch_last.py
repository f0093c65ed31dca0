"""Convolution as a matrix product, for images that lie in memory with the batch last.

One position in the window sees, over all windows, long runs of memory: row by row, and in each
pixel the whole batch. So they are copied faster than windows of few channels, and weights are used
as they lie. As in `columns`, only for convolutions without padding, dilation and groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.targets.torch.im2col import counts
from graphnet.compile.targets.torch.memory_format import (
    BATCH_LAST,
    BY_PLANES,
    as_images,
    lies,
    ordered,
)
from graphnet.compile.targets.torch.products import row_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from graphnet.compile.targets.torch.im2col import Wanted
    from graphnet.compile.targets.torch.printer import Emission
    from graphnet.graph import Node, Operation


@dataclass(frozen=True)
class Windows:
    """The windows of an image as a matrix, by its name in the lines.

    Attributes:
        pixels: what each position in the window sees, (c a b, h' w' n).
        sizes: the sizes (c, a, b, h', w', n).
        whole: True if there is one window, as large as the image.
    """

    pixels: str
    sizes: tuple[int, ...]
    whole: bool


def output(emission: Emission, node: Operation) -> None:
    """The output of a convolution, with or without bias."""
    x, weight, *bias = (cast("Node", each) for each in node.sources)
    windows, kernels = _laid_out(emission, node, x, weight)
    batch, channels, down, across = cast("tuple[int, ...]", node.shape)
    buffer, memory = emission.arena.take(
        (channels, down, across, batch), node.dtype, emission.readers[node]
    )
    out = emission.words.constant(memory.view(channels, -1), f"{node.name}_rows")
    emission.keep(node, as_images(memory, BATCH_LAST), node.name, buffer)
    ways = [[f"torch.mm({kernels}, {windows.pixels}, out={out})"]]
    if bias:
        start = _matrix(emission, node, bias[0], (0,), channels)
        ways[0].append(f"{out}.add_({start})")
        ways.append([f"torch.addmm({start}, {kernels}, {windows.pixels}, out={out})"])
    emission.choose(node, ways, (x, weight))


def gradients(emission: Emission, grad: Node, x: Node, weight: Node, wanted: Wanted) -> None:
    """The requested gradients with respect to the input, the weight and the bias."""
    of_input, of_weight, of_bias = wanted
    node = next(each for each in wanted if each is not None)
    windows, kernels = _laid_out(emission, node, x, weight)
    rows = _matrix(emission, node, grad, BATCH_LAST, cast("int", weight.shape[0]))
    if of_weight is not None:
        _by_weight(emission, of_weight, windows, rows, (grad, x, weight))
    if of_bias is not None:
        row_sum(emission, of_bias, (f"{rows}.mT", rows), grad)
    if of_input is not None:
        _by_input(emission, of_input, windows, f"torch.mm({kernels}.mT, {rows}, out=")


def _by_weight(
    emission: Emission, node: Operation, windows: Windows, rows: str, inputs: tuple[Node, ...]
) -> None:
    out, name = emission.place(node)
    outputs, *kernel = out.shape
    memory = out.new_empty(prod(kernel), outputs)
    emission.arena.bytes += memory.nbytes
    matrix = emission.words.constant(memory, f"{node.name}_matrix")
    turned = memory.view(*kernel, outputs).permute(3, 0, 1, 2)
    image = emission.words.constant(turned, f"{node.name}_image")
    flat = emission.words.constant(out.view(outputs, -1), f"{node.name}_flat")
    ways = [
        [f"torch.mm({windows.pixels}, {rows}.mT, out={matrix})", f"{name}.copy_({image})"],
        [f"torch.mm({rows}, {windows.pixels}.mT, out={flat})"],
    ]
    emission.choose(node, ways, inputs)


def _by_input(emission: Emission, node: Operation, windows: Windows, product_to: str) -> None:
    """Add the gradient of what each position in the window sees to where it was seen."""
    sizes, words = ordered(cast("Any", node.shape), BATCH_LAST), emission.words
    held, image = emission.arena.take(sizes, node.dtype, emission.readers[node])
    emission.keep(node, as_images(image, BATCH_LAST), node.name, held)
    rows = prod(windows.sizes[:3])
    if windows.whole:
        flat = words.constant(image.view(rows, -1), f"{node.name}_rows")
        emission.write(node, f"{product_to}{flat})")
        return
    buffer, parts = emission.arena.take(windows.sizes, node.dtype, 1)
    name = words.constant(parts.view(rows, -1), f"{node.name}_windows")
    emission.write(node, f"{product_to}{name})")
    emission.write(node, f"{words.constant(image, f'{node.name}_pixels')}.zero_()")
    seen = _seen(image, windows.sizes[1:3], cast("Any", node.op).stride)
    for i, j in product(*map(range, windows.sizes[1:3])):
        to = words.constant(seen[:, i, j], f"{node.name}_at_{i}_{j}")
        part = words.constant(parts[:, i, j], f"{name}_{i}_{j}")
        emission.write(node, f"{to}.add_({part})")
    emission.arena.release(buffer)


def _laid_out(emission: Emission, node: Operation, x: Node, weight: Node) -> tuple[Windows, str]:
    """The windows, and the name of the kernels as a matrix, (o, c a b)."""
    rows = cast("int", weight.shape[0])
    windows = emission.once(
        ("windows", x, weight.shape[2:], cast("Any", node.op).stride),
        lambda: _windows(emission, node, x, weight),
    )
    return windows, emission.once(
        ("kernels", weight), lambda: _matrix(emission, node, weight, BY_PLANES, rows)
    )


def _windows(emission: Emission, node: Operation, x: Node, weight: Node) -> Windows:
    kernel, stride = cast("tuple[int, ...]", weight.shape[1:]), cast("Any", node.op).stride
    sizes = (*kernel, *counts(x, weight, stride), cast("int", x.shape[0]))
    if x.shape[1:] == kernel:
        return Windows(_matrix(emission, node, x, BATCH_LAST, prod(kernel)), sizes, whole=True)
    memory = torch.empty(sizes, dtype=x.dtype, device=emission.device)
    emission.arena.bytes += memory.nbytes
    name = emission.words.constant(memory, f"{x.name}_windows")
    pixels = _seen(_batch_last(emission, node, x), kernel[1:], stride)
    seen = emission.words.constant(pixels, f"{x.name}_seen")
    emission.write(node, f"{name}.copy_({seen})")
    columns = emission.words.constant(memory.view(prod(kernel), -1), f"{x.name}_columns")
    return Windows(columns, sizes, whole=False)


def _batch_last(emission: Emission, node: Operation, x: Node) -> Tensor:
    """The memory (c, h, w, n) of an image, which is copied there if it lies otherwise."""
    if x in emission.tensors and lies(emission.tensors[x], BATCH_LAST):
        return emission.tensors[x].permute(BATCH_LAST)
    buffer, memory = emission.arena.take(ordered(cast("Any", x.shape), BATCH_LAST), x.dtype, 1)
    name = emission.words.constant(memory, f"{x.name}_batch_last")
    emission.write(node, f"{name}.copy_({emission.names[x]}.permute{BATCH_LAST})")
    emission.arena.release(buffer)  # it is read by the next line
    return memory


def _seen(image: Tensor, kernel: Sequence[int], stride: tuple[int, int]) -> Tensor:
    """What each position in the window sees: (c, h, w, n) as (c, a, b, h', w', n)."""
    windows = image.unfold(1, kernel[0], stride[0]).unfold(2, kernel[1], stride[1])
    return windows.permute(0, 4, 5, 1, 2, 3)


def _matrix(
    emission: Emission, node: Operation, source: Node, order: tuple[int, ...], rows: int
) -> str:
    """The name of a tensor as a matrix with this number of rows, its dimensions in this order.

    It is a view where the memory allows, else made anew at each step.
    """
    name = f"{emission.names[source]}_matrix"
    if source in emission.tensors:
        tensor = emission.tensors[source]
        matrix = tensor.permute(order).reshape(rows, -1)
        if matrix.untyped_storage().data_ptr() == tensor.untyped_storage().data_ptr():
            return emission.words.constant(matrix, name)
    name = emission.words.new(name)
    emission.write(node, f"{name} = {emission.names[source]}.permute{order}.reshape({rows}, -1)")
    emission.words.samples[name] = emission.sample(source).permute(order).reshape(rows, -1)
    return name
