"""A runnable program: its compiled source, and what it was made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from graphnet.compile.emission import Emission
from graphnet.compile.execution import function_of
from graphnet.compile.images import has_images, kernels_of, usual_layout
from graphnet.compile.layout import ORDERS, Layout, Order
from graphnet.compile.program import Number, is_foreign, is_pure
from graphnet.compile.tuning import Tuner
from graphnet.errors import counted, shape_text
from graphnet.graph import Operation

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.program import Program
    from graphnet.compile.writing import Line
    from graphnet.graph import Input


@dataclass
class Runner:
    """A program in the form of a Python function.

    Attributes:
        program: the list of nodes.
        source: the text of the function, and of what it works on.
        function: the function itself; it takes the fed tensors, then the numbers.
        fed: the names of the fed tensors, in the order of the arguments.
        numbers: the numbers, which follow.
        expected: the name, shape, dtype and device of each fed tensor.
        lines: the text line by line, each with the node that it computes.
        arguments: the names of the arguments in the text.
        names: what the other names in the text stand for.
        memory: the bytes of its buffers.
        cells: the memory that it reads and writes, which must not have moved.
    """

    program: Program
    source: str
    function: Callable[..., Any]
    fed: list[str]
    numbers: list[Number]
    expected: list[tuple[str, Any, Any, Any]]
    lines: list[Line]
    arguments: list[str]
    names: dict[str, Any]
    memory: int

    def samples(self, fed: Mapping[str, Tensor]) -> dict[str, Any]:
        """What the lines work on, with tensors like those to be fed."""
        given = [*(fed[name] for name in self.fed), *(0.0 for _ in self.numbers)]
        return {**self.names, **dict(zip(self.arguments, given, strict=True))}

    def takes(self, fed: Mapping[str, Any]) -> bool:
        """True if the program is for tensors like these."""
        if len(fed) != len(self.expected):
            return False
        try:
            for name, shape, dtype, device in self.expected:
                tensor = fed[name]
                if tensor.shape != shape or tensor.dtype is not dtype or tensor.device != device:
                    return False
        except (KeyError, AttributeError):
            return False
        return True


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
    return any(is_foreign(op) and not is_pure(op) for op in ops)


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
