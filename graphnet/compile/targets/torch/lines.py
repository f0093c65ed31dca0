"""Writing: the lines of a program, and what their names stand for."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch

from graphnet.compile.targets.torch.memory_format import ORDERS, lies
from graphnet.compile.targets.torch.namespace import Vocabulary
from graphnet.graph import Node, Operation
from graphnet.graph.nodes import Literal

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Source


class NotFinite(Exception):  # noqa: N818 - a signal between a program and its caller
    """A number that must be finite is not; nothing has been written yet."""


class Line(NamedTuple):
    """A line of the program, and the node that it computes."""

    text: str
    node: Node


class Writing:
    """The lines of a program, and the memory behind the names in them.

    Attributes:
        lines: what has been written so far.
        names: what a node is called in the lines.
        words: what the names stand for.
        tensors: the memory of a node, if it is the same at each step.
        device: where the memory is.
    """

    def __init__(self, device: torch.device | None) -> None:
        self.device = device
        self.lines: list[Line] = []
        self.names: dict[Node, str] = {}
        self.words = Vocabulary()
        self.tensors: dict[Node, Tensor] = {}
        self._pending: dict[str, Line] = {}

    def write(self, node: Node, text: str) -> None:
        """Write a line, after those that define its names."""
        for name in [name for name in self._pending if name in text]:
            self.lines.append(self._pending.pop(name))
        self.lines.append(Line(self.words.learn(text), node))

    def name(self, node: Node) -> str:
        """The name of a node in the lines."""
        if node not in self.names:
            self.names[node] = self.words.new(node.name)
        return self.names[node]

    def rule(self, node: Operation) -> str:
        """A name for the forward rule of an operation."""
        return self.words.constant(node.op.forward, f"rule_of_{node.name}")

    def turned(self, node: Node) -> str:
        """The name of a transposed matrix."""
        name = f"{self.names[node]}_t"
        if node in self.tensors:
            return self.words.constant(self.tensors[node].mT, name)
        if name not in self.words.samples:
            self.words.samples[name] = self.sample(node).mT
            self._pending[name] = Line(f"{name} = {self.names[node]}.mT", node)
        return name

    def flat(self, node: Node) -> str:
        """The name of a node's elements as a vector."""
        return self.words.constant(self.tensors[node].view(-1), f"{self.names[node]}_flat")

    def operand(self, source: Source, name: str, node: Operation) -> str:
        """A source in a line of a kernel; numbers next to tensors are kept as tensors.

        Next to half precision they stay numbers, as in the walk: a kernel takes those in float32,
        where 70,000 is in range.
        """
        if isinstance(source, Node):
            return self.names[source]
        of = next(each.dtype for each in node.inputs)
        if name == "a" or (of.is_floating_point and of.itemsize < 4):
            return self.argument(source)
        if isinstance(source.top, float) and not of.is_floating_point:
            of = torch.get_default_dtype()
        return self.words.number(source.top, of, self.device)

    def argument(self, source: Source) -> str:
        """A source in a Python call."""
        if isinstance(source, Node):
            return self.names[source]
        if isinstance(source.top, float) and not isfinite(source.top):
            return self.words.constant(source.top, f"number_{source.top}")
        return repr(source.top)

    def lies_at(self, node: Node, memory: Tensor) -> bool:
        """True if the value of a node is in this memory already."""
        return node in self.tensors and self.tensors[node].is_set_to(memory)

    def is_dense(self, node: Node) -> bool:
        """True if a node's elements lie side by side in memory, and always in the same."""
        return node in self.tensors and self.tensors[node].is_contiguous()

    def is_image(self, node: Node) -> bool:
        """True if a node is always the same memory, with images in one of our layouts."""
        tensor = self.tensors.get(node)
        return (
            tensor is not None
            and not tensor.is_contiguous()
            and any(lies(tensor, order) for order in ORDERS)
        )

    def sample(self, source: Source) -> Any:
        """The value of a source, or a tensor like the one that it will be."""
        if isinstance(source, Literal):
            return source.top
        if source in self.tensors:
            return self.tensors[source]
        samples, name = self.words.samples, self.names[source]
        if name not in samples:
            if isinstance(source, Operation) and source.op.view:
                samples[name] = source.op.forward(*map(self.sample, source.sources))
            else:
                shape = cast("tuple[int, ...]", source.shape)
                samples[name] = torch.zeros(shape, dtype=source.dtype, device=self.device)
        return samples[name]
