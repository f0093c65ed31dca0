"""Assembly: a program selected, placed and printed, in the format that is fastest here.

Three phases, each for the whole program: `select` chooses a kernel for each node (here the tuner
measures), `place` gives every value its memory, `printer` writes the lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from graphnet.compile.ir.program import is_foreign
from graphnet.compile.plan.slots import Slot
from graphnet.compile.run.runner import Runner, passed
from graphnet.compile.targets.torch.allocate import Memory, Placed, bound, place
from graphnet.compile.targets.torch.convolution import has_images, kernels_of, usual_format
from graphnet.compile.targets.torch.execution import function_of
from graphnet.compile.targets.torch.line_times import timed_lines
from graphnet.compile.targets.torch.memory_format import ORDERS, MemoryFormat, Order
from graphnet.compile.targets.torch.printer import Printer
from graphnet.compile.targets.torch.select import Selection
from graphnet.compile.targets.torch.tuning import Trial, Tuner, copied, ordinary
from graphnet.errors import counted, shape_text
from graphnet.graph import Input, Operation

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Program


@dataclass
class Printed:
    """A program in text, before it has memory.

    Attributes:
        placed: its calls, and where their values lie.
        printer: its lines, and the names in them.
        arguments: the names of what it is given.
        results: the text of what it returns.
    """

    placed: Placed
    printer: Printer
    arguments: list[str]
    results: str

    def function(self, known: dict[str, Any]) -> tuple[Any, str]:
        """The program as a function, given what its names stand for; and its source."""
        lines = [*(line.text for line in self.printer.lines), f"return {self.results},"]
        return function_of(lines, self.arguments, known)


def assembled(program: Program, example: Mapping[str, Tensor], tune: bool) -> Runner:
    """A runnable program, for tensors like those of the example.

    Without measuring, convolutions of small windows or small images are products of matrices, and
    the others use torch's kernel; if all are products, the batch is last in memory. To measure, the
    program is made in several formats, each different in one point from the best so far, and
    the faster one is kept.
    """
    with torch.inference_mode():
        return _runner(program, example, _fastest(program, example, tune))


def _fastest(program: Program, example: Mapping[str, Tensor], tune: bool) -> Printed:
    tuner, chosen = Tuner(tune), usual_format(program)
    best = _printed(program, tuner, chosen)
    if not tune or not has_images(program) or _depends_on_runs(program):
        return best
    question = tuple((node.name, node.shape, node.dtype) for node in program)
    changes: list[Order | str] = [*ORDERS, *kernels_of(program)]
    for change in changes:
        other = chosen.changed(change)
        if other == chosen:
            continue
        printed = _printed(program, tuner, other)
        trials = [partial(_trial, program, each, example) for each in (best, printed)]
        if tuner.fastest_program((question, chosen, other), trials):
            best, chosen = printed, other
    return best


def _depends_on_runs(program: Program) -> bool:
    """True if an operation of a user may depend on how often it runs, so that none is tried."""
    ops = (node.op for node in program if isinstance(node, Operation))
    return any(is_foreign(op) and not op.pure for op in ops)


def _printed(program: Program, tuner: Tuner, format: MemoryFormat) -> Printed:
    """A program in text: selected, placed, printed."""
    selection = Selection(program, tuner, format)
    selection.run()
    placed = place(selection)
    printer = Printer(placed.wanted)
    used = {slot for call in placed.calls for slot in call.slots()}
    for node in program:  # what the list begins with has the first choice of names
        if isinstance(node, Input):
            printer.variable(selection.slots[node])
        elif not isinstance(node, Operation) and selection.slots[node] in used:
            printer.name(selection.slots[node])
    printer.print(placed.calls)
    inputs, numbers = passed(program)
    arguments = [printer.variable(selection.slots[node]) for node in (*inputs, *numbers)]
    results = ", ".join(printer.name(placed.slots[node]) for node in program.results)
    return Printed(placed, printer, arguments, results)


def _runner(program: Program, example: Mapping[str, Tensor], printed: Printed) -> Runner:
    """A program in text, with memory to run in."""
    names = bound(printed.printer.names.known, Memory(printed.placed).tensor)
    function, source = printed.function(names)
    return Runner.of(
        program,
        example,
        source=_header(printed) + source,
        function=function,
        memory=printed.placed.nbytes,
        profiled=timed_lines(printed.printer.lines, names, printed.arguments),
    )


def _trial(program: Program, printed: Printed, example: Mapping[str, Tensor]) -> Trial:
    """A program as a function that leaves parameters and state alone."""
    memory = Memory(printed.placed, copied)
    function, _ = printed.function(bound(printed.printer.names.known, memory.tensor))
    inputs, numbers = passed(program)
    fed = [ordinary(example[node.name].clone()) for node in inputs]
    return partial(function, *fed, *(0.0 for _ in numbers))


def _header(printed: Printed) -> str:
    """The tensors that exist before a step, as comments."""
    tensors = [
        f"# {name}: {shape_text(tuple(value.shape))}"
        for name, value in printed.printer.names.known.items()
        if isinstance(value, Slot | torch.Tensor)
    ]
    return "\n".join([f"# {counted(printed.placed.nbytes, 'byte')} of buffers", *tensors, "", ""])
