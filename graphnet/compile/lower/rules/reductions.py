"""Sums, means, extremes, softmax, and sums that run along a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.lower.loops import Map
from graphnet.compile.lower.rules.gathers import without
from graphnet.compile.lower.scalars import (
    NotLowered,
    Place,
    Scalar,
    broadcast_to,
    call,
    converted,
    load,
    select,
)
from graphnet.compile.plan.slots import Slot, new_slot
from graphnet.ops.cumulative import Prod
from graphnet.ops.extremes import Amax, Amin, Argmax, Argmin, Max, Min
from graphnet.ops.losses import Total
from graphnet.ops.norms import Logsumexp, Norm
from graphnet.ops.reductions import Mean, Std, Sum, Var
from graphnet.ops.softmaxes import LogSoftmax, Softmax

if TYPE_CHECKING:
    from graphnet.compile.lower.lowering import Lowering, Rule
    from graphnet.compile.lower.statements import Element
    from graphnet.compile.plan.slots import Shape
    from graphnet.graph import Node, Operation
    from graphnet.op import Op


def dims_of(node: Operation) -> tuple[int, ...]:
    """The dimensions that an operation combines, counted from 0."""
    source, op = cast("Node", node.sources[0]), cast("Any", node.op)
    given = getattr(op, "dims", None) if hasattr(op, "dims") else getattr(op, "dim", None)
    if given is None:
        return tuple(range(source.ndim))
    dims = given if isinstance(given, tuple) else (given,)
    if hasattr(op, "dims") and not dims:
        return tuple(range(source.ndim)) if not isinstance(given, tuple) else ()
    return tuple(sorted(dim % source.ndim for dim in dims)) if source.ndim else ()


def collapsed(slot: Slot, node: Operation, dims: Sequence[int]) -> Slot:
    """The slot of a result without the dimensions of size 1 that it keeps."""
    if slot.ndim != cast("Node", node.sources[0]).ndim:
        return slot
    return without(slot, dims)


def spread(slot: Slot, dims: Sequence[int]) -> Slot:
    """A result with dimensions of size 1 where some were combined."""
    for dim in sorted(dims):
        slot = slot.unsqueeze(dim)
    return slot


def source_element(low: Lowering, node: Operation) -> tuple[Element, Shape]:
    """The element of the first source, and the shape of the source."""
    source = cast("Node", node.sources[0])
    return lambda shape: low.scalar(source, shape), cast("Shape", source.shape)


def reduced(function: str) -> Rule:
    """All elements along some dimensions, combined."""

    def rule(low: Lowering, node: Operation) -> None:
        element, sizes = source_element(low, node)
        dims, out = dims_of(node), low.place(node)
        low.keep(node, out)
        part = collapsed(out, node, dims)
        low.reduce(
            node, function, lambda shape: converted(element(shape), node.dtype), sizes, dims, part
        )

    return rule


def place_of(function: str) -> Rule:
    """The place of an extreme; without a dimension, counted over all elements."""

    def rule(low: Lowering, node: Operation) -> None:
        source = cast("Node", node.sources[0])
        slot, op, out = low.stored(source), cast("Any", node.op), low.place(node)
        low.keep(node, out)
        if op.dim is None:
            flat = low.dense(node, slot).reshape(-1)
            part = out.as_strided((), ())
            low.reduce(node, function, lambda shape: load(flat), flat.shape, (0,), part)
            return
        dim = op.dim % max(slot.ndim, 1)
        if not slot.ndim:
            low.fill(node, out, 0)
            return
        part = collapsed(out, node, (dim,))
        low.reduce(node, function, lambda shape: load(slot), slot.shape, (dim,), part)

    return rule


def total(low: Lowering, node: Operation) -> None:
    """The sum of all elements; a mean over nothing ends the step."""
    reduced("add")(low, node)
    slot = low.slots[node]
    empty = new_slot((), torch.bool)
    low.add(Map(node, (), call("eq", load(slot), 0, dtype=torch.bool), Place(empty)))
    low.check(node, empty)


def mean_of(low: Lowering, node: Operation, element: Element, sizes: Shape, dims: Any) -> Slot:
    """The means along some dimensions, with those dimensions of size 1; NaN for nothing."""
    count = prod(sizes[dim] for dim in dims)
    sums = low.reduce(node, "add", element, sizes, dims)
    means = new_slot(sums.shape, sums.dtype)
    low.add(Map(node, sums.shape, call("div", load(sums), float(count)), Place(means)))
    return spread(means, dims)


def mean(low: Lowering, node: Operation) -> None:
    """The means along some dimensions; NaN for nothing."""
    element, sizes = source_element(low, node)
    dims = dims_of(node)
    count = prod(sizes[dim] for dim in dims)
    made = low.reduce(node, "add", element, sizes, dims)
    sums = spread(made, dims) if node.ndim == len(sizes) else made
    low.define(node, lambda shape: call("div", load(broadcast_to(sums, shape)), float(count)))


def variance(root: bool) -> Rule:
    """The mean squared distance from the mean, or its root."""

    def rule(low: Lowering, node: Operation) -> None:
        element, sizes = source_element(low, node)
        low.stored(cast("Node", node.sources[0]))
        dims, op = dims_of(node), cast("Any", node.op)
        means = mean_of(low, node, element, sizes, dims)

        def squared(shape: Shape) -> Scalar:
            distance = call("sub", element(shape), load(broadcast_to(means, shape)))
            return call("mul", distance, distance)

        made = low.reduce(node, "add", squared, sizes, dims)
        sums = spread(made, dims) if op.keepdim else made
        count = float(max(prod(sizes[dim] for dim in dims) - op.correction, 0))

        def value(shape: Shape) -> Scalar:
            found = call("div", load(broadcast_to(sums, shape)), count)
            return call("sqrt", found) if root else found

        low.define(node, value)

    return rule


def norm(low: Lowering, node: Operation) -> None:
    """(Σ |x|ᵖ)^(1 / p); the largest or smallest |x| for an infinite p, a count for 0."""
    element, sizes = source_element(low, node)
    dims, p = dims_of(node), float(cast("Any", node.op).p)
    function = {inf: "maximum", -inf: "minimum"}.get(p, "add")
    if function != "add" and not prod(sizes):
        raise NotLowered("the extreme of nothing")

    def power(shape: Shape) -> Scalar:
        x = element(shape)
        if p == 2:
            return call("mul", x, x)
        if p == 0:
            return select(x.ne(0), 1.0, 0.0)
        size = call("abs", x)
        return size if p in (1, inf, -inf) else call("pow", size, p)

    made = low.reduce(
        node, function, lambda shape: converted(power(shape), node.dtype), sizes, dims
    )
    sums = spread(made, dims) if node.ndim == len(sizes) else made

    def value(shape: Shape) -> Scalar:
        found = load(broadcast_to(sums, shape))
        if p in (0, 1, inf, -inf):
            return found
        return call("sqrt", found) if p == 2 else call("pow", found, 1 / p)

    low.define(node, value)


def exponentials(low: Lowering, node: Operation, dims: Sequence[int]) -> tuple[Slot, Slot]:
    """The largest element along dimensions, and the sum of exp(x - largest)."""
    element, sizes = source_element(low, node)
    low.stored(cast("Node", node.sources[0]))
    highest = spread(low.reduce(node, "maximum", element, sizes, dims), dims)

    def power(shape: Shape) -> Scalar:
        return call("exp", call("sub", element(shape), load(broadcast_to(highest, shape))))

    return highest, spread(low.reduce(node, "add", power, sizes, dims), dims)


def softmax(low: Lowering, node: Operation) -> None:
    """exp(x - largest) over its sum."""
    element, sizes = source_element(low, node)
    low.stored(cast("Node", node.sources[0]))
    dims = dims_of(node)
    if not sizes:
        low.define(node, lambda shape: call("exp", call("sub", element(shape), element(shape))))
        return
    if not prod(sizes):
        low.keep(node, low.place(node))
        return
    highest = spread(low.reduce(node, "maximum", element, sizes, dims), dims)
    powers = low.new(sizes, node.dtype, low.slots[cast("Node", node.sources[0])])
    raised = call("exp", call("sub", element(sizes), load(broadcast_to(highest, sizes))))
    low.add(Map(node, sizes, raised, Place(powers)))
    sums = spread(low.reduce(node, "add", lambda shape: load(powers), sizes, dims), dims)
    low.define(
        node,
        lambda shape: call(
            "div", load(broadcast_to(powers, shape)), load(broadcast_to(sums, shape))
        ),
    )


def log_softmax(low: Lowering, node: Operation) -> None:
    """x - largest - log Σ exp(x - largest)."""
    element, sizes = source_element(low, node)
    low.stored(cast("Node", node.sources[0]))
    if not sizes:
        low.define(node, lambda shape: call("sub", element(shape), element(shape)))
        return
    if not prod(sizes):
        low.keep(node, low.place(node))
        return
    highest, sums = exponentials(low, node, dims_of(node))
    logs = new_slot(sums.shape, node.dtype)
    low.add(Map(node, sums.shape, call("log", load(sums)), Place(logs)))

    def value(shape: Shape) -> Scalar:
        less = call("sub", element(shape), load(broadcast_to(highest, shape)))
        return call("sub", less, load(broadcast_to(logs, shape)))

    low.define(node, value)


def logsumexp(low: Lowering, node: Operation) -> None:
    """log Σ exp x; where the largest is infinite it is taken as 0, and the sum says the rest."""
    given, sizes = source_element(low, node)
    low.stored(cast("Node", node.sources[0]))
    dims = dims_of(node)

    def element(shape: Shape) -> Scalar:
        return converted(given(shape), node.dtype)  # integers have no logarithm

    found = low.reduce(node, "maximum", element, sizes, dims)
    highest = new_slot(found.shape, found.dtype)
    largest = load(found)
    finite = select(call("abs", largest).eq(inf), 0.0, largest)
    low.add(Map(node, found.shape, finite, Place(highest)))
    shown = spread(highest, dims)

    def power(shape: Shape) -> Scalar:
        return call("exp", call("sub", element(shape), load(broadcast_to(shown, shape))))

    sums = low.reduce(node, "add", power, sizes, dims)
    if node.ndim == len(sizes):
        sums, highest = spread(sums, dims), shown
    low.define(
        node,
        lambda shape: call(
            "add", call("log", load(broadcast_to(sums, shape))), load(broadcast_to(highest, shape))
        ),
    )


RULES: dict[type[Op], Rule] = {
    Amax: reduced("maximum"),
    Amin: reduced("minimum"),
    Argmax: place_of("argmax"),
    Argmin: place_of("argmin"),
    LogSoftmax: log_softmax,
    Logsumexp: logsumexp,
    Max: reduced("maximum"),
    Mean: mean,
    Min: reduced("minimum"),
    Norm: norm,
    Prod: reduced("mul"),
    Softmax: softmax,
    Std: variance(root=True),
    Sum: reduced("add"),
    Total: total,
    Var: variance(root=False),
}
