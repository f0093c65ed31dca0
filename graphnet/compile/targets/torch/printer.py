"""Printing: the text of calls, and what the names in it stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphnet.compile.plan.calls import Call, Constant, Expression, Operand
from graphnet.compile.plan.slots import Slot
from graphnet.compile.targets.torch.namespace import Namespace

if TYPE_CHECKING:
    from graphnet.graph import Node

Wanted = Mapping[Slot, "str | tuple[Slot, str]"]
"""What slots would like to be called: a text, or another slot and what follows its name."""


class Line(NamedTuple):
    """A line of the program, and the node that it computes."""

    text: str
    node: Node


class Printer:
    """The text of calls.

    Attributes:
        names: the names in it.
        lines: what has been printed so far.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.names = Namespace()
        self.lines: list[Line] = []
        self._wanted = wanted
        self._slots: dict[Slot, str] = {}

    def print(self, calls: Sequence[Call]) -> None:
        """Add a line for each call."""
        for call in calls:
            self.lines.append(Line(self._text(call), call.node))

    def name(self, slot: Slot) -> str:
        """The name of a slot; one that is new here stays from step to step."""
        if slot not in self._slots:
            name = self.variable(slot)
            self.names.known[name] = slot
        return self._slots[slot]

    def variable(self, slot: Slot) -> str:
        """The name of a slot that a line, or the caller, gives a tensor to."""
        name = self._slots.get(slot)
        if name is None:
            name = self._slots[slot] = self.names.new(self._called(slot))
        return name

    def _called(self, slot: Slot) -> str:
        wanted = self._wanted.get(slot, "value")
        return wanted if isinstance(wanted, str) else self.name(wanted[0]) + wanted[1]

    def _text(self, call: Call) -> str:
        kernel = call.kernel
        args = {name: self.operand(each) for name, each in call.args.items()}
        words = {**{name: self.operand(each) for name, each in call.options.items()}, **args}
        for place, slot in enumerate(call.out):
            of = "_" if slot is None else self._result(slot)
            words |= {"out": of} if not place else {f"out{place}": of}
        if kernel.function:
            self.names.function(kernel.function)
        over = kernel.inplace and next(iter(call.args.values())) == call.out[0]
        template = _without_units(kernel.inplace if over else kernel.out, words)
        return template.format(arguments=", ".join(args.values()), **words)

    def _result(self, slot: Slot) -> str:
        return self.variable(slot) if slot.buffer.made else self.name(slot)

    def operand(self, operand: Operand) -> str:
        """The text of what a call reads."""
        if isinstance(operand, Slot):
            return self.name(operand)
        if isinstance(operand, Constant):
            return self.names.bind(operand.value, operand.name)
        if isinstance(operand, Expression):
            args = {name: self.operand(each) for name, each in operand.args.items()}
            return operand.text.format(**args)
        return self._literal(operand)

    def _literal(self, value: Any) -> str:
        """Plain numbers and options, as Python writes them."""
        if isinstance(value, float):
            return self.names.number(value)
        if type(value) in (list, tuple):
            inner = ", ".join(map(self._literal, value))
            if isinstance(value, list):
                return f"[{inner}]"
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        return repr(value)


def _without_units(template: str, words: Mapping[str, str]) -> str:
    """A template without a factor of 1, which torch takes for granted."""
    for name in ("alpha", "a"):
        if words.get(name) == "1":
            template = template.replace(f", alpha={{{name}}}", "")
    return template
