"""Fusion: several operations that torch does in one are found by the rule of the one.

The rule, applied to symbols, is what to look for in a program. `traced` runs the forward of a fused
op on an `Operand` for each input, and an `Option` for each option. What it makes is an
`Expression`, which `Pattern.find` compares with operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from graphnet.compile.ir.program import Constant, Source, Sources, is_number
from graphnet.compile.ir.rewrite import Rewriting
from graphnet.compile.passes.dce import dce
from graphnet.compile.targets.torch.fused_ops import FUSED
from graphnet.graph import Node, Operation
from graphnet.graph.methods import TensorMethods
from graphnet.graph.nodes import Literal
from graphnet.ops.arithmetic import Add, Div, Mul, Neg, Sub
from graphnet.ops.comparison import MaskedFill
from graphnet.ops.reductions import Mean, Sum

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Program
    from graphnet.op import Op

Found = dict[Any, Any]
"""What operands, expressions and options stand for in a program."""


class Option:
    """Any value of an option, but the same wherever the option stands."""


ANY, ALL = Option(), Option()
"""A value of no interest, and all dimensions of what is reduced."""


class Like(NamedTuple):
    """An argument that is read for its shape only, so that another one of that shape does."""

    of: Any


class Expression(TensorMethods):
    """An op applied to expressions and numbers.

    It has no shape and no dtype. Where a function of `ops` asks for one, a rule is traced by one of
    the methods below, or applies the op itself.
    """

    __slots__ = ("args", "op")

    def __init__(self, op: Op, args: tuple[Any, ...]) -> None:
        names = op.argument_names(len(args))
        likes = (name.endswith("_like") for name in names)
        self.op = op
        self.args = tuple(
            Like(each) if like else each for each, like in zip(args, likes, strict=True)
        )

    def apply(self, op: Op, arguments: tuple[Any, ...]) -> Expression:
        """The expression of an op on these arguments."""
        return Expression(op, arguments)

    def sum(self, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
        """The sum of all elements, or over a dimension."""
        dims: Any = ALL if dim is None else (dim,)
        return self.apply(Sum(dims, keepdim), (self,))

    def mean(self, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
        """The mean of all elements, or over a dimension."""
        dims: Any = ALL if dim is None else (dim,)
        return self.apply(Mean(dims, keepdim, cast("Any", ANY)), (self,))

    def masked_fill(self, mask: Any, value: Any) -> Any:
        """The same, with a number where the mask is true."""
        return self.apply(MaskedFill(value), (self, mask))


class Operand(Expression):
    """An input of a traced op, and the kind of source that it stands for, as annotated."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def takes(self, source: Source) -> bool:
        """True if the operand may stand for a source."""
        if is_number(source):
            return self.kind == "float" or ("float" in self.kind and isinstance(source, Literal))
        return self.kind != "float"


class Pattern:
    """What an op stands for, and where it is found.

    Args:
        kind: the class of the op.
        chosen: those of its options that the rule must know.

    Raises:
        TypeError: an input would never be found.
    """

    def __init__(self, kind: Any, chosen: dict[str, Any]) -> None:
        self.kind = kind
        self.options = {name: chosen.get(name, Option()) for name in kind.option_names}
        kinds = kind.forward.__annotations__
        self.operands = {name: Operand(_text(kinds.get(name))) for name in kind.inputs}
        op, self.looked_up = kind(**self.options), dict[str, Expression]()
        for name in kind.inputs:
            if find := getattr(op, f"find_{name}", None):
                reads = find.__code__.co_varnames[1 : find.__code__.co_argcount]
                self.looked_up[name] = find(*[self.operands[each] for each in reads])
        self.root: Expression = op.forward(*(self.operands | self.looked_up).values())
        self.negated: Operand | None = None
        self._reads = {type(each.op) for each in self.root.args if _is_inner(each)}
        self._uses = Counter(each for part in _parts(self.root) for each in part.args)
        read = {each.of if isinstance(each, Like) else each for each in self._uses}
        for name, operand in self.operands.items():
            if operand not in read and name not in self.looked_up:
                raise TypeError(
                    f"{kind.__name__}.forward does not compute with {name!r}: write find_{name}, "
                    "which tells of which operation it is the value."
                )

    def of_difference(self) -> Pattern | None:
        """The same for x - a y, if this is for x + a y: the number has the opposite sign."""
        if not isinstance(self.root.op, Add):
            return None
        for x, y in (self.root.args, self.root.args[::-1]):
            if (factor := _factor(y)) is not None:
                other = copy(self)
                other.root, other.negated = Expression(Sub(), (x, y)), factor
                return other
        return None

    def find(self, copy: Rewriting, op: Op, sources: Sources) -> tuple[Op, Sources] | None:
        """What replaces an operation on these sources; None if it is not what the pattern says."""
        if not self._reads <= {type(each.op) for each in sources if isinstance(each, Operation)}:
            return None  # as for nearly all operations
        for found in self._with(copy, self.root, op, sources, {}):
            replaced = self._completed(copy, found)
            if replaced is not None:
                return replaced
        return None

    def _completed(self, copy: Rewriting, found: Found) -> tuple[Op, Sources] | None:
        """The op and its sources, if it fits."""
        found = dict(found)
        for pattern, source in found.pop(Like, ()):
            if found.setdefault(pattern, source).shape != source.shape:
                return None
        for name, expression in self.looked_up.items():
            if expression not in found:
                matches = (
                    match for node in copy.new for match in self._one(copy, expression, node, found)
                )
                found = next(matches, found)
            if expression not in found:
                return None
            found[self.operands[name]] = found[expression]
        if self.negated is not None:
            found[self.negated] = _minus(copy, found[self.negated])
        known = {name: each for name, each in self.options.items() if not isinstance(each, Option)}
        known |= {name: found[each] for name, each in self.options.items() if each in found}
        op = self.kind(**known)
        sources = [found[each] for each in self.operands.values()]
        return op.instead(copy, *sources) if op.fits(*sources) else None

    def _with(
        self, copy: Rewriting, pattern: Expression, op: Op, sources: Sources, found: Found
    ) -> Iterator[Found]:
        """All ways in which an op on some sources is the pattern, beside what is found already."""
        if type(op) is not type(pattern.op) or len(sources) != len(pattern.args):
            return
        if options := vars(pattern.op):
            found = dict(found)
            pairs = zip(options.values(), vars(op).values(), strict=True)
            if not all(_same(one, other, sources, found) for one, other in pairs):
                return
        yield from self._each(copy, pattern.args, sources, found)
        if isinstance(op, Add | Mul) and sources[0] is not sources[1]:
            yield from self._each(copy, pattern.args, sources[::-1], found)

    def _each(
        self, copy: Rewriting, patterns: tuple[Any, ...], sources: Sources, found: Found
    ) -> Iterator[Found]:
        """All ways in which each source is its pattern."""
        matches = self._one(copy, patterns[0], sources[0], found)
        if len(patterns) == 1:
            yield from matches
        else:
            for match in matches:
                yield from self._each(copy, patterns[1:], sources[1:], match)

    def _one(self, copy: Rewriting, pattern: Any, source: Source, found: Found) -> Iterator[Found]:
        """All ways in which a source is a pattern."""
        if isinstance(pattern, Like):
            yield {**found, Like: (*found.get(Like, ()), (pattern.of, source))}
        elif isinstance(pattern, Option):
            if isinstance(source, Literal) and found.get(pattern, source.top) == source.top:
                yield {**found, pattern: source.top}
        elif not isinstance(pattern, Expression):
            if _is(source, pattern):
                yield found
        elif pattern in found:
            known = found[pattern]
            if known is source or (isinstance(known, Literal) and _is(source, known.top)):
                yield found
        elif isinstance(pattern, Operand):
            if pattern.takes(source):
                yield {**found, pattern: source}
        elif isinstance(source, Operation) and (
            not self.kind.read_once or copy.readers[source] == self._uses[pattern]
        ):
            for each in self._with(copy, pattern, source.op, source.sources, found):
                yield {**each, pattern: source}


