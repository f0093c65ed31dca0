"""Assembly: a program lowered, printed as C, compiled, and bound to the memory it works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.lower.joining import joined
from graphnet.compile.lower.lowering import lowered
from graphnet.compile.lower.scalars import NotLowered
from graphnet.compile.passes import NATIVE_PASSES
from graphnet.compile.run.runner import Expected, Like, Refused, Runner, best_times
from graphnet.compile.targets.c.masks import Draw, masks_of_steps
from graphnet.compile.targets.c.printer import Printed, printed
from graphnet.compile.targets.c.toolchain import Build, begin
from graphnet.compile.targets.torch.execution import NotFinite
from graphnet.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Program
    from graphnet.compile.plan.slots import Slot
    from graphnet.compile.run.batches import Batches
    from graphnet.graph import Node

PER_CYCLE = 1 / 3e9
"""Seconds, for an estimate."""
ALIGNED = 64
"""What the address of the memory is a multiple of: vectors are read in one piece."""


class NativeProgram:
    """A program in C, to be compiled.

    Args:
        built: the list before the first pass.
        program: the list, after all passes.
        example: tensors like those that will be fed.

    Raises:
        NotLowered: something in the program has no form in C.
    """

    def __init__(self, built: Program, program: Program, example: Mapping[str, Like]) -> None:
        if any(each.device.type != "cpu" for each in example.values()):
            raise NotLowered("a device other than the processor")
        self.built, self.program, self.example = built, program, example
        self.printed = printed(joined(lowered(program)), vector_lanes())
        self._build: Build | None = None

    def start(self) -> Build:
        """Start the compiler, without waiting for it."""
        if self._build is None:
            self._build = begin(self.printed.source)
        return self._build

    def runner(self) -> Runner:
        """The program as a function; waits for the compiler.

        Raises:
            NativeUnavailable: it could not be compiled.
        """
        function = _Function(self.program, self.printed, self.start().library())
        runner = Runner.of(
            self.program,
            self.example,
            source=self.printed.source,
            function=function,
            memory=self.printed.scratch,
            profiled=self._profiled,
        )
        runner.built, runner.passes = self.built, NATIVE_PASSES
        runner.is_native, runner.seconds = True, self.printed.lowered.work * PER_CYCLE
        runner.many = function.many if function.has_loss else None
        if function.is_plain:
            runner.again = function.repeater(runner.expected)
        return runner

    def _profiled(self, arguments: Sequence[Any], runs: int) -> list[tuple[str, str, float]]:
        """The microseconds of each node, measured between the parts of the program."""
        import ctypes

        timed = printed(self.printed.lowered, vector_lanes(), timed=True)
        function = _Function(self.program, timed, begin(timed.source).library())
        seconds = (ctypes.c_double * max(len(timed.nodes), 1))()
        function.arguments = (*function.arguments, seconds)
        best = best_times(lambda: function(*arguments), seconds, runs)
        return [
            (
                "; ".join(map(_first_line, nodes)),
                ", ".join(each.name for each in nodes),
                spent * 1e6,
            )
            for nodes, spent in zip(timed.nodes, best, strict=False)
        ]


def _first_line(node: Node) -> str:
    op = getattr(node, "op", None)
    return "" if op is None else f"{op.name}({', '.join(each.name for each in node.inputs)})"


def vector_lanes() -> int:
    """How many numbers of float a vector of this processor holds."""
    known = {"AVX512": 16, "AVX2": 8}
    return known.get(torch.backends.cpu.get_cpu_capability(), 4)


class _Function:
    """A compiled program with its memory; takes the fed tensors, then the numbers."""

    def __init__(self, program: Program, printed: Printed, library: Any) -> None:
        import ctypes

        low = printed.lowered
        self._library, self._printed, self._low = library, printed, low
        self._step = library.graphnet_step
        self._step.restype = ctypes.c_int64
        passed = (*low.inputs.values(), *low.drawn.values())
        self._passed = {slot.buffer: place for place, slot in enumerate(passed)}
        self.has_loss = printed.has_loss and not any(s.buffer in self._passed for s in low.results)
        if self.has_loss:
            self._many = library.graphnet_many
            self._many.restype = ctypes.c_int64
        self._kept = [buffer.memory for buffer in printed.cells]
        addresses = [each.untyped_storage().data_ptr() for each in self._kept]
        self._cells = (ctypes.c_void_p * max(len(addresses), 1))(*addresses)
        self._count = len(low.inputs)
        self._draws = [Draw(node, slot) for node, slot in low.drawn.items()]
        self._fed = (ctypes.c_void_p * max(self._count + len(self._draws), 1))()
        self._numbers = (ctypes.c_double * max(len(low.numbers), 1))()
        self._memory = torch.empty(printed.scratch + ALIGNED, dtype=torch.uint8)
        self._skip = -self._memory.data_ptr() % ALIGNED
        scratch = ctypes.c_void_p(self._memory.data_ptr() + self._skip)
        self.arguments: tuple[Any, ...] = (self._cells, self._fed, self._numbers, scratch)
        self._results = [self._result(slot) for slot in low.results]
        self._loss: Any = self._results[0] if self._results else None
        self._names = [node.name for node in low.inputs]
        finite = set(program.finite)
        self._checks = [(each.node.name, each.node in finite) for each in low.checks]

    def _result(self, slot: Slot) -> Tensor | Slot:
        """The tensor in which a result lies; the slot itself in a tensor that is passed."""
        if slot.buffer.memory is not None:
            memory: Tensor = slot.buffer.memory
            return memory.as_strided(slot.shape, slot.strides, slot.offset)
        if slot.buffer in self._passed:
            return slot
        size = slot.dtype.itemsize
        start = self._skip + self._printed.starts.get(slot.buffer, 0)
        whole = self._memory[start : start + (len(self._memory) - start) // size * size]
        first = whole.storage_offset() // size
        return whole.view(slot.dtype).as_strided(slot.shape, slot.strides, first + slot.offset)

    def __call__(self, *arguments: Any) -> Sequence[Tensor]:
        """Make one step, or one prediction."""
        count, fed, passed = self._count, self._fed, []
        for place in range(count):
            tensor = arguments[place].contiguous()
            passed.append(tensor)
            fed[place] = tensor.data_ptr()
        for place, draw in enumerate(self._draws):
            mask = draw()
            passed.append(mask)
            fed[count + place] = mask.data_ptr()
        for place in range(count, len(arguments)):
            self._numbers[place - count] = arguments[place]
        code = self._step(*self.arguments)
        if code:
            name, is_finite = self._checks[code - 1]
            raise NotFinite(name) if is_finite else Refused(name)
        return [
            each
            if isinstance(each, torch.Tensor)
            else _seen(passed[self._passed[each.buffer]], each)
            for each in self._results
        ]

    @property
    def is_plain(self) -> bool:
        """True if a call needs nothing but tensors, and returns a loss."""
        return self.has_loss and not self._draws and len(self._results) == 1

    def repeater(self, expected: Sequence[Expected]) -> Callable[[Mapping[str, Any]], Any]:
        """What makes one step with the numbers of the last one, and returns the loss.

        It returns None if the tensors are not as expected, or a check ends the step. It is called
        thousands of times a second, so all that it needs is a local variable.
        """
        known = {each.name: each for each in expected}
        places = [(place, *known[name]) for place, name in enumerate(self._names)]
        step, fed, arguments, result = self._step, self._fed, self.arguments, self._loss

        def again(given: Mapping[str, Any]) -> Tensor | None:
            if len(given) != len(places):
                return None
            copies = []
            try:
                for place, name, shape, dtype, device in places:
                    tensor = given[name]
                    if (
                        tensor.shape != shape
                        or tensor.dtype is not dtype
                        or tensor.device != device
                    ):
                        return None
                    if not tensor.is_contiguous():
                        tensor = tensor.contiguous()
                        copies.append(tensor)
                    fed[place] = tensor.data_ptr()
            except (KeyError, AttributeError):
                return None
            return None if step(*arguments) else result.clone()

        return again

    def many(
        self, batches: Batches, first: int, numbers: Sequence[float], losses: Tensor
    ) -> tuple[int, list[Tensor]]:
        """Make several steps, without Python in between; see `Several`."""
        import ctypes

        steps = len(losses)
        data = [batches.fed[node.name].contiguous() for node in self._low.inputs]
        order, size = batches.order, batches.size
        rows = None
        if order is not None and size is not None:
            rows = order[first * size : (first + steps) * size].contiguous()
        addresses = [
            each.data_ptr() + (0 if rows is not None else first * self._bytes_of_step(slot))
            for each, slot in zip(data, self._low.inputs.values(), strict=True)
        ]
        drawn_from = {draw.generator for draw in self._draws}
        before = Snapshot(generators=drawn_from)
        masks = masks_of_steps(self._draws, steps)
        addresses += [each.data_ptr() for each in masks]
        made = self._many(
            self._cells,
            (ctypes.c_void_p * max(len(addresses), 1))(*addresses),
            None if rows is None else ctypes.c_void_p(rows.data_ptr()),
            ctypes.c_int64(steps),
            (ctypes.c_double * max(len(numbers), 1))(*numbers),
            self.arguments[3],
            ctypes.c_void_p(losses.data_ptr()),
        )
        if made < steps and drawn_from:  # the steps that were not made draw no numbers
            before.restore()
            masks_of_steps(self._draws, made)
        return int(made), cast("list[Tensor]", self._results[1:])

    @staticmethod
    def _bytes_of_step(slot: Slot) -> int:
        return prod(slot.shape) * slot.dtype.itemsize


def _seen(tensor: Tensor, slot: Slot) -> Tensor:
    """A slot in a tensor."""
    return tensor.as_strided(slot.shape, slot.strides, tensor.storage_offset() + slot.offset)
