"""Constant folding: what depends on nothing that is fed or learned is computed now."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, cast

from torch import finfo

from graphnet.compile.ir.program import Constant, Program, Source, Sources, value_of
from graphnet.compile.ir.rewrite import Rewriting
from graphnet.graph import Node, Operation
from graphnet.graph.nodes import Literal
from graphnet.ops.arithmetic import Add, Div, Mul, Neg, Sub

if TYPE_CHECKING:
    from torch import dtype

    from graphnet.op import Op

_LARGEST_CONSTANT = 1_000_000  # elements; anything larger is computed anew at each step


def fold_constants(program: Program) -> Program:
    """Compute now what depends on nothing fed or learned, and join chains of factors.

    Equal expressions become one constant, so that `cse` finds what is made of them equal too.
    """
    known: dict[Any, Node] = {}

    def change(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
        if _is_constant(node, sources):
            key = (node.op, *map(_known, sources))
            if key not in known:
                value = node.op.forward(*(value_of(each, program.device) for each in sources))
                known[key] = copy.new.cell(value, node.name, Constant)
            return known[key]
        plain = tuple(_as_number(node, each) for each in sources)
        product = _joined_factors(copy, node, plain)
        return copy.new.use(node.op, plain, node.name, node.spec) if product is None else product

    return Rewriting(program, change).new


def _is_constant(node: Operation, sources: Sources) -> bool:
    """True if a value is known at compile time, and not too large to be kept."""
    names = node.op.argument_names(len(sources))
    known = (
        isinstance(each, Constant | Literal) or name.endswith("_like")
        for each, name in zip(sources, names, strict=True)
    )
    sizes = cast("tuple[int, ...]", node.shape)
    return node.op.pure and prod(sizes) <= _LARGEST_CONSTANT and all(known)


def _known(source: Source) -> Any:
    """What is read of the source of a constant: a constant, a number, or only a shape and dtype."""
    if isinstance(source, Literal):
        return repr(source.top)
    return source if isinstance(source, Constant) else source.spec


def _as_number(node: Operation, source: Source) -> Source:
    """A plain number in place of a constant that repeats it, if others give shape and dtype.

    Without another of its dtype, such as next to a count, the result would have the default dtype.
    """
    if not isinstance(node.op, Add | Sub | Mul | Div) or not isinstance(source, Constant):
        return source
    if not source.top.numel():
        return source
    alike = [
        (each.shape, each.dtype) == (node.shape, node.dtype) for each in (source, *node.inputs)
    ]
    strides = zip(source.top.stride(), source.top.shape, strict=True)
    if sum(alike[1:]) <= alike[0] or any(step for step, n in strides if n > 1):
        return source
    return Literal(source.top.flatten()[0].item())


def _joined_factors(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
    """(a b) x in place of a (b x), and x where a b = 1, if a b is in the dtype's range.

    Half precision is left as it is: there a product of two usual numbers is so often out of range,
    or loses digits, that the walk must be followed step by step.
    """
    factor, rest = _factor(node.op, sources)
    if factor is None or not isinstance(rest, Operation) or not copy.is_read_once(rest):
        return None
    inner, innermost = _factor(rest.op, rest.sources)
    if inner is None or innermost is None or not _is_normal(factor * inner, node.dtype):
        return None
    if factor * inner == 1 and isinstance(innermost, Operation):
        return innermost
    return copy.new.use(Mul(), (innermost, Literal(factor * inner)), node.name)


def _is_normal(number: float, of: dtype) -> bool:
    """True for a number of full precision in a dtype that is not half precision."""
    limits = finfo(of)
    return limits.bits >= 32 and limits.tiny <= abs(number) <= limits.max


def _factor(op: Op, sources: Sources) -> tuple[float | None, Source | None]:
    """The number and the other factor, if a floating-point node is a number times another."""
    if isinstance(op, Mul):
        for number, other in (sources, sources[::-1]):
            if isinstance(number, Literal) and isinstance(other, Node):
                return (number.top, other) if other.dtype.is_floating_point else (None, None)
    if isinstance(op, Neg) and isinstance(sources[0], Node) and sources[0].dtype.is_floating_point:
        return -1.0, sources[0]
    return None, None
