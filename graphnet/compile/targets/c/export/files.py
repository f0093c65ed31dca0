"""The files of a network in C."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphnet.compile.targets.c.export.main import ExampleText
from graphnet.compile.targets.c.export.memory import initializer, scratch_member
from graphnet.compile.targets.c.expressions import TYPES, number
from graphnet.compile.targets.c.names import plain
from graphnet.version import __version__

if TYPE_CHECKING:
    from graphnet.compile.targets.c.export.example import Example
    from graphnet.compile.targets.c.export.functions import FunctionPrinter
    from graphnet.compile.targets.c.export.memory import Array, Memory
    from graphnet.compile.targets.c.export.numbers import StepNumbers

NO_VECTORS = """\
#if defined(__GNUC__) && !defined(__clang__)
/* At -O3, gcc 11 and 12 take numbers that lie a few places apart from wrong places. */
#pragma GCC optimize("no-tree-vectorize")
#endif"""


@dataclass
class Network:
    """All that is printed.

    Attributes:
        name: of the network.
        functions: in the order in which they stand in the files.
        memory: what they work on.
        numbers: what the optimizer is given at each step; None without training.
        example: what the program in C runs on.
    """

    name: str
    functions: list[FunctionPrinter]
    memory: Memory
    numbers: StepNumbers | None
    example: Example

    def files(self) -> dict[str, str]:
        """The text of each file, by its name."""
        example = ExampleText(self.name, self.functions, self.numbers, self.example)
        parts = {
            "_weights.h": ("the weights", self._guarded("weights", self._weights())),
            "_example.h": ("an example", self._guarded("example", example.arrays())),
            ".h": (
                "a network in C99, without a library, a heap or a global variable",
                self._guarded("", self._header()),
            ),
            ".c": ("the functions", self._source()),
            "_main.c": ("a program that runs the functions on the example", example.main()),
        }
        return {
            self.name + end: "\n".join([self._top(what), *text, ""])
            for end, (what, text) in parts.items()
        }

    @property
    def _formulas(self) -> StepNumbers | None:
        """The numbers, if C can compute them."""
        numbers = self.numbers
        return numbers if numbers and numbers.members and numbers.has_formulas else None

    def _top(self, what: str) -> str:
        return f"/* {self.name}: {what}. Written by graphnet {__version__}. */"

    def _guarded(self, what: str, lines: Iterator[str]) -> Iterator[str]:
        guard = f"{self.name.upper()}{'_' * bool(what)}{what.upper()}_H"
        yield from (f"#ifndef {guard}", f"#define {guard}", "", *lines, "", "#endif")

    # the header

    def _header(self) -> Iterator[str]:
        yield from ("#include <stdbool.h>", "#include <stdint.h>", "")
        yield from ("#ifdef __cplusplus", 'extern "C" {', "#endif")
        yield from self._structs()
        for function in self.functions:
            yield ""
            yield from _described(function)
            yield f"{function.head()};"
        if self._formulas is not None:
            yield ""
            yield "/* What the optimizer is given in a step, the first of which is 1. */"
            yield f"{self._numbers_head(self._formulas)};"
        yield from ("", "#ifdef __cplusplus", "}", "#endif")

    def _structs(self) -> Iterator[str]:
        if self.memory.state:
            what = "What training changes" if self.numbers is not None else "The weights"
            given = f"{self.name}_{'trained' if self.numbers is None else 'start'}"
            yield from ("", f"/* {what}: see {given} in {self.name}_weights.h. */")
            yield f"struct {self.name}_state {{"
            for array in self.memory.state:
                yield from (f"  {line}" for line in _closed(array.remark()))
                yield f"  {array.type} {array.name}[{array.count}];"
            yield "};"
        if self.memory.scratch:
            yield from ("", "/* What is needed during a call only: its content may be anything. */")
            yield f"struct {self.name}_scratch {{"
            for dtype, count in self.memory.scratch.items():
                yield f"  {TYPES[dtype]} {scratch_member(dtype)}[{count}];"
            yield "};"
        if self.numbers is not None and self.numbers.members:
            yield from self._struct_of_numbers(self.numbers)

    def _struct_of_numbers(self, numbers: StepNumbers) -> Iterator[str]:
        kind = type(numbers.optimizer).__name__
        yield from ("", f"/* What {kind} is given anew in each step. */")
        yield f"struct {self.name}_numbers {{"
        for member in numbers.members:
            yield f"  {member.type} {member.name}; /* {member.remark} */"
        yield from ("};", "")
        for rate in numbers.rates.values():
            define, value = f"{self.name}_{rate.name}".upper(), number(rate.value, rate.dtype)
            yield f"#define {define} {value} /* the learning rate in Python */"

    def _numbers_head(self, numbers: StepNumbers) -> str:
        made = f"{self.name}_numbers"
        return f"struct {made} {made}_of_step({numbers.parameters()})"

    # the source

    def _source(self) -> Iterator[str]:
        bodies = [list(each.text()) for each in self.functions]
        code = "\n".join(line for body in bodies for line in body)
        yield f'#include "{self.name}.h"'
        if self.memory.fixed:
            yield f'#include "{self.name}_weights.h"'
        yield from NO_VECTORS.splitlines()
        # Loops count by int, which may have 16 bits on the smallest processors.
        yield f"typedef char {self.name}_int_has_32_bits[sizeof(int) >= 4 ? 1 : -1];"
        yield from ("", *self.functions[-1].prelude(code))
        if self._formulas is not None:
            yield from (
                "",
                f"{self._numbers_head(self._formulas)} {{",
                f"  struct {self.name}_numbers numbers;",
            )
            yield from (f"  {line}" for line in self._formulas.body())
            yield from ("  return numbers;", "}")
        for body in bodies:
            yield from ("", *body)

    # the weights

    def _weights(self) -> Iterator[str]:
        yield from (f'#include "{self.name}.h"', "#include <math.h>", "#include <string.h>")
        for array in self.memory.fixed:
            yield from ("", *_closed(array.remark()))
            yield f"static const {array.type} {self.name}_{array.name}[{array.count}] = {{"
            yield from (*initializer(array.values(), array.memory.dtype), "};")
        if self.memory.state:
            yield from ("", *(self._trained() if self.numbers is None else self._start()))

    def _trained(self) -> Iterator[str]:
        """The weights as a struct, which is passed as it is."""
        yield f"static const struct {self.name}_state {self.name}_trained = {{"
        yield from (line for array in self.memory.state for line in self._member(array))
        yield "};"

    def _start(self) -> Iterator[str]:
        """A function that begins a training; what begins with zeros takes no flash."""
        arrays = [each for each in self.memory.state if not each.starts_with_zeros]
        yield "/* Begin a training. */"
        yield f"static inline void {self.name}_start(struct {self.name}_state *state) {{"
        for array in arrays:
            yield f"  static const {array.type} {array.name}[{array.count}] = {{"
            yield from (*initializer(array.values(), array.memory.dtype, "    "), "  };")
        yield "  memset(state, 0, sizeof *state);"
        for array in arrays:
            yield f"  memcpy(state->{array.name}, {array.name}, sizeof {array.name});"
        yield "}"

    @staticmethod
    def _member(array: Array) -> Iterator[str]:
        yield f"  .{array.name} = {{"
        yield from initializer(array.values(), array.memory.dtype, "    ")
        yield "  },"


def _described(function: FunctionPrinter) -> Iterator[str]:
    """The comment above a function."""
    what = {
        "predict": "Predict, in evaluation mode",
        "step": "Make one training step: compute the loss, and update the state",
    }[function.function.verb]
    yield f"/* {what}. Arrays must not overlap."
    yield from (f" *   {each.remark()}" for each in function.arguments)
    checks = function.function.checks
    yield " * Returns 0" + (", or without changing the state:" if checks else ".")
    yield from (f" *   {place}: {plain(each)}" for place, each in enumerate(checks, 1))
    yield " */"


def _closed(remark: list[str]) -> list[str]:
    """The lines of a comment, with its end."""
    return [*remark[:-1], f"{remark[-1]} */"]