def fuse(program: Program, fused: tuple[Any, ...] = FUSED) -> Program:
    """Replace several operations with one, where torch does them in one.

    Args:
        program: the program.
        fused: the classes of the ops to look for, in the order in which they are tried.
    """
    patterns = traced(fused)

    def change(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
        for pattern in patterns.get(type(node.op), ()):
            found = pattern.find(copy, node.op, sources)
            if found is not None:
                op, arguments = found
                return copy.new.use(op, arguments, node.name, node.spec)
        return None

    return dce(Rewriting(program, change).new)


@cache
def traced(fused: tuple[Any, ...]) -> dict[type[Op], list[Pattern]]:
    """The patterns of some classes, by the class of the last operation that they replace."""
    patterns: dict[type[Op], list[Pattern]] = {}
    for kind in fused:
        for chosen in kind.choices:
            pattern = Pattern(kind, chosen)
            for each in (pattern, pattern.of_difference()):
                if each is not None:
                    patterns.setdefault(type(each.root.op), []).append(each)
    return patterns


def _text(annotation: Any) -> str:
    """An annotation as it is written; Tensor without one."""
    return "Tensor" if annotation is None else getattr(annotation, "__name__", str(annotation))


def _parts(expression: Any) -> set[Expression]:
    """An expression and all that it consists of, each once."""
    return {expression}.union(*map(_parts, filter(_is_inner, expression.args)))


def _is_inner(argument: Any) -> bool:
    """True for an operation, and not for an input or a number."""
    return isinstance(argument, Expression) and not isinstance(argument, Operand)


def _factor(term: Any) -> Operand | None:
    """The number by which a whole term is multiplied."""
    if isinstance(term, Operand):
        return term if term.kind == "float" else None
    if not isinstance(term, Expression) or not isinstance(term.op, Mul | Div):
        return None
    factors = term.args[:1] if isinstance(term.op, Div) else term.args
    return next((found for each in factors if (found := _factor(each)) is not None), None)


def _same(pattern: Any, value: Any, sources: Sources, found: Found) -> bool:
    """True if the value of an option is what a pattern says; an option of the op is noted."""
    if isinstance(pattern, tuple) and isinstance(value, tuple):
        return len(pattern) == len(value) and all(
            _same(one, other, sources, found) for one, other in zip(pattern, value, strict=True)
        )
    if pattern is ALL:
        return len(value) == cast("Node", sources[0]).ndim
    if isinstance(pattern, Option):
        return pattern is ANY or bool(found.setdefault(pattern, value) == value)
    return bool(pattern == value)


def _is(source: Source, number: Any) -> bool:
    """True for a number, or a constant that is one, that equals another."""
    if isinstance(source, Constant):
        return source.shape == () and bool(source.top == number)
    return isinstance(source, Literal) and bool(source.top == number)


def _minus(copy: Rewriting, factor: Source) -> Source:
    """A number with the opposite sign."""
    if isinstance(factor, Literal):
        return Literal(-factor.top)
    if isinstance(factor, Operation) and isinstance(factor.op, Neg):
        return factor.sources[0]
    return copy.new.use(Neg(), (factor,), "minus")
