"""The whole text for one size of the batch: arrays, a function for each node and walk, the lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, cast

from torch import float64

from graphnet.compile.ir.build import specialized
from graphnet.compile.lower.scalars import NotLowered
from graphnet.compile.targets.js.expressions import ARRAYS, number
from graphnet.compile.targets.js.names import Names, comment, string
from graphnet.compile.targets.js.optimizers import update_of
from graphnet.compile.targets.js.updates import update_lines
from graphnet.compile.targets.js.parts import Memory, backward_part, forward_part
from graphnet.compile.targets.js.prelude import NAMES
from graphnet.compile.targets.js.printer import Function, PartPrinter
from graphnet.graph import Input, Node, Operation, Parameter
from graphnet.graph.derivatives import reached
from graphnet.graph.nodes import Mode
from graphnet.graph.walks import ancestors
from graphnet.ops.random import DropoutMask, RandLike, RandnLike

if TYPE_CHECKING:
    from graphnet.compile.ir.build import Shapes
    from graphnet.graph import Graph
    from graphnet.optim.base import Optimizer

WALKS = ("train", "predict", "backward", "update")

DRAWN = {DropoutMask: "mask", RandLike: "uniform", RandnLike: "normal"}
"""The operations whose values the page draws, and from which distribution."""


@dataclass
class Assembly:
    """A list for one size of the batch.

    Args:
        graph: the list.
        loss: the scalar to minimize; None for a program that only predicts.
        optimizer: what updates the parameters; None for no update.
        outputs: further nodes to compute.
        shapes: the shape of each fed tensor.
        batch: the size of the batch in them.

    Attributes:
        used: the functions of the prelude that are called.
        settings: the optimizer's numbers, by name.
        state: for each array of the optimizer its first value and its size.
        flows: the nodes that have a gradient.
    """

    graph: Graph
    loss: Node | None
    optimizer: Optimizer | None
    outputs: Sequence[Node]
    shapes: Shapes
    batch: int
    used: set[str] = field(default_factory=set)
    settings: dict[str, float] = field(default_factory=dict)
    state: dict[str, tuple[float, int]] = field(default_factory=dict)
    flows: set[Node] = field(default_factory=set)

    def lines(self) -> list[str]:
        """The body of `createProgram`."""
        targets = [*([self.loss] if self.loss is not None else []), *self.outputs]
        _, mapped = specialized(self.graph, targets, self.shapes)
        self._sizes = {node: cast("tuple[int, ...]", copy.shape) for node, copy in mapped.items()}
        self._nodes = ancestors(list(self.graph), targets)
        self.flows = self._reached()
        self._names, self._arrays = Names(NAMES), dict[Memory, str]()
        self._functions = {name: list[tuple[int, str]]() for name in WALKS}
        self._groups, self._drawn = self._group_of_each(), list[Operation]()
        body = [*self._declarations(), *self._walks(), *self._updates()]
        numbers = ", ".join(f"{string(k)}: {number(v, float64)}" for k, v in self.settings.items())
        return [f"const numbers = {{ {numbers} }};", *body, *self._result()]

    def _reached(self) -> set[Node]:
        """The nodes that a gradient flows to in the walk of the list."""
        if self.loss is None:
            return set()
        found = reached(ancestors(list(self.graph), [self.loss]), self.loss)
        return {node for node in found if node.requires_grad}

    def _group_of_each(self) -> dict[Parameter, int]:
        groups = self.optimizer.param_groups if self.optimizer is not None else []
        return {each: place for place, group in enumerate(groups) for each in group["params"]}

    @property
    def training(self) -> bool | None:
        """None if some module is in training mode: then each follows its own."""
        modes = [source for node in self._nodes if isinstance(node, Operation)
                 for source in node.sources if isinstance(source, Mode)]  # fmt: skip
        return None if any(mode.top for mode in modes) else True

    def computes(self, node: Node) -> bool:
        """True if the program computes a node."""
        return node in self._sizes

    def shape_of(self, node: Node, is_open: bool) -> tuple[int | str, ...]:
        """The sizes of a node, with "batch" for the open one."""
        if node not in self._sizes:
            return tuple("?" if size is None else size for size in node.shape)
        pairs = zip(node.shape, self._sizes[node], strict=True)
        return tuple("batch" if is_open and a is None and b == self.batch else b for a, b in pairs)

    @property
    def parameters(self) -> dict[str, int]:
        """The number of elements of each parameter and buffer."""
        nodes = (node for node in self._nodes if isinstance(node, Parameter))
        return {self.graph.name_of(node): prod(self._sizes[node]) for node in nodes}

    # arrays

    def _declarations(self) -> Iterator[str]:
        for node in self._nodes:
            name = self.graph.name_of(node)
            made = self._arrays[Memory(node, "value")] = self._names.unique(name)
            kind, count = ARRAYS[node.dtype], prod(self._sizes[node])
            if isinstance(node, Parameter):
                yield f"const {made} = state[{string(name)}];"
            else:
                yield f"const {made} = new {kind}({count});"
        yield ""
        for node in self._nodes:
            if node in self.flows:
                name = f"grad_{self._arrays[Memory(node, 'value')]}"
                made = self._arrays[Memory(node, "gradient")] = name
                yield f"const {made} = new {ARRAYS[node.dtype]}({prod(self._sizes[node])});"

    # walks

    def _walks(self) -> Iterator[str]:
        operations = [node for node in self._nodes if isinstance(node, Operation)]
        for node in operations:
            yield from self._forward(node)
        for node in reversed(operations):
            if node in self.flows:
                yield from self._backward(node)

    def _forward(self, node: Operation) -> Iterator[str]:
        """One function for both modes, or one for each if the node follows the mode."""
        yield from self._title(node)
        index, value = self.graph.index(node), self._value(node)
        name = own = f"forward_{value}"
        yield from _text(name, self._forward_function(node, self.training, name))
        if any(isinstance(source, Mode) for source in node.sources):
            own = f"predict_{value}"
            yield from _text(own, self._forward_function(node, False, own))
        self._functions["train"].append((index, name))
        self._functions["predict"].append((index, own))

    def _forward_function(self, node: Operation, training: bool | None, name: str) -> Function:
        part = forward_part(node, self._sizes, training)
        if part.lowered.drawn:
            if type(node.op) not in DRAWN:
                raise NotLowered(f"{node.op.name} draws random numbers inside")
            if node not in self._drawn:
                self._drawn.append(node)
            return Function([], ["// Its values are drawn before the walk: see masks."])
        return PartPrinter(part, self._arrays, name, self.used).print()

    def _backward(self, node: Operation) -> Iterator[str]:
        part = backward_part(node, self.flows, self._sizes, self.training)
        if part is None:
            return
        name = f"backward_{self._arrays[Memory(node, 'value')]}"
        yield from self._title(node, " backward")
        yield from _text(name, PartPrinter(part, self._arrays, name, self.used).print())
        self._functions["backward"].append((self.graph.index(node), name))

    def _title(self, node: Node, what: str = "") -> Iterator[str]:
        text = self.graph.name_of(node)
        if isinstance(node, Operation):
            args = [
                self.graph.name_of(each) if isinstance(each, Node) else str(each.top)
                for each in node.sources
            ]
            text = f"{text} = {node.op.name}({', '.join([*args, *node.op.chosen])})"
        yield ""
        yield f"// {self.graph.index(node)}{what}: {comment(text)}"

    # updates

    def _updates(self) -> Iterator[str]:
        for node in self._nodes:
            if isinstance(node, Parameter) and node in self.flows and node in self._groups:
                yield from self._update(node)

    def _update(self, node: Parameter) -> Iterator[str]:
        place, optimizer = self._groups[node], cast("Optimizer", self.optimizer)
        update = update_of(optimizer, optimizer.param_groups[place], node)
        keys = {name: f"{name}/{place}" if place else name for name in update.settings}
        self.settings |= {keys[name]: value for name, value in update.settings.items()}
        yield from self._title(node, " update")
        value = self._value(node)
        arrays = {"value": value, "gradient": self._arrays[Memory(node, "gradient")]}
        for slot, (first, count) in update.state.items():
            key = f"{self.graph.name_of(node)}/{slot}"
            self.state[key] = first, count
            made = arrays[slot] = self._names.unique(f"{value}_{slot}")
            kind = "Float64Array" if slot == "step" else ARRAYS[node.dtype]
            fill = f".fill({number(first, node.dtype)})" if first else ""
            yield f"const {made} = (state[{string(key)}] ??= new {kind}({count}){fill});"
        name = f"update_{value}"
        yield from _text(name, Function([], update_lines(update, keys, arrays, self.used)))
        self._functions["update"].append((self.graph.index(node), name))

    # what is returned

    def _value(self, node: Node) -> str:
        return self._arrays[Memory(node, "value")]

    def _result(self) -> Iterator[str]:
        yield ""
        yield "return {"
        yield "  batch,"
        inputs = [node for node in self._nodes if isinstance(node, Input)]
        pairs = ", ".join(f"{string(node.name)}: {self._value(node)}" for node in inputs)
        yield f"  inputs: {{{pairs}}},"
        for kind, field_name in (("value", "values"), ("gradient", "gradients")):
            known = {self.graph.index(m.node): name for m, name in self._arrays.items() if m.kind == kind}
            names = [known.get(place, "null") for place in range(len(self.graph))]
            yield f"  {field_name}: [{', '.join(names)}],"
        yield "  masks: ["
        for node in self._drawn:
            yield f"    {self._mask(node)},"
        yield "  ],"
        for walk, entries in self._functions.items():
            yield f"  {walk}: ["
            for index, name in entries:
                yield f"    {{ node: {index}, run: {name} }},"
            yield "  ],"
        yield "  numbers,"
        yield "  clear() {"
        for memory, name in self._arrays.items():
            if memory.kind == "gradient":
                yield f"    {name}.fill({int(memory.node is self.loss)});"
        yield "  },"
        yield "};"

    def _mask(self, node: Operation) -> str:
        kind, op = DRAWN[type(node.op)], cast("Any", node.op)
        keep = f", keep: {number(1 - op.p, node.dtype)}" if kind == "mask" else ""
        index = self.graph.index(node)
        return f"{{ node: {index}, values: {self._value(node)}, draws: {string(kind)}{keep} }}"


def _text(name: str, function: Function) -> Iterator[str]:
    yield from function.before
    yield f"function {name}() {{"
    yield from ("  " + line for line in function.lines)
    yield "}"
