"""Convolution as a product of matrices: the pixels of each window in a row, times the kernels.

The rows are laid out pixel by pixel, channels last; the rows of the forward line serve the gradient
of the weight as well. Only for convolutions without border, dilation and groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch

if TYPE_CHECKING:
    from graphnet.compile.emission import Emission
    from graphnet.graph import Node, Operation


@dataclass(frozen=True)
class Columns:
    """The matrices of one convolution, by their names in the lines.

    Attributes:
        windows: the pixels of each window, (n h' w', a b c).
        kernels: the weights, (o, a b c).
        turned: the same turned round.
        down: h'.
        across: w'.
    """

    windows: str
    kernels: str
    turned: str
    down: int
    across: int


def fits(op: Any) -> bool:
    """True for a convolution that can be computed in this way."""
    return not any(op.padding) and tuple(op.dilation) == (1, 1) and op.groups == 1


def output(emission: Emission, node: Operation) -> None:
    """The output of a convolution, with or without bias."""
    x, weight, *bias = (cast("Node", each) for each in node.sources)
    columns = _laid_out(emission, node, x, weight)
    batch, channels, down, across = cast("tuple[int, ...]", node.shape)
    buffer, rows = emission.arena.take(
        (batch * down * across, channels), node.dtype, emission.readers[node]
    )
    name = emission.words.constant(rows, f"{node.name}_rows")
    image = rows.view(batch, down, across, channels).permute(0, 3, 1, 2)
    emission.keep(node, image, node.name, buffer)
    if bias:
        start = emission.names[bias[0]]
        text = f"torch.addmm({start}, {columns.windows}, {columns.turned}, out={name})"
    else:
        text = f"torch.mm({columns.windows}, {columns.turned}, out={name})"
    emission.write(node, text)


def gradients(
    emission: Emission,
    grad: Node,
    x: Node,
    weight: Node,
    wanted: tuple[Operation | None, Operation | None, Operation | None],
) -> None:
    """The gradients by the input, the weight and the bias that are asked for."""
    of_input, of_weight, of_bias = wanted
    node = next(each for each in wanted if each is not None)
    columns = _laid_out(emission, node, x, weight)
    channels = cast("int", weight.shape[0])
    rows = emission.words.new(f"{grad.name}_rows")
    emission.write(
        node, f"{rows} = {emission.names[grad]}.permute(0, 2, 3, 1).reshape(-1, {channels})"
    )
    if of_weight is not None:
        _by_weight(emission, of_weight, columns, rows)
    if of_bias is not None:
        _, name = emission.place(of_bias)
        emission.write(of_bias, f"torch.sum({rows}, (0,), False, out={name})")
    if of_input is not None:
        _by_input(emission, of_input, columns, rows, weight)


def _by_weight(emission: Emission, node: Operation, columns: Columns, rows: str) -> None:
    out, name = emission.place(node)
    outputs, inputs, height, width = out.shape
    product = torch.empty(outputs, height * width * inputs, dtype=out.dtype, device=out.device)
    matrix = emission.words.constant(product, f"{node.name}_matrix")
    image = product.view(outputs, height, width, inputs).permute(0, 3, 1, 2)
    view = emission.words.constant(image, f"{node.name}_image")
    emission.write(node, f"torch.mm({rows}.mT, {columns.windows}, out={matrix})")
    emission.write(node, f"{name}.copy_({view})")


def _by_input(
    emission: Emission, node: Operation, columns: Columns, rows: str, weight: Node
) -> None:
    """The gradient of each window's pixels, added where the windows lie."""
    batch, inputs, height, width = cast("tuple[int, ...]", node.shape)
    _, _, down_size, across_size = cast("tuple[int, ...]", weight.shape)
    down, across = columns.down, columns.across
    stride = cast("Any", node.op).stride
    sizes = (batch, down, across, down_size, across_size, inputs)
    buffer, windows = emission.arena.take(sizes, node.dtype, 1)
    matrix = emission.words.constant(
        windows.view(batch * down * across, -1), f"{node.name}_windows"
    )
    emission.write(node, f"torch.mm({rows}, {columns.kernels}, out={matrix})")
    held, image = emission.arena.take(
        (batch, height, width, inputs), node.dtype, emission.readers[node]
    )
    name = emission.words.constant(image, f"{node.name}_pixels")
    emission.write(node, f"{name}.zero_()")
    for i in range(down_size):
        for j in range(across_size):
            ends = i + down * stride[0] - stride[0] + 1, j + across * stride[1] - stride[1] + 1
            there = image[:, i : ends[0] : stride[0], j : ends[1] : stride[1]]
            to = emission.words.constant(there, f"{name}_{i}_{j}")
            part = emission.words.constant(windows[:, :, :, i, j], f"{matrix}_{i}_{j}")
            emission.write(node, f"{to}.add_({part})")
    emission.arena.release(buffer)
    emission.keep(node, image.permute(0, 3, 1, 2), node.name, held)


def _laid_out(emission: Emission, node: Operation, x: Node, weight: Node) -> Columns:
    """The rows of windows and kernels; the lines that lay them out are written once."""
    if (x, weight) not in emission.columns:
        emission.columns[x, weight] = _lay_out(emission, node, x, weight)
    return emission.columns[x, weight]


def _lay_out(emission: Emission, node: Operation, x: Node, weight: Node) -> Columns:
    batch, inputs, height, width = cast("tuple[int, ...]", x.shape)
    outputs, _, down_size, across_size = cast("tuple[int, ...]", weight.shape)
    stride = cast("Any", node.op).stride
    down = (height - down_size) // stride[0] + 1
    across = (width - across_size) // stride[1] + 1
    sizes = (batch, down, across, down_size, across_size, inputs)
    windows = torch.empty(sizes, dtype=x.dtype, device=emission.device)
    kernels = torch.empty(
        (outputs, down_size, across_size, inputs), dtype=x.dtype, device=emission.device
    )
    emission.arena.bytes += windows.nbytes + kernels.nbytes
    name = emission.words.constant(windows, f"{x.name}_windows")
    view = f".unfold(2, {down_size}, {stride[0]}).unfold(3, {across_size}, {stride[1]})"
    order = ".permute(0, 2, 3, 4, 5, 1)"
    emission.write(node, f"{name}.copy_({emission.names[x]}{view}{order})")
    image = emission.words.constant(kernels, f"{weight.name}_kernels")
    emission.write(node, f"{image}.copy_({emission.names[weight]}.permute(0, 2, 3, 1))")
    rows = windows.view(batch * down * across, -1)
    matrix = kernels.view(outputs, -1)
    words = emission.words
    return Columns(
        words.constant(rows, f"{x.name}_rows"),
        words.constant(matrix, f"{weight.name}_matrix"),
        words.constant(matrix.mT, f"{weight.name}_matrix_t"),
        down,
        across,
    )
