"""The example in C: its tensors, and a program that runs the functions on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphnet.compile.targets.c.export.example import STEPS
from graphnet.compile.targets.c.export.memory import initializer, size_text
from graphnet.compile.targets.c.expressions import TYPES, number
from graphnet.compile.targets.c.masks import Draw, masks_of_steps
from graphnet.compile.targets.c.names import identifier
from graphnet.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.targets.c.export.example import Example
    from graphnet.compile.targets.c.export.functions import Argument, FunctionPrinter
    from graphnet.compile.targets.c.export.numbers import StepNumbers

FORMATS = {
    "float": ("%.9g", "(double)"),
    "double": ("%.17g", ""),
    "bool": ("%d", "(int)"),
}
"""How a number is printed, so that it reads back as it is; others are integers."""


@dataclass
class ExampleText:
    """The text of an example; see `files.Network`."""

    name: str
    functions: Sequence[FunctionPrinter]
    numbers: StepNumbers | None
    example: Example

    def __post_init__(self) -> None:
        """Name the arrays."""
        taken = set[str]()
        self._names = {
            each: f"{self.name}_example_{identifier(each, taken)}" for each in self.example.tensors
        }
        self._table = self.numbers is not None and not self.numbers.has_formulas
        self._masks = {
            (
                function.name,
                argument.name,
            ): f"{self.name}_example_{identifier(argument.name, taken)}"
            for function in self.functions
            for argument in function.arguments
            if argument.mask is not None
        }

    def _calls(self, function: FunctionPrinter) -> int:
        """How often a function is called."""
        calls = self.example.calls(function.function.rows)
        return max(calls, STEPS) if function.function.verb == "step" else calls

    def arrays(self) -> Iterator[str]:
        """The tensors as arrays that never change."""
        yield from (f'#include "{self.name}.h"', "#include <math.h>")
        for name, tensor in self.example.tensors.items():
            yield from _array(self._names[name], tensor, size_text(tensor.shape))
        yield from self._drawn()
        if self.numbers is not None and self._table:
            yield from self._table_of(self.numbers)

    def _drawn(self) -> Iterator[str]:
        """The masks that Python would draw from now on, those of a call after the call before."""
        draws = {
            function.name: [
                Draw(each.mask, each.slot) for each in function.arguments if each.mask is not None
            ]
            for function in self.functions
        }
        with Snapshot(generators={draw.generator for each in draws.values() for draw in each}):
            for function in self.functions:
                calls = self._calls(function)
                masks = (each for each in function.arguments if each.mask is not None)
                drawn = masks_of_steps(draws[function.name], calls)
                for argument, tensor in zip(masks, drawn, strict=True):
                    name = self._masks[function.name, argument.name]
                    remark = f"random, for {calls} calls: {size_text(argument.slot.shape)} each"
                    yield from _array(name, tensor, remark)

    def _table_of(self, numbers: StepNumbers) -> Iterator[str]:
        """The numbers of the first steps, for an optimizer whose formulas are not known here."""
        steps = max(self._calls(each) for each in self.functions)
        kind = type(numbers.optimizer).__name__
        yield from (
            "",
            f"/* The numbers of the first steps, computed by {kind}.numbers in Python. */",
        )
        yield f"static const struct {self.name}_numbers {self.name}_example_numbers[{steps}] = {{"
        dtypes = [each.slot.dtype for each in numbers.members]
        for row in numbers.rows(steps):
            values = [number(v, dtype) for v, dtype in zip(row, dtypes, strict=True)]
            yield f"  {{{', '.join(values)}}},"
        yield "};"

    def main(self) -> Iterator[str]:
        """A program that prints losses, or outputs."""
        has_state = any(each.memory.state for each in self.functions)
        yield f'#include "{self.name}.h"'
        yield f'#include "{self.name}_example.h"'
        if has_state:
            yield f'#include "{self.name}_weights.h"'
        yield from ("#include <stdio.h>", "", "int main(void) {")
        if has_state and self.numbers is not None:
            yield f"  static struct {self.name}_state state;"
        if any(each.memory.scratch for each in self.functions):
            yield f"  static struct {self.name}_scratch scratch;"
        if has_state and self.numbers is not None:
            yield f"  {self.name}_start(&state);"
        for function in self.functions:
            yield from self._loop(function)
        yield from ("  return 0;", "}")

    def _loop(self, function: FunctionPrinter) -> Iterator[str]:
        """The calls of one function."""
        is_step = function.function.verb == "step"
        calls, count = self.example.calls(function.function.rows), self._calls(function)
        yield f"  for (int call = 0; call < {count}; call++) {{"
        outputs = [each for each in function.arguments if each.is_output]
        for each in outputs:
            yield f"    static {each.type} out_{each.name}[{each.count}];"
        if is_step:
            yield from self._given_numbers()
        place = "call" if count <= calls else f"(call % {calls})"
        arguments = ",\n        ".join(self._arguments(function, place))
        yield f"    const int code = {function.name}(\n        {arguments});"
        yield "    if (code) {"
        yield f'      printf("{function.name} returned %d\\n", code);'
        yield "      return code;"
        yield "    }"
        for each in outputs:
            yield from _printed(each)
        yield "  }"

    def _given_numbers(self) -> Iterator[str]:
        if self.numbers is None or not self.numbers.members:
            return
        made = f"{self.name}_example_numbers[call]"
        if not self._table:
            rates = (f"{self.name}_{each.name}".upper() for each in self.numbers.rates.values())
            made = f"{self.name}_numbers_of_step({', '.join(['call + 1', *rates])})"
        yield f"    const struct {self.name}_numbers numbers = {made};"

    def _arguments(self, function: FunctionPrinter, place: str) -> Iterator[str]:
        if function.memory.state:
            yield f"&{self.name}_trained" if self.numbers is None else "&state"
        if function.function.verb == "step" and self.numbers is not None and self.numbers.members:
            yield "&numbers"
        for each in function.arguments:
            if each.is_output:
                yield f"out_{each.name}"
            elif each.mask is not None:
                yield f"{self._masks[function.name, each.name]} + call * {each.count}"
            elif each.source in self.example.batched:
                yield f"{self._names[each.source]} + {place} * {each.count}"
            else:
                yield self._names[each.source]
        if function.memory.scratch:
            yield "&scratch"


def _array(name: str, tensor: Tensor, remark: str) -> Iterator[str]:
    """A tensor as an array that never changes."""
    values = tensor.flatten().tolist() or [0]
    yield from ("", f"/* {remark} */")
    yield f"static const {TYPES[tensor.dtype]} {name}[{len(values)}] = {{"
    yield from (*initializer(values, tensor.dtype), "};")


def _printed(each: Argument) -> Iterator[str]:
    """A line with the name of an output and its numbers."""
    form, cast = FORMATS.get(each.type, ("%ld", "(long)"))
    if each.type == "int64_t":
        form, cast = "%lld", "(long long)"
    yield f'    printf("{each.name}");'
    yield f"    for (int i = 0; i < {each.count}; i++) {{"
    yield f'      printf(" {form}", {cast}out_{each.name}[i]);'
    yield "    }"
    yield '    printf("\\n");'
