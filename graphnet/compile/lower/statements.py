"""Statements as they are added: maps, reductions, contractions, checks, and memory for results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING

import torch

from graphnet.compile.lower.long_sums import in_blocks
from graphnet.compile.lower.loops import Check, Contraction, Lowered, Map, Reduction, Statement
from graphnet.compile.lower.scalars import Place, Scalar, as_scalar, call, load, permuted
from graphnet.compile.plan.placement import Cells
from graphnet.compile.plan.slots import Shape, Slot, contiguous, new_slot

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Buffer
    from graphnet.graph import Node

Element = Callable[[Shape], Scalar]
"""The element of a value, in loops of a shape that the value is broadcast to."""


class Statements:
    """What has been lowered so far.

    Args:
        batch_last: True to keep what is computed with its first dimension innermost in memory.

    Attributes:
        winograd: True if convolutions may be computed by fewer products, in more memory.
        done: the result.
        turned: copies in another order, which several statements may read.
    """

    def __init__(self, batch_last: bool) -> None:
        self.batch_last = self.winograd = batch_last
        self.done = Lowered()
        self.turned: dict[tuple[object, ...], Slot] = {}

    def new(self, shape: Shape, of: torch.dtype, like: Slot | None = None) -> Slot:
        """Memory for a node, or something on the way to it."""
        strides = contiguous(shape)
        if like is not None and like.shape == shape:
            strides = dense_strides(shape, like.strides)
        elif self.batch_last and len(shape) in (2, 4):
            strides = dense_strides(shape, (0, *contiguous(shape)[1:]))
        return new_slot(shape, of).as_strided(shape, strides)

    def constant(self, tensor: torch.Tensor) -> Slot:
        """A tensor that never changes."""
        return Cells().slot(tensor)

    def add(self, statement: Statement) -> None:
        """Add a statement, after everything that reads what it overwrites."""
        if not isinstance(statement, Check):
            out = statement.out.slot if isinstance(statement, Map) else statement.out
            if out.buffer.memory is not None:
                self.before_writing(out.buffer, statement)
        if isinstance(statement, Map | Reduction):
            self.done.work += statement.work()
        self.done.statements.append(statement)

    def before_writing(self, buffer: Buffer, statement: Statement) -> None:
        """Forget copies of memory that is about to change."""
        for key in [key for key in self.turned if key[0] is buffer]:
            del self.turned[key]

    def copy(self, node: Node, to: Slot, given: Slot) -> None:
        """Copy memory, unless it is there already."""
        if not given.is_at(to) and 0 not in to.shape:
            self.add(Map(node, to.shape, load(given), Place(to)))

    def fill(self, node: Node, slot: Slot, value: float) -> None:
        """Set all elements to a number."""
        if prod(slot.shape):
            self.add(Map(node, slot.shape, as_scalar(value, slot.dtype), Place(slot)))

    def reduce(
        self,
        node: Node,
        function: str,
        element: Element,
        sizes: Shape,
        dims: Sequence[int],
        out: Slot | None = None,
        best: Slot | None = None,
    ) -> Slot:
        """Combine elements along some dimensions; returns the results, without those dimensions.

        Args:
            node: what is computed.
            function: see `Reduction`.
            element: of a value of the shape `sizes`.
            sizes: the shape.
            dims: which dimensions are combined.
            out: where the results are stored; None for new memory.
            best: where extremes are stored, if `out` gets their places; None for new memory.
        """
        kept = [dim for dim in range(len(sizes)) if dim not in dims]
        order = (*kept, *dims)
        shape = tuple(sizes[dim] for dim in kept)
        made = permuted(element(sizes), order)
        if out is None:
            of = torch.int64 if function.startswith("arg") else made.dtype
            out = new_slot(shape, of)
        if function.startswith("arg") and best is None:
            best = new_slot(shape, made.dtype)
            best = best.as_strided(shape, dense_strides(shape, out.strides))
        ordered = tuple(sizes[dim] for dim in order)
        whole = Reduction(node, ordered, len(kept), function, made, out, best)
        self.add(self.in_blocks(whole))
        return out

    def in_blocks(self, statement: Reduction) -> Reduction:
        """The last step of a sum, after the sums of blocks if it is long."""
        return in_blocks(self, statement)

    def check(self, node: Node, value: Slot) -> None:
        """End the step here if a number is not finite, or true."""
        self.add(Check(node, value.as_strided((), ())))

    def contract(self, statement: Contraction) -> None:
        """Add a contraction, with its factors in an order that vectors can be read in.

        Tiles are for floating-point numbers; products of integers are summed in plain loops.
        """
        from graphnet.compile.lower.layouts import arranged

        if statement.out.dtype.is_floating_point:
            arranged(self, statement)
            return
        s = statement
        sums = s.out if s.start is None else self.new(s.out.shape, s.out.dtype)
        product = call("mul", load(s.x), load(s.y))
        self.add(Reduction(s.node, s.sizes, s.kept, "add", product, sums))
        if s.start is not None:
            self.add(Map(s.node, sums.shape, call("add", load(sums), load(s.start)), Place(s.out)))

    def dense(self, node: Node, slot: Slot) -> Slot:
        """The elements of a slot side by side in torch's usual order."""
        if slot.is_contiguous:
            return slot
        made = new_slot(slot.shape, slot.dtype)
        self.copy(node, made, slot)
        return made


def dense_strides(shape: Shape, like: Shape) -> Shape:
    """Strides without gaps, in the order of other strides; 0 counts as the smallest."""
    strides, step = [1] * len(shape), 1
    for dim in sorted(range(len(shape)), key=lambda dim: (like[dim], -dim)):
        strides[dim] = step
        step *= max(shape[dim], 1)
    return tuple(strides)
