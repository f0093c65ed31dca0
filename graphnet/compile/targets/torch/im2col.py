"""Convolution as a matrix product: the pixels of each window in a row, times the kernels.

The rows are laid out pixel by pixel, channels last; the rows of the forward call serve the gradient
of the weight as well. Where an image has few channels the windows stand in columns instead, so that
longer runs of pixels are copied. Only for convolutions without padding, dilation and groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product as pairs
from math import prod
from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.plan.calls import Call
from graphnet.compile.plan.slots import new_slot
from graphnet.compile.targets.torch.images import image, matrix, shown
from graphnet.compile.targets.torch.kernel import COPY, ZERO, Kernel
from graphnet.compile.targets.torch.memory_format import BY_PIXELS, as_images
from graphnet.compile.targets.torch.products import (
    ADD_TO,
    ADDMM,
    has_onednn,
    onednn,
    product,
    sum_of_rows,
)
from graphnet.compile.targets.torch.tuning import Candidate

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Slot
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.graph import Node, Operation

    Wanted = tuple[Operation | None, Operation | None, Operation | None]

ONEDNN_IMAGE = Kernel(
    '{out} = onednn_linear({x}, {weight}, {bias}, {activation}, [], "")'
    ".view{shape}.permute(0, 3, 1, 2)",
    function="onednn_linear",
)


@dataclass(frozen=True)
class Windows:
    """The windows of an image as a matrix.

    Attributes:
        rows: the pixels of each window, (n h' w', a b c).
        stand: True if it is a matrix of columns that lies in memory, transposed.
        places: the sizes (n, h', w').
    """

    rows: Slot
    stand: bool
    places: tuple[int, int, int]


def fits(op: Any) -> bool:
    """True for a convolution that can be computed in this way."""
    return not any(op.padding) and tuple(op.dilation) == (1, 1) and op.groups == 1


def counts(x: Node, weight: Node, stride: tuple[int, int]) -> tuple[int, int]:
    """How many windows there are, down and across."""
    sizes = zip(cast("Any", x.shape)[2:], cast("Any", weight.shape)[2:], stride, strict=True)
    down, across = ((size - kernel) // step + 1 for size, kernel, step in sizes)
    return down, across


def output(selection: Selection, node: Operation) -> None:
    """The output of a convolution, with or without bias."""
    x, weight, *biases = (cast("Node", each) for each in node.sources)
    windows, kernels = _laid_out(selection, node, x, weight)
    batch, channels, down, across = cast("tuple[int, ...]", node.shape)
    sizes = (batch, down, across, channels)
    rows = selection.new(node, (batch * down * across, channels))
    as_image = selection.keep(node, as_images(rows.view(sizes), BY_PIXELS))
    out = selection.derived(as_image, "_rows", rows)
    turned = selection.mT(kernels)
    bias = selection.slots[biases[0]] if biases else None
    call = product(node, out, windows.rows, turned)
    if bias is not None:
        call = Call(ADDMM, (out,), {"bias": bias, **call.args}, node)
    candidates = [Candidate([call], as_image)]
    if has_onednn(node):
        made = selection.named(node.name, selection.new(node, made=True))
        args = {"x": windows.rows, "weight": kernels, "bias": bias}
        call = Call(ONEDNN_IMAGE, (made,), args, node, {"activation": "none", "shape": sizes})
        candidates.append(Candidate([call], made))
    selection.choose(node, candidates, (x, weight))


def gradients(selection: Selection, grad: Node, x: Node, weight: Node, wanted: Wanted) -> None:
    """The requested gradients with respect to the input, the weight and the bias."""
    of_input, of_weight, of_bias = wanted
    node = next(each for each in wanted if each is not None)
    windows, kernels = _laid_out(selection, node, x, weight)
    shape = (-1, cast("int", weight.shape[0]))
    rows = matrix(selection, node, grad, BY_PIXELS, shape, "_rows")
    if of_weight is not None:
        _by_weight(selection, of_weight, windows, rows, (grad, x, weight))
    if of_bias is not None:
        sum_of_rows(selection, of_bias, rows, selection.mT(rows), grad)
    if of_input is not None:
        _by_input(selection, of_input, windows, kernels, rows, (grad, x, weight))


def _by_weight(
    selection: Selection, node: Operation, windows: Windows, rows: Slot, inputs: tuple[Node, ...]
) -> None:
    out = selection.place(node)
    outputs, channels, height, width = out.shape
    count = height * width * channels
    if windows.stand:
        memory = selection.new(node, (count, outputs))
        seen = memory.view(height, width, channels, outputs).permute(3, 2, 0, 1)
        factors = selection.mT(windows.rows), rows, selection.mT(rows)
    else:
        memory = selection.new(node, (outputs, count))
        seen = memory.view(outputs, height, width, channels).permute(0, 3, 1, 2)
        factors = selection.mT(rows), windows.rows, selection.mT(windows.rows)
    to = selection.derived(out, "_matrix", memory)
    put = Call(COPY, (out,), {"x": selection.derived(out, "_image", seen)}, node)
    candidates = [Candidate([product(node, to, factors[0], factors[1]), put], out)]
    if has_onednn(node):
        candidates.append(Candidate([onednn(node, to, factors[0], factors[2], None), put], out))
    selection.choose(node, candidates, inputs)


def _by_input(
    selection: Selection,
    node: Operation,
    windows: Windows,
    kernels: Slot,
    rows: Slot,
    inputs: tuple[Node, ...],
) -> None:
    """Add the gradient of each window's pixels to where the windows lie.

    Either all at once, or one position in the window after another, which needs less memory.
    """
    batch, channels, height, width = cast("tuple[int, ...]", node.shape)
    window, places = cast("tuple[int, ...]", inputs[-1].shape)[2:], windows.places
    pixels = selection.new(node, (batch, height, width, channels))
    out = selection.keep(node, as_images(pixels, BY_PIXELS))
    clear = Call(ZERO, (selection.derived(out, "_pixels", pixels),), {}, node)
    seen = {
        (i, j): selection.derived(out, f"_at_{i}_{j}", _seen_from(pixels, node, places, (i, j)))
        for i, j in pairs(*map(range, window))
    }
    parts = selection.new(node, (*places, *window, channels))
    whole = selection.derived(out, "_windows", parts.view(prod(places), -1))
    adds = [
        Call(
            ADD_TO, (to,), {"x": selection.derived(whole, f"_{i}_{j}", parts[:, :, :, i, j])}, node
        )
        for (i, j), to in seen.items()
    ]
    together = product(node, whole, rows, kernels)
    one_by_one = _one_by_one(selection, node, seen, (kernels, rows), places)
    ways = [[together, clear, *adds], [clear, *one_by_one]]
    if has_onednn(node):
        other = onednn(node, whole, rows, selection.mT(kernels), None)
        ways.append([other, clear, *adds])
    selection.choose(node, [Candidate(way, out) for way in ways], inputs)


def _one_by_one(
    selection: Selection,
    node: Operation,
    seen: dict[tuple[int, int], Slot],
    factors: tuple[Slot, Slot],
    places: tuple[int, int, int],
) -> list[Call]:
    """The product for one position in the window at a time, each added where it is seen."""
    out, (kernels, rows) = selection.slots[node], factors
    channels, (last_row, last_column) = out.shape[1], max(seen)
    part = selection.derived(out, "_part", selection.new(node, (prod(places), channels)))
    pixel = selection.derived(out, "_pixel", part.view(*places, channels))
    weights = kernels.view(-1, last_row + 1, last_column + 1, channels)
    calls: list[Call] = []
    for (i, j), to in seen.items():
        kernel = selection.derived(kernels, f"_{i}_{j}", weights[:, i, j])
        calls.append(product(node, part, rows, kernel))
        calls.append(Call(ADD_TO, (to,), {"x": pixel}, node))
    return calls


def _seen_from(
    pixels: Slot, node: Operation, places: tuple[int, int, int], at: tuple[int, int]
) -> Slot:
    """The pixels that one position in the window sees, over all windows."""
    stride = cast("Any", node.op).stride
    rows, across = (
        slice(first, first + (count - 1) * step + 1, step)
        for first, count, step in zip(at, places[1:], stride, strict=True)
    )
    return pixels[:, rows, across]


def _laid_out(selection: Selection, node: Operation, x: Node, weight: Node) -> tuple[Windows, Slot]:
    """The windows and the kernels as matrices."""
    stride = cast("Any", node.op).stride
    windows = selection.once(
        ("windows", x, weight.shape[2:], stride), lambda: _windows(selection, node, x, weight)
    )
    return windows, selection.once(("kernels", weight), lambda: _kernels(selection, node, weight))


def _windows(selection: Selection, node: Operation, x: Node, weight: Node) -> Windows:
    batch, channels = cast("tuple[int, int]", x.shape[:2])
    (height, width), stride = cast("Any", weight.shape[2:]), cast("Any", node.op).stride
    down, across = counts(x, weight, stride)
    kernel, places = (height, width, channels), (batch, down, across)
    stand = across > width * channels
    order = (4, 5, 1, 0, 2, 3) if stand else (0, 2, 3, 4, 5, 1)
    memory = new_slot((*kernel, *places) if stand else (*places, *kernel), x.dtype)
    given = selection.slots[x] if stand else image(selection, x)
    seen = shown(
        selection,
        given,
        "_seen",
        lambda slot: slot.unfold(2, height, stride[0]).unfold(3, width, stride[1]).permute(order),
        f".unfold(2, {height}, {stride[0]}).unfold(3, {width}, {stride[1]}).permute{order}",
    )
    selection.add(Call(COPY, (selection.named(f"{x.name}_windows", memory),), {"x": seen}, node))
    name = "columns" if stand else "rows"
    matrix = selection.named(f"{x.name}_{name}", memory.view(prod(memory.shape[:3]), -1))
    rows = selection.mT(matrix) if stand else matrix
    return Windows(cast("Slot", rows), stand, places)


def _kernels(selection: Selection, node: Operation, weight: Node) -> Slot:
    """The kernels as a matrix, (o, a b c)."""
    outputs, channels, *window = cast("tuple[int, ...]", weight.shape)
    memory = new_slot((outputs, *window, channels), weight.dtype)
    given = shown(
        selection,
        selection.slots[weight],
        "_by_pixels",
        lambda slot: slot.permute(BY_PIXELS),
        f".permute{BY_PIXELS}",
    )
    out = selection.named(f"{weight.name}_kernels", memory)
    selection.add(Call(COPY, (out,), {"x": given}, node))
    return selection.named(f"{weight.name}_matrix", memory.view(outputs, -1))
