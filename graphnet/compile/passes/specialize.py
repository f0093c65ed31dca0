"""What is settled once all sizes and the mode are known: checks, choices, shapes of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.ir.program import Program, Source, Sources, value_of
from graphnet.compile.ir.rewrite import Rewriting, has_op
from graphnet.graph import Node, Operation
from graphnet.ops.activations import Identity
from graphnet.ops.broadcasting import Expand, ExpandAs, SumAs
from graphnet.ops.reductions import Mean, Sum
from graphnet.ops.running import Choose, Several, Sized, SizedAs
from graphnet.ops.shapes import Flatten, Reshape, ReshapeAs

if TYPE_CHECKING:
    from graphnet.graph.nodes import Literal
    from graphnet.op import Op

Rule = Callable[[Rewriting, Operation, Sources], "Node | None"]


def specialize(program: Program) -> Program:
    """Replace operations that depend on sizes or on the mode with their result."""
    if not has_op(program, lambda op: type(op) in RULES):
        return program

    def change(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
        rule = RULES.get(type(node.op))
        return rule(copy, node, sources) if rule else None

    return Rewriting(program, change).new


def _sizes(node: Source) -> tuple[int, ...]:
    """The shape of a node of a program, where every size is known."""
    return cast("tuple[int, ...]", cast("Node", node).shape)


def checked(copy: Rewriting, node: Operation, sources: Sources) -> Node:
    """A check passes or fails now."""
    node.op.forward(*map(value_of, sources))
    return cast("Node", sources[0])


def same_shape(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
    """A change to the shape that a node already has is dropped."""
    x = cast("Node", sources[0])
    return x if x.shape == node.shape else None


def sum_as(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
    """A sum to the shape of another node is a sum over the dimensions in which that is smaller."""
    x = cast("Node", sources[0])
    wide, narrow = _sizes(x), _sizes(node)
    aligned = (1,) * (len(wide) - len(narrow)) + narrow
    dims = tuple(dim for dim, size in enumerate(aligned) if size == 1 != wide[dim])
    if dims:
        x = copy.new.use(Sum(dims), (x,), node.name)
    return x if x.shape == narrow else copy.new.use(Reshape(narrow), (x,), node.name)


def choose(copy: Rewriting, node: Operation, sources: Sources) -> Node:
    """One of two, depending on the mode."""
    chosen = cast("Node", sources[0] if cast("Literal", sources[2]).top else sources[1])
    if chosen.shape == node.shape:
        return chosen
    return copy.new.use(Expand(_sizes(node)), (chosen,), node.name)


def over_ones(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
    """A sum or mean over one element is that element."""
    x, op = cast("Node", sources[0]), cast("Any", node.op)
    if any(_sizes(x)[dim] != 1 for dim in op.dims) or x.dtype is not node.dtype:
        return None
    return x if x.shape == node.shape else copy.new.use(Reshape(_sizes(node)), (x,), node.name)


RULES: dict[type[Op], Rule] = {
    **dict.fromkeys((Several, Sized, SizedAs), checked),
    **dict.fromkeys((Expand, ExpandAs, Flatten, Identity, Reshape, ReshapeAs), same_shape),
    **dict.fromkeys((Mean, Sum), over_ones),
    SumAs: sum_as,
    Choose: choose,
}
