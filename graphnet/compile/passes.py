"""Passes: each makes a list that computes the same as another one with less work."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, cast

from torch import empty, finfo

from graphnet.compile.fusion import fused
from graphnet.compile.program import Constant, Program, Rewriting, Source, is_pure
from graphnet.compile.settled import settled
from graphnet.compile.statistics import remembered
from graphnet.graph import Node, Operation
from graphnet.graph.kinds import Literal
from graphnet.graph.passes import ancestors
from graphnet.ops.arithmetic import Add, Div, Mul, Neg, Sub
from graphnet.ops.losses import SquaredError

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from graphnet.op import Op

_OPENED = (SquaredError,)
_LARGEST_CONSTANT = 1_000_000  # elements; anything larger is computed anew at each step


def optimized(program: Program) -> Program:
    """All passes, one after the other."""
    for each in PASSES:
        program = each(program)
    return program


def without_unread(program: Program) -> Program:
    """Drop what nothing reads."""
    needed = {*ancestors(list(program), program.wanted), *program.writes}
    return Rewriting(program, lambda copy, node, sources: None, needed).new


def opened(program: Program) -> Program:
    """Replace operations by their parts, if others compute one of these parts too."""

    def change(copy: Rewriting, node: Operation, sources: tuple[Source, ...]) -> Node | None:
        if not isinstance(node.op, _OPENED):
            return None
        arguments: list[Any] = [each.top if isinstance(each, Literal) else each for each in sources]
        with copy.new, copy.new.scopes.inside(node.name):
            result: Any = node.op.forward(*arguments)
        return cast("Node", result)

    return Rewriting(program, change).new


def shared(program: Program) -> Program:
    """Compute equal expressions once; random numbers are drawn as often as before."""
    known: dict[Any, Node] = {}

    def change(copy: Rewriting, node: Operation, sources: tuple[Source, ...]) -> Node | None:
        if not is_pure(node.op):
            return None
        inputs = [repr(each.top) if isinstance(each, Literal) else each for each in sources]
        key = (node.op, *inputs)
        if key not in known:
            known[key] = copy.new.use(node.op, sources, node.name, node.spec)
        return known[key]

    return Rewriting(program, change).new


def folded(program: Program) -> Program:
    """Compute now what depends on nothing fed or learned, and join chains of factors."""

    def change(copy: Rewriting, node: Operation, sources: tuple[Source, ...]) -> Node | None:
        if _is_constant(node, sources):
            return copy.new.cell(_value(node, sources), node.name, Constant)
        plain = tuple(_as_number(node, each) for each in sources)
        product = _joined_factors(copy, node, plain)
        return copy.new.use(node.op, plain, node.name, node.spec) if product is None else product

    return Rewriting(program, change).new


def _is_constant(node: Operation, sources: tuple[Source, ...]) -> bool:
    """True if a value is known at compile time, and not too large to be kept."""
    names = node.op.argument_names(len(sources))
    known = (
        isinstance(each, Constant | Literal) or name.endswith("_like")
        for each, name in zip(sources, names, strict=True)
    )
    sizes = cast("tuple[int, ...]", node.shape)
    return is_pure(node.op) and prod(sizes) <= _LARGEST_CONSTANT and all(known)


def _value(node: Operation, sources: tuple[Source, ...]) -> Tensor:
    """The value of an operation on constants; inputs read only for their shape take no memory."""
    arguments = [
        each.top
        if isinstance(each, Constant | Literal)
        else empty((), dtype=each.dtype).expand(cast("tuple[int, ...]", each.shape))
        for each in sources
    ]
    value: Tensor = node.op.forward(*arguments)
    return value


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


def _joined_factors(copy: Rewriting, node: Operation, sources: tuple[Source, ...]) -> Node | None:
    """(a b) x in place of a (b x), for numbers a and b whose product is in the dtype's range.

    Half precision is left as it is: there a product of two usual numbers is so often out of range,
    or loses digits, that the walk must be followed step by step.
    """
    factor, rest = _factor(node.op, sources)
    if factor is None or not isinstance(rest, Operation) or copy.readers[rest] > 1:
        return None
    inner, innermost = _factor(rest.op, rest.sources)
    if inner is None or innermost is None or not _is_normal(factor * inner, node.dtype):
        return None
    return copy.new.use(Mul(), (innermost, Literal(factor * inner)), node.name)


def _is_normal(number: float, of: dtype) -> bool:
    """True for a number of full precision in a dtype that is not half precision."""
    limits = finfo(of)
    return limits.bits >= 32 and limits.tiny <= abs(number) <= limits.max


def _factor(op: Op, sources: tuple[Source, ...]) -> tuple[float | None, Source | None]:
    """The number and the other factor, if a floating-point node is a number times another."""
    if isinstance(op, Mul):
        for number, other in (sources, sources[::-1]):
            if isinstance(number, Literal) and isinstance(other, Node):
                return (number.top, other) if other.dtype.is_floating_point else (None, None)
    if isinstance(op, Neg) and isinstance(sources[0], Node) and sources[0].dtype.is_floating_point:
        return -1.0, sources[0]
    return None, None


PASSES = (remembered, opened, settled, without_unread, folded, shared, fused, without_unread)
"""In an order in which each pass uses what the one before has exposed."""
