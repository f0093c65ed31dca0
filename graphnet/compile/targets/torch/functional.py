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
from graphnet.compile.plan.calls import Call
from graphnet.compile.plan.placement import Cells
from graphnet.compile.plan.slots import Slot, new_slot
from graphnet.compile.run.runner import Runner
from graphnet.compile.targets.torch.assemble import passed
from graphnet.compile.targets.torch.execution import NotFinite, function_of
from graphnet.compile.targets.torch.line_times import timed_lines
from graphnet.compile.targets.torch.printer import Printer
from graphnet.compile.targets.torch.select import rule_call
from graphnet.graph import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from graphnet.graph import Node

Function = Callable[..., tuple["Tensor", ...]]


class Functional:
    """The calls of a program in which every operation runs its own rule.

    Attributes:
        slots: a slot for each node, all of them made anew; those of cells stay.
        printer: the lines.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        cells, calls = Cells(), list[Call]()
        self.slots: dict[Node, Slot] = {}
        wanted: dict[Slot, str | tuple[Slot, str]] = {}
        for node in program:
            shape = cast("tuple[int, ...]", node.shape)
            is_cell = isinstance(node, Cell)
            slot = cells.slot(node.top) if is_cell else new_slot(shape, node.dtype, made=True)
            self.slots[node] = slot
            wanted.setdefault(slot, node.name)
        self.printer = Printer(wanted)
        for node in program:
            if isinstance(node, Operation):
                calls.append(rule_call(node, self.slots, self.slots[node]))
            elif isinstance(node, Cell):
                self.printer.name(self.slots[node])
            else:
                self.printer.variable(self.slots[node])
        self.printer.print(calls)

    def named(self, nodes: Iterable[Node]) -> list[str]:
        """The names of nodes."""
        return [self.printer.name(self.slots[node]) for node in nodes]

    def known(self) -> dict[str, Any]:
        """What the names stand for that are not arguments."""
        tensors = {slot: node.top for node, slot in self.slots.items() if isinstance(node, Cell)}
        return {
            name: tensors[each] if isinstance(each, Slot) else each
            for name, each in self.printer.names.known.items()
        }


def functional(program: Program, example: Mapping[str, Tensor], backend: str) -> Runner:
    """A runnable program that goes through a backend.

    Raises:
        GraphError: the backend is unknown, or cannot run the program.
    """
    device = next(each.device for each in example.values())
    written = Functional(program)
    inputs, numbers = passed(program)
    names = written.named((*inputs, *numbers))
    outputs, known = written.named(program.wanted), written.known()
    lines = [*(line.text for line in written.printer.lines), f"return {', '.join(outputs)},"]
    function, source = function_of(lines, names, known)
    run = BACKENDS[backend](cast("Function", function))
    return Runner(
        program=program,
        source=source,
        function=_step(program, run, device),
        fed=[node.name for node in inputs],
        numbers=numbers,
        expected=[(n.name, example[n.name].shape, n.dtype, example[n.name].device) for n in inputs],
        memory=0,
        profiled=timed_lines(written.printer.lines, known, names),
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
