"""Printing: the text of calls, what the names in it stand for, and the function that it is."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite, isnan
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from graphnet.compile.plan.calls import Call, Constant, Expression, Operand
from graphnet.compile.plan.liveness import last_uses
from graphnet.compile.plan.slots import Slot
from graphnet.compile.run.runner import best_times
from graphnet.compile.targets.torch.execution import function_of

if TYPE_CHECKING:
    from graphnet.graph import Node

Wanted = Mapping[Slot, "str | tuple[Slot, str]"]
"""What slots would like to be called: a text, or another slot and what follows its name."""

CLOCK, TOOK = "__clock", "__took"
"""Names that no line of a program uses."""


def _aten(name: str, overload: str = "default") -> Callable[[], Any]:
    return lambda: getattr(getattr(torch.ops.aten, name), overload)._op


FUNCTIONS: dict[str, Callable[[], Any]] = {
    "tanh_backward": _aten("tanh_backward", "grad_input"),
    "sigmoid_backward": _aten("sigmoid_backward", "grad_input"),
    "relu_backward": _aten("threshold_backward", "grad_input"),
    "log_softmax_backward": _aten("_log_softmax_backward_data", "out"),
    "nll_loss_forward": _aten("nll_loss_forward"),
    "nll_loss_backward": _aten("nll_loss_backward", "grad_input"),
    "convolution": _aten("convolution"),
    "convolution_backward": _aten("convolution_backward"),
    "max_pool": _aten("max_pool2d_with_indices", "out"),
    "max_pool_backward": _aten("max_pool2d_with_indices_backward", "grad_input"),
    "vector_norm": lambda: torch.linalg.vector_norm,
    "onednn_linear": lambda: torch.ops.mkldnn._linear_pointwise.default._op,
    "isfinite": lambda: isfinite,  # of a number, not of a tensor
}
"""What lines call that is not in `torch` itself."""


class Namespace:
    """Names, each for one thing.

    Attributes:
        known: what stays from step to step: slots, tensors, generators and functions.
    """

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self._taken: set[str] = set()
        self._bound: dict[str, list[str]] = {}

    def new(self, wanted: str) -> str:
        """A name close to the one wanted that nothing else has."""
        name = re.sub(r"[^a-zA-Z0-9_]", "_", wanted)
        name = f"layer{name}" if name[0].isdigit() else name
        if keyword.iskeyword(name) or name in FUNCTIONS or _is_function(name):
            name = f"{name}_"
        free, count = name, 0
        while free in self._taken or free in self.known:
            count += 1
            free = f"{name}_{count}"
        self._taken.add(free)
        return free

    def bind(self, value: object, wanted: str) -> str:
        """A name for something that stays; equal tensors share one, which nothing writes to."""
        alike = self._bound.setdefault(wanted, [])
        for name in alike:
            if _same(self.known[name], value):
                return name
        name = self.new(wanted)
        self.known[name] = value
        alike.append(name)
        return name

    def function(self, name: str) -> None:
        """Bind a function under its own name, which no other thing has."""
        if name not in self.known:
            found = FUNCTIONS.get(name)
            self.known[name] = found() if found else getattr(torch, name)

    def number(self, value: float) -> str:
        """A number in Python; for infinity and NaN, under the names that Python writes."""
        if not isfinite(value):
            self.known["nan" if isnan(value) else "inf"] = abs(value)
        return repr(value)


def _is_function(name: str) -> bool:
    """True if lines may call a function of this name; none has one letter."""
    return len(name) > 1 and hasattr(torch, name)


def _same(known: object, value: object) -> bool:
    """True for one object, and for two tensors of equal numbers."""
    if isinstance(known, torch.Tensor) and isinstance(value, torch.Tensor):
        return known.dtype is value.dtype and known.equal(value)
    return known is value


class Line(NamedTuple):
    """A line of the program, and the node that it computes."""

    text: str
    node: Node


class Printer:
    """The text of calls.

    Attributes:
        names: the names in it.
        lines: what has been printed so far.
        arguments: the names of what the function is given.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.names = Namespace()
        self.lines: list[Line] = []
        self.arguments: list[str] = []
        self._returned: list[str] = []
        self._calls: list[Call] = []
        self._ended: dict[int, list[str]] = {}
        self._wanted = wanted
        self._slots: dict[Slot, str] = {}

    def print(self, calls: Sequence[Call]) -> None:
        """Add a line for each call."""
        for call in calls:
            self.lines.append(Line(self._text(call), call.node))
            self._calls.append(call)

    def finish(self, arguments: Iterable[Slot], results: Iterable[Slot]) -> None:
        """Let the lines be given arguments, and return results."""
        given, kept = [*arguments], [*results]
        self.arguments = [self.variable(slot) for slot in given]
        self._returned = [f"return {', '.join(self.name(slot) for slot in kept)},"]
        last = last_uses(self._calls, [*given, *kept], views=False)
        for slot, name in self._slots.items():
            if slot.buffer.made and slot.shape and slot.buffer in last:
                self._ended.setdefault(last[slot.buffer], []).append(name)

    def bound(self, tensor: Callable[[Slot], torch.Tensor]) -> dict[str, Any]:
        """What the names stand for, with tensors in place of slots."""
        known = self.names.known.items()
        return {name: tensor(each) if isinstance(each, Slot) else each for name, each in known}

    def function(self, names: dict[str, Any]) -> tuple[Callable[..., Any], str]:
        """The lines as a function, given what the names stand for; and its source."""
        lines = [text for place in range(len(self.lines)) for text in self._texts(place)]
        return function_of([*lines, *self._returned], self.arguments, names)

    def _texts(self, place: int) -> list[str]:
        """A line, and after it the end of what no later line needs: its memory is used again."""
        names = self._ended.get(place, ())
        return [self.lines[place].text, *([f"del {', '.join(names)}"] if names else [])]

    def timed(
        self, names: dict[str, Any], given: Sequence[Any], runs: int
    ) -> list[tuple[str, str, float]]:
        """Run the lines some times, and read a clock between them.

        Returns:
            For each line its text, the name of its node, and its microseconds.
        """
        spent = [0.0] * (len(self.lines) + 1)
        texts = [f"{CLOCK}0 = {CLOCK}(); {TOOK}[-1] += {CLOCK}() - {CLOCK}0; {CLOCK}0 = {CLOCK}()"]
        for place in range(len(self.lines)):
            texts += [
                *self._texts(place),
                f"{TOOK}[{place}] += {CLOCK}() - {CLOCK}0; {CLOCK}0 = {CLOCK}()",
            ]
        clocked = {**names, CLOCK: perf_counter, TOOK: spent}
        function, _ = function_of(texts, self.arguments, clocked)
        *best, clock = best_times(lambda: function(*given), spent, runs)
        return [
            (line.text, line.node.name, max(seconds - clock, 0) * 1e6)
            for line, seconds in zip(self.lines, best, strict=True)
        ]

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
