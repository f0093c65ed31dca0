"""Assembly: a program written in lines, in the layout that is fastest here, and compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from graphnet.compile.ir.program import Number, is_foreign
from graphnet.compile.run.runner import Runner
from graphnet.compile.targets.torch.convolution import has_images, kernels_of, usual_layout
from graphnet.compile.targets.torch.execution import function_of
from graphnet.compile.targets.torch.memory_format import ORDERS, Layout, Order
from graphnet.compile.targets.torch.printer import Emission
from graphnet.compile.targets.torch.tuning import Tuner
from graphnet.errors import counted, shape_text
from graphnet.graph import Operation

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Program
    from graphnet.graph import Input


def assembled(program: Program, example: Mapping[str, Tensor], tune: bool) -> Runner:
    """A runnable program, for tensors like those of the example.

    Without measuring, convolutions of small windows or small images are products of matrices, and
    the others use torch's kernel; if all are products, the batch is last in memory. To measure, the
    program is written in several layouts, each different in one point from the best so far, and
    the faster one is kept.
    """
    tuner, chosen = Tuner(tune), usual_layout(program)
    best = _written(program, example, tuner, chosen)
    if not tune or not has_images(program) or _is_told_apart(program):
        return best
    question = tuple((node.name, node.shape, node.dtype) for node in program)
    changes: list[Order | str] = [*ORDERS, *kernels_of(program)]
    for change in changes:
        other = chosen.changed(change)
        if other == chosen:
            continue
        runner = _written(program, example, tuner, other)
        ways = [[line.text for line in each.lines] for each in (best, runner)]
        names = [each.samples(example) for each in (best, runner)]
        if tuner.fastest_program((question, chosen, other), ways, names):
            best, chosen = runner, other
    return best


def _is_told_apart(program: Program) -> bool:
    """True if an operation of a user may depend on how often it runs, so that none is tried."""
    ops = (node.op for node in program if isinstance(node, Operation))
    return any(is_foreign(op) and not op.pure for op in ops)


def _written(
    program: Program, example: Mapping[str, Tensor], tuner: Tuner, layout: Layout
) -> Runner:
    """A program as lines."""
    with torch.inference_mode():
        emission = Emission(program, tuner, layout)
        emission.run()
    inputs, numbers = passed(program)
    names = [emission.names[node] for node in (*inputs, *numbers)]
    results = ", ".join(emission.names[node] for node in program.results)
    lines = [*(line.text for line in emission.lines), f"return {results},"]
    function, source = function_of(lines, names, emission.words.known)
    return Runner(
        program=program,
        source=_header(emission) + source,
        function=function,
        fed=[node.name for node in inputs],
        numbers=numbers,
        expected=[(n.name, example[n.name].shape, n.dtype, example[n.name].device) for n in inputs],
        lines=emission.lines,
        arguments=names,
        names=emission.words.known,
        memory=emission.arena.bytes,
    )


def passed(program: Program) -> tuple[list[Input], list[Number]]:
    """The arguments of the function: fed tensors, then numbers."""
    numbers = [node for node in program.inputs if isinstance(node, Number)]
    return [node for node in program.inputs if not isinstance(node, Number)], numbers


def _header(emission: Emission) -> str:
    """The tensors that exist before a step, as comments."""
    tensors = [
        f"# {name}: {shape_text(tuple(value.shape))}"
        for name, value in emission.words.known.items()
        if isinstance(value, torch.Tensor)
    ]
    return "\n".join([f"# {counted(emission.arena.bytes, 'byte')} of buffers", *tensors, "", ""])
