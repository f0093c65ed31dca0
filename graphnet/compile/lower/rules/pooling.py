"""Pooling: reductions over the windows of images, and their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.lower.loops import Map
from graphnet.compile.lower.primitives import is_simple
from graphnet.compile.lower.rules.gathers import put_anywhere
from graphnet.compile.lower.rules.images import floats, image_of, padded, sum_windows, windows
from graphnet.compile.lower.scalars import (
    NotLowered,
    Place,
    Position,
    Scalar,
    broadcast_to,
    call,
    converted,
    load,
    loads,
    positions,
    relocated,
    select,
)
from graphnet.compile.plan.slots import new_slot
from graphnet.graph import Operation
from graphnet.ops.mean_pooling import (
    AdaptiveMean,
    AdaptiveMeanGrad,
    AvgPool2d,
    AvgPool2dGrad,
    parts,
    pixels_in,
)
from graphnet.ops.pooling import MaxPlaces, MaxPool2d, PutPixels, layout

if TYPE_CHECKING:
    from graphnet.compile.lower.lowering import Lowering, Rule
    from graphnet.compile.plan.slots import Shape, Slot
    from graphnet.graph import Node
    from graphnet.op import Op


def max_pool(low: Lowering, node: Operation) -> None:
    """The largest pixel of each window."""
    op, out = cast("Any", node.op), low.place(node)
    element = _pixels_of_windows(low, node)
    sizes = (*out.shape, *op.kernel)
    low.keep(node, out)
    places = _places_of(low, node)
    if places is None:
        low.reduce(node, "maximum", lambda _: element, sizes, (4, 5), out)
    else:  # where the largest pixels are is found on the way
        low.taps[places] = _find_taps(low, node, element, sizes, out)


def _pixels_of_windows(low: Lowering, node: Operation) -> Scalar:
    """The pixels of all windows, (n, c, down, across, *kernel).

    Pixels that are cheap to compute are computed here, rather than stored.
    """
    op, source = cast("Any", node.op), cast("Node", node.sources[0])
    shape = cast("Shape", tuple(source.shape))
    counts, border = layout(op, cast("Any", new_slot(shape, source.dtype)))
    if max(border) <= 0 and source not in low.slots:
        pixel = low.scalar(source, shape)
        slots = [each.place.slot for each in loads(pixel)]
        in_order = not low.batch_last or all(slot.strides[0] == 1 for slot in slots)
        if is_simple(pixel) and in_order and not positions(pixel):
            return relocated(pixel, lambda slot: windows(slot, op.kernel, op, counts))
    x = padded(low, node, image_of(low, node, 0), border, _lowest(source.dtype))
    return load(windows(x, op.kernel, op, counts))


def _lowest(dtype: torch.dtype) -> float:
    return float("-inf") if dtype.is_floating_point else torch.iinfo(dtype).min


def max_places(low: Lowering, node: Operation) -> None:
    """The index of the largest pixel of each window in its image."""
    op, shape = cast("Any", node.op), cast("Shape", tuple(node.inputs[0].shape))
    _, border = layout(op, cast("Any", new_slot(shape, node.inputs[0].dtype)))
    if max(border) > 0 and tuple(op.dilation) != (1, 1):
        raise NotLowered("the places of a pool with padding and dilation")
    if node not in low.taps:
        sizes = (*cast("Shape", tuple(node.shape)), *op.kernel)
        low.taps[node] = _find_taps(low, node, _pixels_of_windows(low, node), sizes)
    taps = low.taps[node]
    kernel, steps, dilation = op.kernel, op.stride, op.dilation

    def place(sizes: Shape) -> Scalar:
        tap = converted(load(broadcast_to(taps, sizes)), node.dtype)
        inside = (call("div_int", tap, kernel[1]), call("mod_int", tap, kernel[1]))
        row, column = (
            _pixel(Position(2 + dim), steps[dim], inside[dim], dilation[dim], border[2 * dim])
            for dim in (0, 1)
        )
        return call("add", call("mul", row, shape[3]), column)

    low.define(node, place)


def _places_of(low: Lowering, node: Operation) -> Operation | None:
    """The node that finds the places of the pixels that a pool takes."""
    options = node.op.options
    for other in low.program:
        if not isinstance(other, Operation) or not isinstance(other.op, MaxPlaces):
            continue
        if other.sources[0] is node.sources[0] and other.op.options == options:
            return other
    return None


def _find_taps(
    low: Lowering, node: Operation, element: Scalar, sizes: Shape, best: Slot | None = None
) -> Slot:
    """The place of the largest pixel in its window, in the order of memory of the images."""
    taps = low.new(sizes[:4], torch.int32)
    low.reduce(node, "argmax_of_window", lambda _: element, sizes, (4, 5), taps, best)
    return taps


def put_pixels(low: Lowering, node: Operation) -> None:
    """The gradients of a pool: each pixel that its window has taken gets that of the window."""
    grad, places = node.sources[0], cast("Operation", node.sources[1])
    if places not in low.taps or not _is_tiled(places.op):
        put_anywhere(low, node)
        return
    op, taps, pixels = cast("Any", places.op), low.taps[places], low.stored(cast("Node", grad))
    shape = cast("Shape", tuple(node.shape))
    kernel, counts = op.kernel, taps.shape[2:]
    whole = all(n * size == all_ for n, size, all_ in zip(counts, kernel, shape[2:], strict=True))
    if low.batch_last and whole:  # vectors run along the batch, so windows are found for each row
        low.define(node, lambda _: _of_window(taps, pixels, kernel, shape))
        return
    out = low.place(node)
    low.keep(node, out)
    seen = windows(out, kernel, op, counts)
    if prod(seen.shape) != prod(out.shape):
        low.fill(node, out, 0.0)
    for place in range(kernel[0] * kernel[1]):
        here = seen[..., place // kernel[1], place % kernel[1]]
        value = select(load(taps).eq(place), load(pixels), 0)
        low.add(Map(node, here.shape, value, Place(here)))


def _of_window(taps: Slot, pixels: Slot, kernel: Sequence[int], shape: Shape) -> Scalar:
    """The gradient of a pixel: that of its window, if the window has taken the pixel."""
    row, column = Position(2, torch.int32), Position(3, torch.int32)
    inside = [call("mod_int", at, size) for at, size in zip((row, column), kernel, strict=True)]
    window = [call("div_int", at, size) for at, size in zip((row, column), kernel, strict=True)]
    tap = call("add", call("mul", inside[0], kernel[1]), inside[1])

    def of_window(slot: Slot) -> Scalar:
        fixed = slot.as_strided(shape, (*slot.strides[:2], 0, 0))
        return load(fixed, *zip(slot.strides[2:], window, strict=True))

    taken = call("eq", of_window(taps), tap, dtype=torch.bool)
    return select(taken, of_window(pixels), 0)


def _is_tiled(op: Any) -> bool:
    """True if windows neither overlap nor reach beyond the image."""
    apart = all(step >= size for step, size in zip(op.stride, op.kernel, strict=True))
    return apart and not any(op.padding) and not op.ceil_mode and op.dilation == (1, 1)


def _pixel(window: Scalar, stride: int, tap: Scalar, dilation: int, before: int) -> Scalar:
    """The row or column of a tap; that of a border, if nothing in the window is larger, is 0."""
    at = call("add", call("mul", window, stride), call("mul", tap, dilation))
    return call("maximum", call("sub", at, before), 0) if before > 0 else at


def avg_pool(low: Lowering, node: Operation) -> None:
    """The mean of the pixels of each window."""
    floats(node)
    op, x, out = cast("Any", node.op), image_of(low, node, 0), low.place(node)
    counts, border = layout(op, cast("Any", x))
    seen = windows(padded(low, node, x, border), op.kernel, op, counts)
    low.keep(node, out)
    low.reduce(node, "add", lambda shape: load(seen), seen.shape, (4, 5), out)
    value = call("div", load(out), _pixels(low, node, op, x, counts, out.shape))
    low.add(Map(node, out.shape, value, Place(out)))


def _pixels(
    low: Lowering, node: Operation, op: Any, x: Slot, counts: Any, shape: Shape
) -> Scalar | float:
    """By how many pixels a sum is divided: a number, or one for each window."""
    like: Any = torch.empty((), dtype=x.dtype).expand(x.shape)
    found = pixels_in(op, like, counts)
    if not isinstance(found, torch.Tensor):
        return float(found)
    made = low.constant(found.to(x.dtype))
    return load(broadcast_to(made, shape))


def avg_pool_gradient(low: Lowering, node: Operation) -> None:
    """Each pixel's share of the gradients of its windows."""
    floats(node)
    op, y = cast("Any", node.op), image_of(low, node, 0)
    out = low.place(node)
    counts, border = layout(op, cast("Any", out))
    share = low.new(y.shape, y.dtype)
    value = call("div", load(y), _pixels(low, node, op, out, counts, y.shape))
    low.add(Map(node, y.shape, value, Place(share)))
    seen = broadcast_to(share.unsqueeze(-1).unsqueeze(-1), (*y.shape, *op.kernel))
    low.keep(node, out)
    sum_windows(low, node, seen, op, border, out)


