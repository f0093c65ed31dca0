"""Emission: a list of nodes printed as straight-line Python over preallocated tensors."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch

from graphnet.compile.ir.program import Cell, Program, is_foreign, is_half, is_number
from graphnet.compile.plan.memory import Arena, Buffer
from graphnet.compile.plan.placement import aims
from graphnet.compile.targets.torch.kernels import ARITHMETIC, KERNELS, TAKE_NUMBERS, VIEWS
from graphnet.compile.targets.torch.lines import NotFinite, Writing
from graphnet.compile.targets.torch.lowerings import WRITERS
from graphnet.compile.targets.torch.memory_format import (
    BY_PIXELS,
    BY_PLANES,
    Layout,
    as_images,
    lies,
    ordered,
)
from graphnet.graph import Node, Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from graphnet.compile.targets.torch.kernels import Kernel
    from graphnet.compile.targets.torch.tuning import Tuner

R = TypeVar("R")


class Emission(Writing):
    """The lines of a program being built: for each node, which kernel, in which memory.

    Attributes:
        arena: the free memory.
        buffers: for each node, who else reads and writes its memory.
        targets: where the values of some nodes are to be computed.
        done: nodes computed by the line of another node.
        layout: how images are laid out.
        laid_out: the names of what several lines share, such as the windows of an image.
    """

    def __init__(self, program: Program, tuner: Tuner, layout: Layout) -> None:
        super().__init__(_device(program))
        self.program, self.tuner, self.layout = program, tuner, layout
        self.laid_out: dict[object, Any] = {}
        self.arena = Arena(self.device)
        self.buffers: dict[Node, Buffer] = {}
        self.targets = aims(program)
        self.done: set[Node] = set()
        self.readers = program.readers
        self._made: set[Node] = set()

    # the walk over the list

    def run(self) -> None:
        """Write the lines of all operations, then the changes that outlast the step."""
        for node in self.program:
            if not isinstance(node, Operation):
                self._leaf(node)
                continue
            if node not in self.done:
                self._operation(node)
            if node in self.program.finite:
                self._check(node)
            for source in node.inputs:
                self.arena.release(self.buffers[source])
        for cell, value in self.program.writes.items():
            if value is not cell and not self.lies_at(value, cell.top):
                self.write(value, f"{self.names[cell]}.copy_({self.names[value]})")

    def _leaf(self, node: Node) -> None:
        if isinstance(node, Cell):
            self.keep(node, node.top, node.name)
        else:
            self.names[node] = self.words.new(node.name)
            self.buffers[node] = Buffer(None, self.readers[node], owned=False)

    def _operation(self, node: Operation) -> None:
        if is_number(node):
            self._number(node)
        elif type(node.op) in WRITERS:
            WRITERS[type(node.op)](self, node)
        elif type(node.op) in VIEWS:
            self.view(node)
        elif type(node.op) in KERNELS and not self._has_number(node):
            self.kernel(node, KERNELS[type(node.op)])
        else:
            self.own_rule(node)

    def _has_number(self, node: Operation) -> bool:
        """True if a number given at each step is passed where a kernel takes a tensor.

        Next to half precision, numbers of the list are not kept as tensors either.
        """
        half = any(map(is_half, node.inputs))
        others = ("y", "a") if not half or type(node.op) in TAKE_NUMBERS else ("a",)
        return any(
            is_number(source) and (half or isinstance(source, Node))
            for name, source in zip(node.op.inputs, node.sources, strict=True)
            if name not in others
        )

    def _check(self, node: Node) -> None:
        """Stop before anything is written if a number is not finite."""
        self.words.known |= {"isfinite": isfinite, "NotFinite": NotFinite}
        name = self.names[node]
        self.write(node, f"if not isfinite({name}.item()): raise NotFinite({node.name!r})")

    # ways to compute a node

    def _number(self, node: Operation) -> None:
        """Compute a number in Python."""
        parts = [self.argument(source) for source in node.sources]
        pattern = ARITHMETIC.get(type(node.op))
        text = pattern.format(*parts) if pattern else f"{self.rule(node)}({', '.join(parts)})"
        self.write(node, f"{self.name(node)} = {text}")
        self.buffers[node] = Buffer(None, self.readers[node], owned=False)

    def view(self, node: Operation) -> None:
        """View memory in another way: now, if it is always the same memory."""
        source = cast("Node", node.sources[0])
        if source not in self.tensors:
            self.own_rule(node, self.buffers[source])
            return
        before = self.tensors[source]
        tensor = node.op.forward(*[self.sample(each) for each in node.sources])
        if tensor.untyped_storage().data_ptr() != before.untyped_storage().data_ptr():
            out, name = self.place(node)
            as_before = self.words.constant(out.view(before.shape), f"{name}_as_before")
            self.write(node, f"{as_before}.copy_({self.names[source]})")
        elif tensor.is_set_to(before):
            self.same(node, source)
        else:
            self.buffers[source].readers += self.readers[node]
            self.keep(node, tensor, node.name, self.buffers[source])

    def kernel(self, node: Operation, kernel: Kernel) -> None:
        """Write the line of a kernel: over an input that nothing else reads, or into a buffer."""
        words = {
            name: self.operand(source, name, node)
            for name, source in zip(node.op.inputs, node.sources, strict=True)
        }
        over = self._overwritten(node)
        if over is not None and kernel.inplace and over is node.sources[0]:
            self.same(node, over)
            self.write(node, kernel.inplace.format(op=node.op, **words))
        elif over is not None and kernel.elementwise:
            self.same(node, over)
            self.write(node, kernel.out.format(op=node.op, out=self.names[over], **words))
        elif kernel.elementwise and node not in self.targets and self._is_loose(node):
            self.own_rule(node)
        else:
            like = kernel.elementwise and any(
                self.is_image(each) and each.shape == node.shape for each in node.inputs
            )
            name = self.place_image(node) if like else self.place(node)[1]
            self.write(node, kernel.out.format(op=node.op, out=name, **words))

    def own_rule(self, node: Operation, source: Buffer | None = None) -> None:
        """Call the rule of the operation itself: it makes a new tensor, or a view of an input."""
        arguments = [self.argument(each) for each in node.sources]
        if is_foreign(node.op):  # it may call view, which fails on images in another order
            for place, given in enumerate(node.sources):
                if isinstance(given, Node) and given.ndim == 4:
                    arguments[place] += ".contiguous()"
        self.write(node, f"{self.name(node)} = {self.rule(node)}({', '.join(arguments)})")
        inputs = [source] if source else [self.buffers[each] for each in set(node.inputs)]
        for each in inputs:
            each.readers += 1  # held until nothing reads what may be a view of it
        buffer = Buffer(None, self.readers[node], owned=False, behind=tuple(inputs))
        self.fresh(node, buffer)

    def fresh(self, node: Operation, buffer: Buffer | None = None) -> None:
        """Note that a line makes a new tensor for a node, and put it where it is needed."""
        if buffer is None:
            self._made.add(node)
        self.buffers[node] = buffer or Buffer(None, self.readers[node])
        if node in self.targets:
            name = self.words.constant(self.targets[node], f"{self.names[node]}_place")
            self.write(node, f"{name}.copy_({self.names[node]})")
            self.keep(node, self.targets[node], name)

    def same(self, node: Operation, source: Node) -> None:
        """Give a node the memory and the name of one of its inputs."""
        self.names[node], self.buffers[node] = self.names[source], self.buffers[source]
        self.buffers[node].readers += self.readers[node]
        if source in self.tensors:
            self.tensors[node] = self.tensors[source]
        if source in self._made:
            self._made.add(node)

    def choose(self, node: Operation, ways: list[list[str]], inputs: tuple[Node, ...]) -> None:
        """Write the fastest of several ways to compute a node whose memory has been placed."""
        samples = {self.names[each]: self.sample(each) for each in inputs}
        plain = [[self.words.learn(line) for line in way] for way in ways]
        for line in [line for way in plain for line in way]:
            samples = self.words.used(line) | samples
        layout = tuple(_described(samples[self.names[each]]) for each in inputs)
        question = (node.op, self.layout.order, len(ways), node in self.targets, layout)
        way = plain[self.tuner.fastest(question, plain, samples)]
        for line in way:
            self.write(node, line)
        name = self.names[node]
        if any(line.startswith(f"{name} = ") for line in way):
            self.arena.give_back(self.buffers[node])
            self.words.known.pop(name)
            self.tensors.pop(node)
            self.fresh(node)

    def once(self, key: object, lay_out: Callable[[], R]) -> R:
        """What some lines lay out for several others; they are written at the first call."""
        if key not in self.laid_out:
            self.laid_out[key] = lay_out()
        return cast("R", self.laid_out[key])

    # memory

    def place(self, node: Operation) -> tuple[Tensor, str]:
        """Memory for the value of a node, and its name."""
        if node in self.targets:
            tensor = self.targets[node]
            known = (self.names[each] for each in self.tensors if self.lies_at(each, tensor))
            self.keep(node, tensor, next(known, node.name))
        else:
            shape = cast("tuple[int, ...]", node.shape)
            buffer, tensor = self.arena.take(shape, node.dtype, self.readers[node])
            self.keep(node, tensor, node.name, buffer)
        return tensor, self.names[node]

    def place_image(self, node: Operation) -> str:
        """The name of memory for an image, or for indices into one, in the program's layout."""
        if node in self.targets:
            return self.place(node)[1]
        buffer, tensor = self._image_memory(node, node.dtype, self.readers[node])
        self.keep(node, tensor, node.name, buffer)
        return self.names[node]

    def scratch_image(self, node: Operation, kind: torch.dtype) -> str:
        """The name of memory as large as an image, for numbers that only the next line writes."""
        buffer, tensor = self._image_memory(node, kind, 1)
        self.arena.release(buffer)
        return self.words.constant(tensor, f"{node.name}_scratch")

    def _image_memory(
        self, node: Operation, kind: torch.dtype, readers: int
    ) -> tuple[Buffer, Tensor]:
        order, sizes = self.layout.order, cast("tuple[int, ...]", node.shape)
        buffer, memory = self.arena.take(ordered(sizes, order), kind, readers)
        return buffer, as_images(memory, order)

    def image(self, node: Node) -> str:
        """An image or a kernel as torch's convolution takes it in the layout of the program."""
        by_pixels = node in self.tensors and lies(self.tensors[node], BY_PIXELS)
        if by_pixels or self.layout.order == BY_PLANES:
            return self.names[node]
        return self.by_pixels(self.names[node])

    def by_pixels(self, name: str) -> str:
        """An image of this name, copied if it lies otherwise."""
        layout = self.words.constant(torch.channels_last, "pixel_by_pixel")
        return f"{name}.contiguous(memory_format={layout})"

    def keep(self, node: Node, tensor: Tensor, name: str, buffer: Buffer | None = None) -> None:
        """Note the memory of a node, under a name of the lines."""
        self.tensors[node] = tensor
        self.names[node] = self.words.constant(tensor, name)
        self.buffers[node] = buffer or Buffer(None, self.readers[node], owned=False)

    def _overwritten(self, node: Operation) -> Node | None:
        """The input that the value of a node may overwrite, if there is one."""
        if node in self.targets:
            target = self.targets[node]
            return next((each for each in node.inputs if self.lies_at(each, target)), None)
        return next((each for each in node.inputs if self._is_free(each, node)), None)

    def _is_free(self, source: Node, node: Operation) -> bool:
        """True if nothing else will read an input that has the shape and dtype of the output."""
        buffer = self.buffers[source]
        readers = [each for each in node.inputs if self.buffers[each] is buffer]
        return (
            buffer.owned
            and buffer.readers == len(readers)
            and all(each is source for each in readers)
            and source.shape == node.shape
            and source.dtype is node.dtype
            and (self.is_dense(source) or self.is_image(source) or source in self._made)
        )

    def _is_loose(self, node: Operation) -> bool:
        """True if an input of the same shape may have any layout, which the result then keeps."""
        return any(
            each not in self.tensors and each.shape == node.shape and each.ndim > 2
            for each in node.inputs
        )


def _described(tensor: Tensor) -> object:
    """What the speed of a kernel depends on."""
    return tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.device


def _device(program: Program) -> torch.device | None:
    """The device of the cells; the CPU if there are none."""
    return next((node.top.device for node in program if isinstance(node, Cell)), None)
