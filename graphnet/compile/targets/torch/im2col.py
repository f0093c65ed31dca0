"""Convolution as a matrix product: the pixels of each window in a row, times the kernels.

The rows are laid out pixel by pixel, channels last; the rows of the forward line serve the gradient
of the weight as well. Where an image has few channels the windows stand in columns instead, so that
longer runs of pixels are copied. Only for convolutions without padding, dilation and groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.targets.torch.products import has_onednn, row_sum

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.targets.torch.printer import Emission
    from graphnet.graph import Node, Operation

    Wanted = tuple[Operation | None, Operation | None, Operation | None]


@dataclass(frozen=True)
class Kernels:
    """The weights of a convolution as a matrix, by its names in the lines.

    Attributes:
        rows: (o, a b c).
        turned: the same, transposed.
    """

    rows: str
    turned: str


@dataclass(frozen=True)
class Columns:
    """The windows of an image as a matrix, by its names in the lines.

    Attributes:
        windows: the pixels of each window, (n h' w', a b c).
        standing: the same, transposed, if that is how they lie in memory; else None.
        down: h'.
        across: w'.
    """

    windows: str
    standing: str | None
    down: int
    across: int


def fits(op: Any) -> bool:
    """True for a convolution that can be computed in this way."""
    return not any(op.padding) and tuple(op.dilation) == (1, 1) and op.groups == 1


def counts(x: Node, weight: Node, stride: tuple[int, int]) -> tuple[int, int]:
    """How many windows there are, down and across."""
    sizes = zip(cast("Any", x.shape)[2:], cast("Any", weight.shape)[2:], stride, strict=True)
    down, across = ((size - kernel) // step + 1 for size, kernel, step in sizes)
    return down, across


def output(emission: Emission, node: Operation) -> None:
    """The output of a convolution, with or without bias."""
    x, weight, *bias = (cast("Node", each) for each in node.sources)
    columns, kernels = _laid_out(emission, node, x, weight)
    batch, channels, down, across = cast("tuple[int, ...]", node.shape)
    buffer, rows = emission.arena.take(
        (batch * down * across, channels), node.dtype, emission.readers[node]
    )
    out = emission.words.constant(rows, f"{node.name}_rows")
    sizes = (batch, down, across, channels)
    emission.keep(node, rows.view(sizes).permute(0, 3, 1, 2), node.name, buffer)
    start = emission.names[bias[0]] if bias else "None"
    if bias:
        ways = [[f"torch.addmm({start}, {columns.windows}, {kernels.turned}, out={out})"]]
    else:
        ways = [[f"torch.mm({columns.windows}, {kernels.turned}, out={out})"]]
    if has_onednn(node):
        call = f'onednn_linear({columns.windows}, {kernels.rows}, {start}, "none", [], "")'
        ways.append([f"{emission.names[node]} = {call}.view{sizes}.permute(0, 3, 1, 2)"])
    emission.choose(node, ways, (x, weight))


def gradients(emission: Emission, grad: Node, x: Node, weight: Node, wanted: Wanted) -> None:
    """The requested gradients with respect to the input, the weight and the bias."""
    of_input, of_weight, of_bias = wanted
    node = next(each for each in wanted if each is not None)
    columns, kernels = _laid_out(emission, node, x, weight)
    channels = cast("int", weight.shape[0])
    rows = emission.words.new(f"{grad.name}_rows")
    laid = f".permute(0, 2, 3, 1).reshape(-1, {channels})"
    emission.write(node, f"{rows} = {emission.names[grad]}{laid}")
    pixels = emission.sample(grad).permute(0, 2, 3, 1)
    emission.words.samples[rows] = pixels.reshape(-1, channels)
    if of_weight is not None:
        _by_weight(emission, of_weight, columns, rows, (grad, x, weight))
    if of_bias is not None:
        row_sum(emission, of_bias, (rows, f"{rows}.mT"), grad)
    if of_input is not None:
        places = columns.down, columns.across
        _by_input(emission, of_input, places, kernels, rows, (grad, x, weight))


def _by_weight(
    emission: Emission, node: Operation, columns: Columns, rows: str, inputs: tuple[Node, ...]
) -> None:
    out, name = emission.place(node)
    outputs, channels, height, width = out.shape
    count = height * width * channels
    sizes = (outputs, height, width, channels)
    if columns.standing:
        product = out.new_empty(count, outputs)
        image = product.view(*sizes[1:], outputs).permute(3, 2, 0, 1)
        factors = columns.standing, rows
    else:
        product = out.new_empty(outputs, count)
        image = product.view(sizes).permute(0, 3, 1, 2)
        factors = f"{rows}.mT", columns.windows
    matrix = emission.words.constant(product, f"{node.name}_matrix")
    view = emission.words.constant(image, f"{node.name}_image")
    put = f"{name}.copy_({view})"
    ways = [[f"torch.mm({factors[0]}, {factors[1]}, out={matrix})", put]]
    if has_onednn(node):
        call = f'onednn_linear({factors[0]}, {factors[1]}.mT, None, "none", [], "")'
        ways.append([f"{matrix}.copy_({call})", put])
    emission.choose(node, ways, inputs)


def _by_input(
    emission: Emission,
    node: Operation,
    counts: tuple[int, int],
    kernels: Kernels,
    rows: str,
    inputs: tuple[Node, ...],
) -> None:
    """Add the gradient of each window's pixels to where the windows lie.

    Either all at once, or one position in the window after another, which needs less memory.
    """
    batch, channels, height, width = cast("tuple[int, ...]", node.shape)
    outputs, _, down_size, across_size = cast("tuple[int, ...]", inputs[-1].shape)
    places, count, words = (batch, *counts), batch * prod(counts), emission.words
    held, image = emission.arena.take(
        (batch, height, width, channels), node.dtype, emission.readers[node]
    )
    emission.keep(node, image.permute(0, 3, 1, 2), node.name, held)
    buffer, windows = emission.arena.take(
        (*places, down_size, across_size, channels), node.dtype, 1
    )
    part = windows.flatten()[: count * channels]
    part_name = words.constant(part.view(count, channels), f"{node.name}_part")
    there_name = words.constant(part.view(*places, channels), f"{node.name}_pixel")
    weights = words.known[kernels.rows].view(outputs, down_size, across_size, channels)
    matrix = words.constant(windows.view(count, -1), f"{node.name}_windows")
    clear = f"{words.constant(image, f'{node.name}_pixels')}.zero_()"
    together = [f"torch.mm({rows}, {kernels.rows}, out={matrix})"]
    ways = [[*together, clear], [clear]]
    if has_onednn(node):
        call = f'onednn_linear({rows}, {kernels.turned}, None, "none", [], "")'
        ways.append([f"{matrix}.copy_({call})", clear])
    for i in range(down_size):
        for j in range(across_size):
            to = words.constant(_seen_from(image, node, counts, (i, j)), f"{node.name}_at_{i}_{j}")
            kernel = words.constant(weights[:, i, j], f"{kernels.rows}_{i}_{j}")
            one = words.constant(windows[:, :, :, i, j], f"{matrix}_{i}_{j}")
            for way in ways[::2]:
                way.append(f"{to}.add_({one})")
            ways[1].append(f"torch.mm({rows}, {kernel}, out={part_name})")
            ways[1].append(f"{to}.add_({there_name})")
    emission.choose(node, ways, inputs)
    emission.arena.release(buffer)


def _seen_from(
    image: Tensor, node: Operation, counts: tuple[int, int], place: tuple[int, int]
) -> Tensor:
    """The pixels that one position in the window sees, over all windows."""
    stride = cast("Any", node.op).stride
    rows, across = (
        slice(first, first + (count - 1) * step + 1, step)
        for first, count, step in zip(place, counts, stride, strict=True)
    )
    return image[:, rows, across]


def _laid_out(
    emission: Emission, node: Operation, x: Node, weight: Node
) -> tuple[Columns, Kernels]:
    """The windows and the kernels as matrices."""
    stride = cast("Any", node.op).stride
    columns = emission.once(
        ("windows", x, weight.shape[2:], stride), lambda: _windows(emission, node, x, weight)
    )
    return columns, emission.once(("kernels", weight), lambda: _kernels(emission, node, weight))


def _windows(emission: Emission, node: Operation, x: Node, weight: Node) -> Columns:
    batch, channels = cast("tuple[int, ...]", x.shape)[:2]
    (down_size, across_size), stride = cast("Any", weight.shape[2:]), cast("Any", node.op).stride
    down, across = counts(x, weight, stride)
    kernel, places = (down_size, across_size, channels), (batch, down, across)
    view = f".unfold(2, {down_size}, {stride[0]}).unfold(3, {across_size}, {stride[1]})"
    stands = across > across_size * channels
    if stands:
        windows = torch.empty(*kernel, *places, dtype=x.dtype, device=emission.device)
        given, order = emission.names[x], ".permute(4, 5, 1, 0, 2, 3)"
        rows = windows.view(-1, prod(places)).mT
    else:
        windows = torch.empty(*places, *kernel, dtype=x.dtype, device=emission.device)
        given, order = emission.image(x), ".permute(0, 2, 3, 4, 5, 1)"
        rows = windows.view(prod(places), -1)
    emission.arena.bytes += windows.nbytes
    name = emission.words.constant(windows, f"{x.name}_windows")
    emission.write(node, f"{name}.copy_({given}{view}{order})")
    return Columns(
        windows=emission.words.constant(rows, f"{x.name}_rows"),
        standing=emission.words.constant(rows.mT, f"{x.name}_columns") if stands else None,
        down=down,
        across=across,
    )


def _kernels(emission: Emission, node: Operation, weight: Node) -> Kernels:
    outputs, channels, *window = cast("tuple[int, ...]", weight.shape)
    sizes = (outputs, *window, channels)
    kernels = torch.empty(sizes, dtype=weight.dtype, device=emission.device)
    emission.arena.bytes += kernels.nbytes
    image = emission.words.constant(kernels, f"{weight.name}_kernels")
    emission.write(node, f"{image}.copy_({emission.names[weight]}.permute(0, 2, 3, 1))")
    matrix = kernels.view(outputs, -1)
    return Kernels(
        rows=emission.words.constant(matrix, f"{weight.name}_matrix"),
        turned=emission.words.constant(matrix.mT, f"{weight.name}_matrix_t"),
    )
