"""Assembly: a program selected, placed and printed, in the format that is fastest here.

Three phases, each for the whole program: `select` chooses a kernel for each node (here the tuner
measures), `place` gives every value its memory, `printer` writes the lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import torch

from graphnet.compile.ir.program import is_foreign
from graphnet.compile.plan.slots import Slot
from graphnet.compile.run.runner import Runner, passed
from graphnet.compile.targets.torch.allocate import Memory, Placed, place
from graphnet.compile.targets.torch.convolution import has_images, kernels_of, usual_format
from graphnet.compile.targets.torch.memory_format import ORDERS, MemoryFormat, Order
from graphnet.compile.targets.torch.select import Selection
from graphnet.compile.targets.torch.tuning import Trial, Tuner, copied, ordinary
from graphnet.errors import counted, shape_text
from graphnet.graph import Input, Operation
from graphnet.ops.processes import SumAcross

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Program


def assembled(program: Program, example: Mapping[str, Tensor], tune: bool) -> Runner:
    """A runnable program, for tensors like those of the example.

    Without measuring, convolutions of small windows, small images or single pixels are products of
    matrices, and the others use torch's kernel; if all are small, the batch is last in memory. To
    measure, the program is made in several formats, each different in one point from the best so
    far, and the faster one is kept.
    """
    with torch.inference_mode():
        placed = _fastest(program, example, tune)
        printer = placed.printer
        names = printer.bound(Memory(placed).tensor)
        function, source = printer.function(names)
        return Runner.of(
            program,
            example,
            source=_header(placed) + source,
            function=function,
            memory=placed.nbytes,
            profiled=partial(printer.timed, names),
        )


def _fastest(program: Program, example: Mapping[str, Tensor], tune: bool) -> Placed:
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
    """True if an operation may depend on how often it runs, so that none is tried.

    One of a user may count; a sum over processes waits for the others.
    """
    ops = (node.op for node in program if isinstance(node, Operation))
    return any((is_foreign(op) and not op.pure) or isinstance(op, SumAcross) for op in ops)


def _printed(program: Program, tuner: Tuner, format: MemoryFormat) -> Placed:
    """A program in text: selected, placed, printed."""
    selection = Selection(program, tuner, format)
    selection.run()
    placed = place(selection)
    printer = placed.printer
    used = {slot for call in placed.calls for slot in call.slots()}
    for node in program:  # what the list begins with has the first choice of names
        if isinstance(node, Input):
            printer.variable(selection.slots[node])
        elif not isinstance(node, Operation) and selection.slots[node] in used:
            printer.name(selection.slots[node])
    printer.print(placed.calls)
    inputs, numbers = passed(program)
    arguments = [selection.slots[node] for node in (*inputs, *numbers)]
    printer.finish(arguments, [placed.slots[node] for node in program.results])
    return placed


def _trial(program: Program, placed: Placed, example: Mapping[str, Tensor]) -> Trial:
    """A program as a function that leaves parameters and state alone."""
    names = placed.printer.bound(Memory(placed, copied).tensor)
    function, _ = placed.printer.function(names)
    inputs, numbers = passed(program)
    fed = [ordinary(example[node.name].clone()) for node in inputs]
    return partial(function, *fed, *(0.0 for _ in numbers))


def _header(placed: Placed) -> str:
    """The tensors that exist before a step, as comments."""
    tensors = [
        f"# {name}: {shape_text(tuple(value.shape))}"
        for name, value in placed.printer.names.known.items()
        if isinstance(value, Slot | torch.Tensor)
    ]
    return "\n".join([f"# {counted(placed.nbytes, 'byte')} of buffers", *tensors, "", ""])
