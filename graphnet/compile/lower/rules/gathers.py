"""Elements at places that are themselves computed: labels, indices, places of a pool.

Before an index is used, a check that it is in range ends the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.lower.loops import Map
from graphnet.compile.lower.scalars import (
    NotLowered,
    Place,
    Position,
    Scalar,
    broadcast_to,
    call,
    load,
    select,
)
from graphnet.ops.classification import Pick, class_dim
from graphnet.ops.classification import Place as PlaceOp
from graphnet.ops.embedding import Embedding, OneHot, ScatterRows
from graphnet.ops.gathering import Gather, IndexSelect, ScatterAdd
from graphnet.ops.indexing import Put, Take

if TYPE_CHECKING:
    from graphnet.compile.lower.lowering import Lowering, Rule
    from graphnet.compile.plan.slots import Shape, Slot
    from graphnet.graph import Node, Operation
    from graphnet.op import Op


def _source(node: Operation, place: int) -> Any:
    return node.sources[place]


def check_range(
    low: Lowering, node: Operation, labels: Node, count: int, low_end: int = 0, ignored: Any = None
) -> None:
    """End the step if an index is not below a count, or too small."""
    sizes = cast("Shape", labels.shape)
    if not prod(sizes):
        return
    if labels.dtype not in (torch.int64, torch.int32):
        raise NotLowered(f"{node.op.name}: indices in {labels.dtype}")

    def outside(shape: Shape) -> Scalar:
        label = low.scalar(labels, shape)
        wrong = call("or", label < low_end, label >= count)
        return wrong if ignored is None else call("and", label.ne(ignored), wrong)

    low.stored(labels)
    low.check(node, low.reduce(node, "or", outside, sizes, range(len(sizes))))


def without(slot: Slot, dims: Sequence[int]) -> Slot:
    """The first element along some dimensions."""
    for dim in sorted(dims, reverse=True):
        slot = slot.narrow(dim, 0, 1).squeeze(dim)
    return slot


def pick(low: Lowering, node: Operation) -> None:
    """The element of each row that a label names; 0 for an ignored label."""
    x, labels, ignored = (
        low.stored(_source(node, 0)),
        _source(node, 1),
        cast("Any", node.op).ignored,
    )
    dim = class_dim(cast("Any", x))
    check_range(low, node, labels, x.shape[dim], ignored=ignored)

    def element(shape: Shape) -> Scalar:
        label = low.scalar(labels, shape)
        skipped = label.eq(ignored)
        index = select(skipped, 0, label)
        found = load(broadcast_to(without(x, (dim,)), shape), (x.strides[dim], index))
        return select(skipped, 0, found)

    low.define(node, element)


def place(low: Lowering, node: Operation) -> None:
    """A value at the label of its row, 0 elsewhere."""
    value, labels, ignored = _source(node, 0), _source(node, 1), cast("Any", node.op).ignored
    shape = cast("Shape", node.shape)
    dim = class_dim(cast("Any", node))
    given, wanted = low.stored(value).unsqueeze(dim), low.stored(labels).unsqueeze(dim)

    def element(sizes: Shape) -> Scalar:
        label = load(broadcast_to(wanted, sizes))
        at = Position(len(sizes) - len(shape) + dim)
        here = call("and", call("eq", label, at, dtype=torch.bool), label.ne(ignored))
        return select(here, load(broadcast_to(given, sizes)), 0)

    low.define(node, element)


def rows_of(low: Lowering, node: Operation) -> None:
    """The rows of a table that labels name."""
    labels, table = _source(node, 0), low.stored(_source(node, 1))
    check_range(low, node, labels, table.shape[0])
    index = low.stored(labels).unsqueeze(-1)

    def element(shape: Shape) -> Scalar:
        row = load(broadcast_to(index, shape))
        return load(broadcast_to(table[0], shape), (table.strides[0], row))

    low.define(node, element)


def one_hot(low: Lowering, node: Operation) -> None:
    """1 at the label, 0 elsewhere."""
    labels = _source(node, 0)
    check_range(low, node, labels, cast("Any", node.op).classes)
    index = low.stored(labels).unsqueeze(-1)

    def element(shape: Shape) -> Scalar:
        return select(
            call(
                "eq", load(broadcast_to(index, shape)), Position(len(shape) - 1), dtype=torch.bool
            ),
            1,
            0,
        )

    low.define(node, element)


def index_select(low: Lowering, node: Operation) -> None:
    """The places of a dimension that indices name."""
    x, index, dim = low.stored(_source(node, 0)), _source(node, 1), cast("Any", node.op).dim
    dim %= x.ndim
    check_range(low, node, index, x.shape[dim])
    at = low.stored(index)
    for _ in range(x.ndim - 1 - dim):
        at = at.unsqueeze(-1)

    def element(shape: Shape) -> Scalar:
        rest = without(x, (dim,)).unsqueeze(dim)
        return load(broadcast_to(rest, shape), (x.strides[dim], load(broadcast_to(at, shape))))

    low.define(node, element)


def _in_a_row(slot: Slot) -> Slot:
    """A single number as a row of one."""
    return slot if slot.ndim else slot.unsqueeze(0)


def gather(low: Lowering, node: Operation) -> None:
    """For each index, the element that it names along a dimension."""
    x, index = _in_a_row(low.stored(_source(node, 0))), _source(node, 1)
    dim = cast("Any", node.op).dim % x.ndim
    check_range(low, node, index, x.shape[dim])
    at = low.stored(index)
    if not at.ndim:
        low.define(node, lambda shape: load(broadcast_to(x[0], shape), (x.strides[0], load(at))))
        return
    cut = x[tuple(slice(n) if d != dim else slice(0, 1) for d, n in enumerate(at.shape))]

    def element(shape: Shape) -> Scalar:
        return load(broadcast_to(cut, shape), (x.strides[dim], load(broadcast_to(at, shape))))

    low.define(node, element)


def take(low: Lowering, node: Operation) -> None:
    """The elements that several indices name; a negative one counts from the end."""
    x, dims = low.stored(_source(node, 0)), cast("Any", node.op).dims
    terms, rest, first, count = _indices(low, node, node.sources[1:], x, dims)

    def element(shape: Shape) -> Scalar:
        slot = rest
        for _ in range(count):
            slot = slot.unsqueeze(first)
        return load(broadcast_to(slot, shape), *[(stride, make(shape)) for stride, make in terms])

    low.define(node, element)


Index = tuple[int, Callable[["Shape"], Scalar]]


def _indices(
    low: Lowering, node: Operation, indices: Sequence[Any], x: Slot, dims: Sequence[int]
) -> tuple[list[Index], Slot, int, int]:
    """What indexing several dimensions of x at once means.

    Returns:
        The stride and index of each such dimension, the other dimensions, and where those of the
        indices stand among these: the first one, and how many there are.
    """
    count = max(len(each.shape) for each in indices)
    separated = len(dims) <= max(dims) - min(dims)
    first = 0 if separated else min(dims)
    after = x.ndim - len(dims) - first
    terms: list[Index] = []
    for dim, each in zip(dims, indices, strict=True):
        size = x.shape[dim]
        check_range(low, node, each, size, -size)
        slot = low.stored(each)
        for _ in range(after):
            slot = slot.unsqueeze(-1)
        terms.append((x.strides[dim], _from_either_end(slot, size)))
    return terms, without(x, dims), first, count


def _from_either_end(slot: Slot, size: int) -> Callable[[Shape], Scalar]:
    def index(shape: Shape) -> Scalar:
        at = load(broadcast_to(slot, shape))
        return select(at < 0, at + size, at)

    return index


# sums at computed places: several elements may fall on one


def add_at(low: Lowering, node: Operation, value: Scalar, sizes: Shape, out: Place) -> None:
    """Add elements to where they belong."""
    if prod(sizes):
        low.add(Map(node, sizes, value, out, adds=True))


def scatter_rows(low: Lowering, node: Operation) -> None:
    """Rows added to those of a table of zeros that labels name."""
    rows, labels = low.stored(_source(node, 0)), _source(node, 1)
    out = low.place(node)
    check_range(low, node, labels, out.shape[0])
    sizes = (*cast("Shape", labels.shape), out.shape[1])
    low.fill(node, out, 0.0)
    low.keep(node, out)
    if not prod(sizes):
        return
    given = low.dense(node, rows).reshape(*sizes)
    index = load(broadcast_to(low.stored(labels).unsqueeze(-1), sizes))
    add_at(
        low,
        node,
        load(given),
        sizes,
        Place(broadcast_to(out[0], sizes), ((out.strides[0], index),)),
    )


def scatter_add(low: Lowering, node: Operation) -> None:
    """Elements of a source added where indices along a dimension say."""
    x, index, source = (_source(node, at) for at in range(3))
    dim, whole = cast("Any", node.op).dim % max(node.ndim, 1), low.place(node)
    out = _in_a_row(whole)
    check_range(low, node, index, out.shape[dim])
    at, given = (_in_a_row(low.stored(each)) for each in (index, source))
    low.copy(node, whole, low.stored(x))
    low.keep(node, whole)
    cut = tuple(slice(n) for n in at.shape)
    base = out[tuple(slice(0, 1) if d == dim else each for d, each in enumerate(cut))]
    to = Place(broadcast_to(base, at.shape), ((out.strides[dim], load(at)),))
    add_at(low, node, load(given[cut]), at.shape, to)


def put(low: Lowering, node: Operation) -> None:
    """Elements added where several indices say."""
    x, dims, out = low.stored(_source(node, 0)), cast("Any", node.op).dims, low.place(node)
    low.fill(node, out, 0.0)
    terms, rest, first, count = _indices(low, node, node.sources[2:], out, dims)
    for _ in range(count):
        rest = rest.unsqueeze(first)
    sizes = x.shape
    low.keep(node, out)
    made = tuple((stride, make(sizes)) for stride, make in terms)
    add_at(low, node, load(x), sizes, Place(broadcast_to(rest, sizes), made))


def put_anywhere(low: Lowering, node: Operation) -> None:
    """Pixels added where the places of a pool say."""
    pixels, places = low.stored(_source(node, 0)), low.stored(_source(node, 1))
    out = low.place(node)
    low.fill(node, out, 0.0)
    low.keep(node, out)
    width = out.shape[3]
    if out.strides[2] != width * out.strides[3]:
        raise NotLowered("pixels that do not lie side by side")
    base = broadcast_to(out[:, :, 0:1, 0:1], places.shape)
    to = Place(base, ((out.strides[3], load(places)),))
    add_at(low, node, load(pixels), places.shape, to)


RULES: dict[type[Op], Rule] = {
    Embedding: rows_of,
    Gather: gather,
    IndexSelect: index_select,
    OneHot: one_hot,
    Pick: pick,
    PlaceOp: place,
    Put: put,
    ScatterAdd: scatter_add,
    ScatterRows: scatter_rows,
    Take: take,
}
