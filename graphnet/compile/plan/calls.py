"""Calls: a chosen program, one kernel after the other, each with what it reads and writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphnet.compile.plan.slots import Slot

if TYPE_CHECKING:
    from graphnet.graph import Node


@dataclass(frozen=True, eq=False, slots=True)
class Constant:
    """A tensor, generator or function that stays from step to step.

    Attributes:
        value: what it is; equal tensors are one constant.
        name: what it would like to be called.
    """

    value: Any
    name: str


@dataclass(frozen=True, eq=False, slots=True)
class Expression:
    """An operand that is computed where it is read, such as `x.mT`.

    Attributes:
        text: a template, with the names of its operands.
        args: its operands.
    """

    text: str
    args: Mapping[str, Operand]


Operand = Slot | Constant | Expression | Any
"""What a call reads: memory, a constant, an expression, or a plain number or option."""


@dataclass(eq=False, slots=True)
class Call:
    """One call of a kernel.

    Attributes:
        kernel: what is called; each target has kernels of its own.
        out: what it writes; None for a result that nobody wants.
        args: what it reads, by the names of the kernel.
        options: what is fixed when the program is made.
        node: what it computes, or helps to compute.
        over: the names of the arguments that the result may overwrite.
        otherwise: the call in its place if the result is new memory, since none may be overwritten.
    """

    kernel: Any
    out: tuple[Slot | None, ...]
    args: Mapping[str, Operand]
    node: Node
    options: Mapping[str, Any] = field(default_factory=dict)
    over: tuple[str, ...] = ()
    otherwise: Call | None = None

    def reads(self) -> Iterator[Slot]:
        """The slots that it reads."""
        yield from _slots(self.args)

    def slots(self) -> Iterator[Slot]:
        """The slots that it reads and writes."""
        yield from (slot for slot in self.out if slot is not None)
        yield from _slots(self.args)

    def moved(self, move: Any) -> Call:
        """The same call with each slot replaced."""
        out = tuple(None if slot is None else move(slot) for slot in self.out)
        args = {name: _moved(each, move) for name, each in self.args.items()}
        return Call(self.kernel, out, args, self.node, self.options, self.over, self.otherwise)


def _slots(args: Mapping[str, Operand]) -> Iterator[Slot]:
    for each in args.values():
        if isinstance(each, Slot):
            yield each
        elif isinstance(each, Expression):
            yield from _slots(each.args)


def _moved(operand: Operand, move: Any) -> Operand:
    if isinstance(operand, Slot):
        return move(operand)
    if isinstance(operand, Expression):
        args = {name: _moved(each, move) for name, each in operand.args.items()}
        return Expression(operand.text, args)
    return operand
