"""The object that `createProgram` returns: its arrays by node, and its walks as lists of calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from torch import float64

from graphnet.compile.targets.js.expressions import number
from graphnet.compile.targets.js.names import key, string
from graphnet.compile.targets.js.parts import Memory
from graphnet.graph import Input, Node, Operation

if TYPE_CHECKING:
    from graphnet.graph import Graph

WALKS = ("train", "predict", "backward", "update")


@dataclass
class Result:
    """What is returned.

    Attributes:
        graph: the list.
        loss: the node that the gradient of 1 starts at.
        walks: for each walk its functions, and the node that each belongs to.
        drawn: the nodes whose values are drawn before a walk, and the distribution.
    """

    graph: Graph
    loss: Node | None
    walks: dict[str, list[tuple[Node, str]]] = field(
        default_factory=lambda: {name: [] for name in WALKS}
    )
    drawn: dict[Operation, str] = field(default_factory=dict)

    def lines(self, arrays: Mapping[Memory, str]) -> list[str]:
        """The statement `return { ... };`, given the name of each array."""
        return [
            "return {",
            "  batch,",
            *("  " + line for line in self._arrays(arrays)),
            *("  " + line for line in self._walks(arrays)),
            "  numbers,",
            *("  " + line for line in self._clear(arrays)),
            "};",
        ]

    def _arrays(self, arrays: Mapping[Memory, str]) -> Iterator[str]:
        """Arrays by the name of an input, and by the place of a node in the list."""
        inputs = [m.node for m in arrays if isinstance(m.node, Input) and m.kind == "value"]
        yield from _listed(
            "inputs",
            [f"{key(node.name)}: {arrays[Memory(node, 'value')]}" for node in inputs],
            "{}",
        )
        for kind, name in (("value", "values"), ("gradient", "gradients")):
            yield from _listed(
                name, [arrays.get(Memory(node, kind), "null") for node in self.graph]
            )

    def _walks(self, arrays: Mapping[Memory, str]) -> Iterator[str]:
        masks = []
        for node, kind in self.drawn.items():
            values = arrays[Memory(node, "value")]
            chance = number(1 - cast("Any", node.op).p, node.dtype) if kind == "mask" else "null"
            masks.append(
                f"{{ node: {self.graph.index(node)}, values: {values}, "
                f"draws: {string(kind)}, keep: {chance} }}"
            )
        yield from _listed("masks", masks)
        for walk, calls in self.walks.items():
            entries = [f"{{ node: {self.graph.index(node)}, run: {name} }}" for node, name in calls]
            yield from _listed(walk, entries)

    def _clear(self, arrays: Mapping[Memory, str]) -> Iterator[str]:
        """What a walk in reverse begins with: zeros, and 1 for the loss."""
        yield "clear() {"
        for memory, name in arrays.items():
            if memory.kind == "gradient":
                yield f"  {name}.fill({int(memory.node is self.loss)});"
        yield "},"


def numbers_line(settings: Mapping[str, float]) -> str:
    """The declaration of the optimizer's numbers."""
    texts = [f"{key(name)}: {number(value, float64)}" for name, value in settings.items()]
    return f"const numbers = {{ {', '.join(texts)} }};" if texts else "const numbers = {};"


def _listed(name: str, entries: list[str], ends: str = "[]") -> Iterator[str]:
    """A member of an object that is a list, one entry a line."""
    if not entries:
        yield f"{name}: {ends},"
        return
    yield f"{name}: {ends[0]}"
    yield from (f"  {entry}," for entry in entries)
    yield f"{ends[1]},"
