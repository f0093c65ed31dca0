"""A program as a pure function, to be compiled or captured further.

Every operation runs its own rule, and nothing is written: the function returns the new value of
each cell, and these are copied into place once the loss is known to be finite.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.ir.program import Cell, Program
from graphnet.compile.run.runner import Runner
from graphnet.compile.targets.torch.assemble import passed
from graphnet.compile.targets.torch.execution import function_of
from graphnet.compile.targets.torch.lines import Line, NotFinite, Writing
from graphnet.graph import Input, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

Function = Callable[..., tuple["Tensor", ...]]


class Functional(Writing):
    """The lines of a program in which every operation runs its own rule."""

    def __init__(self, program: Program, device: torch.device) -> None:
        super().__init__(device)
        self.program = program
        for node in program:
            if isinstance(node, Cell):
                self.names[node] = self.words.constant(node.top, node.name)
            elif isinstance(node, Input):
                self.names[node] = self.words.new(node.name)
            else:
                self._line(cast("Operation", node))

    def _line(self, node: Operation) -> None:
        arguments = [self.argument(source) for source in node.sources]
        name = self.name(node)
        self.write(node, f"{name} = {self.rule(node)}({', '.join(arguments)})")

    def outputs(self) -> list[str]:
        """The names of all that the function returns."""
        return [self.names[node] for node in self.program.wanted]


def functional(program: Program, example: Mapping[str, Tensor], backend: str) -> Runner:
    """A runnable program that goes through a backend.

    Raises:
        GraphError: the backend is unknown, or cannot run the program.
    """
    device = next(each.device for each in example.values())
    writing = Functional(program, device)
    inputs, numbers = passed(program)
    names = [writing.names[node] for node in (*inputs, *numbers)]
    lines = [*(line.text for line in writing.lines), f"return {', '.join(writing.outputs())},"]
    function, source = function_of(lines, names, writing.words.known)
    run = BACKENDS[backend](cast("Function", function))
    return Runner(
        program=program,
        source=source,
        function=_step(program, run, device),
        fed=[node.name for node in inputs],
        numbers=numbers,
        expected=[(n.name, example[n.name].shape, n.dtype, example[n.name].device) for n in inputs],
        lines=[Line(f"{backend}", node) for node in program.results],
        arguments=names,
        names=writing.words.known,
        memory=0,
    )


def _step(program: Program, run: Function, device: torch.device) -> Function:
    """The whole step: run the function, check what must be finite, then write."""
    checked, cells = program.finite, list(program.writes)
    first = len(program.results)

    def step(*arguments: Any) -> tuple[Tensor, ...]:
        # A number that changes is a tensor here; else each new value would be compiled anew.
        given = [
            torch.tensor(each, dtype=torch.float64, device=device)
            if isinstance(each, float)
            else each
            for each in arguments
        ]
        outputs = run(*given)
        for node, value in zip(checked, outputs[first:], strict=False):
            if not isfinite(value.item()):
                raise NotFinite(node.name)
        for cell, value in zip(cells, outputs[first + len(checked) :], strict=True):
            cell.top.copy_(value)
        return outputs[:first]

    return step


def eager(function: Function) -> Function:
    """The function as it is."""
    return function


def inductor(function: Function) -> Function:
    """The function through `torch.compile`, which writes C++ for it."""
    compiled: Function = torch.compile(function, dynamic=False)
    return compiled


def cuda_graph(function: Function) -> Function:
    """The function as a graph of CUDA kernels, captured at the first call and replayed."""
    captured: list[Any] = []

    def run(*arguments: Tensor) -> tuple[Tensor, ...]:
        if not captured:
            captured.extend(_capture(function, arguments))
        graph, inputs, outputs = captured
        for place, argument in zip(inputs, arguments, strict=True):
            place.copy_(argument)
        graph.replay()
        result: tuple[Tensor, ...] = outputs
        return result

    return run


def _capture(function: Function, arguments: tuple[Tensor, ...]) -> tuple[Any, Any, Any]:
    """A graph of the kernels of one call, the memory of its inputs, and that of its outputs."""
    inputs = [each.clone() for each in arguments]
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):  # libraries allocate their memory in the first calls
            function(*inputs)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = function(*inputs)
    return graph, inputs, outputs


BACKENDS: dict[str, Callable[[Function], Function]] = {
    "eager": eager,
    "inductor": inductor,
    "cudagraph": cuda_graph,
}
"""The backends that can run the function, by name."""