def adaptive_mean(low: Lowering, node: Operation) -> None:
    """The means of a number of parts of one dimension."""
    floats(node)
    op, x, out = cast("Any", node.op), low.stored(cast("Node", node.sources[0])), low.place(node)
    low.keep(node, out)
    for place, (start, end) in enumerate(parts(x.shape[op.dim], op.count)):
        part, to = x.narrow(op.dim, start, end - start), out.narrow(op.dim, place, 1)
        to = to.squeeze(op.dim)
        element = load(part)
        low.reduce(node, "add", partial(_always, element), part.shape, (op.dim,), to)
        low.add(Map(node, to.shape, call("div", load(to), float(end - start)), Place(to)))


def _always(element: Scalar, _: Any) -> Scalar:
    return element


def adaptive_mean_gradient(low: Lowering, node: Operation) -> None:
    """Each pixel's share of the gradients of its parts."""
    floats(node)
    op, y, out = cast("Any", node.op), low.stored(cast("Node", node.sources[0])), low.place(node)
    low.fill(node, out, 0.0)
    low.keep(node, out)
    for place, (start, end) in enumerate(parts(out.shape[op.dim], op.count)):
        to = out.narrow(op.dim, start, end - start)
        share = broadcast_to(y.narrow(op.dim, place, 1), to.shape)
        value = call("div", load(share), float(end - start))
        low.add(Map(node, to.shape, value, Place(to), adds=True))


RULES: dict[type[Op], Rule] = {
    AdaptiveMean: adaptive_mean,
    AdaptiveMeanGrad: adaptive_mean_gradient,
    AvgPool2d: avg_pool,
    AvgPool2dGrad: avg_pool_gradient,
    MaxPlaces: max_places,
    MaxPool2d: max_pool,
    PutPixels: put_pixels,
}
