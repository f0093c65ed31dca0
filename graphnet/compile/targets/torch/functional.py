"""A program as a pure function, to be compiled or captured further.

Every operation runs its own rule, and nothing is written: the function returns the new value of
each cell, and these are copied into place once the loss is known to be finite.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.ir.program import Cell, Program
from graphnet.compile.plan.placement import Cells
from graphnet.compile.plan.slots import Slot, new_slot
from graphnet.compile.run.runner import Runner, passed
from graphnet.compile.targets.torch.execution import NotFinite
from graphnet.compile.targets.torch.printer import Printer
from graphnet.compile.targets.torch.select import rule_call
from graphnet.graph import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from graphnet.graph import Node

Function = Callable[..., tuple["Tensor", ...]]


def functional(program: Program, example: Mapping[str, Tensor], backend: str) -> Runner:
    """A runnable program that goes through a backend.

    Raises:
        GraphError: the backend is unknown, or cannot run the program.
    """
    device = next(each.device for each in example.values())
    slots, printer = _printed(program)
    inputs, numbers = passed(program)
    arguments = [slots[node] for node in (*inputs, *numbers)]
    printer.finish(arguments, [slots[node] for node in program.wanted])
    tensors = {slot: node.top for node, slot in slots.items() if isinstance(node, Cell)}
    names = printer.bound(tensors.__getitem__)
    function, source = printer.function(names)
    run = BACKENDS[backend](cast("Function", function))
    return Runner.of(
        program,
        example,
        source=source,
        function=_step(program, run, device),
        memory=0,
        profiled=partial(printer.timed, names),
    )


def _printed(program: Program) -> tuple[dict[Node, Slot], Printer]:
    """The slot of each node, all made anew except those of cells; and a line for each operation."""
    cells = Cells()
    slots = {
        node: cells.slot(node.top)
        if isinstance(node, Cell)
        else new_slot(cast("tuple[int, ...]", node.shape), node.dtype, made=True)
        for node in program
    }
    wanted: dict[Slot, str | tuple[Slot, str]] = {}
    for node, slot in slots.items():
        wanted.setdefault(slot, node.name)
    printer = Printer(wanted)
    for node, slot in slots.items():
        if isinstance(node, Cell):
            printer.name(slot)
        elif not isinstance(node, Operation):
            printer.variable(slot)
    operations = (node for node in program if isinstance(node, Operation))
    printer.print([rule_call(node, slots, slots[node]) for node in operations])
    return slots, printer


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
    "eager": lambda function: function,
    "inductor": inductor,
    "cudagraph": cuda_graph,
}
"""The backends that can run the function, by name."""
