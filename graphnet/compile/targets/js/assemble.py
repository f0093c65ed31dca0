"""The body of `createProgram` for one size of the batch: arrays, and a function for each walk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.ir.build import specialized
from graphnet.compile.lower.scalars import NotLowered
from graphnet.compile.targets.js.expressions import ARRAYS, number
from graphnet.compile.targets.js.names import Names, comment, string
from graphnet.compile.targets.js.optimizers import Update, update_of
from graphnet.compile.targets.js.parts import Memory, backward_part, forward_part
from graphnet.compile.targets.js.prelude import prelude
from graphnet.compile.targets.js.printer import Function, PartPrinter
from graphnet.compile.targets.js.result import Result, numbers_line
from graphnet.compile.targets.js.updates import update_lines
from graphnet.graph import Node, Operation, Parameter
from graphnet.graph.derivatives import reached
from graphnet.graph.nodes import Mode
from graphnet.graph.walks import ancestors
from graphnet.ops.random import DropoutMask, RandLike, RandnLike

if TYPE_CHECKING:
    from graphnet.graph import Graph
    from graphnet.optim.base import Optimizer

DRAWN = {DropoutMask: "mask", RandLike: "uniform", RandnLike: "normal"}
"""The operations whose values the page draws, and from which distribution."""

Updates = dict[tuple[int, object, object], Update]
"""The updates that are known: by the group, the shape and the dtype of a parameter."""


@dataclass(frozen=True)
class Task:
    """What is printed.

    Attributes:
        graph: the list.
        loss: the scalar to minimize; None for a program that only predicts.
        optimizer: what updates the parameters; None for no update.
        outputs: further nodes to compute.
        updates: those that are known; they do not depend on the size of the batch.
    """

    graph: Graph
    loss: Node | None
    optimizer: Optimizer | None
    outputs: Sequence[Node]
    updates: Updates = field(default_factory=dict)

    @property
    def targets(self) -> list[Node]:
        """All nodes to compute."""
        return [*self.outputs] if self.loss is None else [self.loss, *self.outputs]

    def flows(self) -> set[Node]:
        """The nodes that a gradient flows to in the walk of the list."""
        if self.loss is None:
            return set()
        found = reached(ancestors(list(self.graph), [self.loss]), self.loss)
        return {node for node in found if node.requires_grad}


class Assembly:
    """A list for one size of the batch.

    Args:
        task: what is printed.
        shapes: the shape of each fed tensor.

    Attributes:
        nodes: what the program computes, in list order.
        sizes: the shape of each of these.
        flows: those that have a gradient.
        used: the functions of the prelude that are called.
        settings: the numbers of the optimizer, by name.
        state: the first value and the size of each array of the optimizer.
    """

    def __init__(self, task: Task, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.task, self.graph, self.flows = task, task.graph, task.flows()
        _, mapped = specialized(task.graph, task.targets, shapes)
        self.nodes = [*mapped]
        for node in self.nodes:
            if node.dtype not in ARRAYS:
                raise NotLowered(f"{self.graph.name_of(node)}: {node.dtype}")
        self.sizes = {node: cast("tuple[int, ...]", copy.shape) for node, copy in mapped.items()}
        self.used, self.settings = set[str](), dict[str, float]()
        self.state: dict[str, tuple[float, int]] = {}
        self._names, self._arrays = Names(prelude()), dict[Memory, str]()
        self._result = Result(self.graph, task.loss)
        operations = [node for node in self.nodes if isinstance(node, Operation)]
        modes = (each for node in operations for each in node.sources if isinstance(each, Mode))
        # Unless all of the list is in evaluation, each module trains in its own mode.
        self._training = None if any(mode.top for mode in modes) else True
        lines = [*self._values(), "", *self._gradients()]
        for node in operations:
            lines += self._forward(node)
        for node in reversed(operations):
            lines += self._backward(node) if node in self.flows else ()
        lines += self._updates()
        end = self._result.lines(self._arrays)
        self.lines = [numbers_line(self.settings), *lines, "", *end]

    @property
    def parameters(self) -> dict[str, int]:
        """The number of elements of each parameter and buffer."""
        nodes = (node for node in self.nodes if isinstance(node, Parameter))
        return {self.graph.name_of(node): prod(self.sizes[node]) for node in nodes}

    # arrays

    def _values(self) -> Iterator[str]:
        for node in self.nodes:
            name, count = self.graph.name_of(node), prod(self.sizes[node])
            made = self._arrays[Memory(node, "value")] = self._names.unique(name)
            text = f"new {ARRAYS[node.dtype]}({count})"
            if isinstance(node, Parameter):
                self.used.add("given")
                text = f"given(state, {string(name)}, {count})"
            yield f"const {made} = {text};"

    def _gradients(self) -> Iterator[str]:
        for node in self.nodes:
            if node in self.flows:
                made = self._arrays[Memory(node, "gradient")] = f"grad_{self._value(node)}"
                yield f"const {made} = new {ARRAYS[node.dtype]}({prod(self.sizes[node])});"

    def _value(self, node: Node) -> str:
        return self._arrays[Memory(node, "value")]

    # walks

    def _forward(self, node: Operation) -> Iterator[str]:
        """One function for both modes, or one for each if the node follows the mode."""
        yield from self._title(node)
        name = own = f"forward_{self._value(node)}"
        yield from self._function("train", node, name, self._forward_text(node, None, name))
        if any(isinstance(source, Mode) for source in node.sources):
            own = f"predict_{self._value(node)}"
            yield from self._function("predict", node, own, self._forward_text(node, False, own))
        else:
            self._result.walks["predict"].append((node, own))

    def _forward_text(self, node: Operation, training: bool | None, name: str) -> Function:
        mode = self._training if training is None else training
        part = forward_part(node, self.sizes, mode)
        if not part.lowered.drawn:
            return PartPrinter(part, self._arrays, name, self.used).print()
        if type(node.op) not in DRAWN:
            raise NotLowered(f"{node.op.name} draws random numbers inside")
        self._result.drawn[node] = DRAWN[type(node.op)]
        return Function([], ["// Its values are drawn before the walk: see masks."])

    def _backward(self, node: Operation) -> Iterator[str]:
        part = backward_part(node, self.flows, self.sizes, self._training)
        if part is None:
            return
        name = f"backward_{self._value(node)}"
        yield from self._title(node, " backward")
        function = PartPrinter(part, self._arrays, name, self.used).print()
        yield from self._function("backward", node, name, function)

    def _function(self, walk: str, node: Node, name: str, function: Function) -> Iterator[str]:
        """The text of a function, which a walk calls."""
        self._result.walks[walk].append((node, name))
        yield from function.before
        yield f"function {name}() {{"
        yield from ("  " + line for line in function.lines)
        yield "}"

    def _title(self, node: Node, what: str = "") -> Iterator[str]:
        """A line that says what the lines after it compute."""
        text = self.graph.name_of(node)
        if isinstance(node, Operation):
            args = [
                self.graph.name_of(each) if isinstance(each, Node) else str(each.top)
                for each in node.sources
            ]
            text += f" = {node.op.name}({', '.join([*args, *node.op.chosen])})"
        yield ""
        yield f"// {self.graph.index(node)}{what}: {comment(text)}"

    # updates

    def _updates(self) -> Iterator[str]:
        groups = self.task.optimizer.param_groups if self.task.optimizer is not None else []
        places = {each: place for place, group in enumerate(groups) for each in group["params"]}
        for node in self.nodes:
            if isinstance(node, Parameter) and node in self.flows and node in places:
                yield from self._title(node, " update")
                yield from self._update(node, places[node])

    def _update(self, node: Parameter, place: int) -> Iterator[str]:
        """The function that updates a parameter, and the arrays of its state."""
        update = self._known_update(node, place)
        keys = {name: f"{name}/{place}" if place else name for name in update.settings}
        self.settings |= {keys[name]: value for name, value in update.settings.items()}
        value = self._value(node)
        arrays = {"value": value, "gradient": self._arrays[Memory(node, "gradient")]}
        for slot, (first, count) in update.state.items():
            key = f"{self.graph.name_of(node)}/{slot}"
            made = arrays[slot] = self._names.unique(f"{value}_{slot}")
            self.state[key] = first, count
            kind = "Float64Array" if slot == "step" else ARRAYS[node.dtype]
            fill = f".fill({number(first, node.dtype)})" if first else ""
            yield f"const {made} = (state[{string(key)}] ??= new {kind}({count}){fill});"
        lines = update_lines(update, keys, arrays, self.used)
        yield from self._function("update", node, f"update_{value}", Function([], lines))

    def _known_update(self, node: Parameter, place: int) -> Update:
        updates, optimizer = self.task.updates, cast("Any", self.task.optimizer)
        key = place, tuple(node.top.shape), node.dtype
        if key not in updates:
            updates[key] = update_of(optimizer, optimizer.param_groups[place], node)
        return updates[key]
