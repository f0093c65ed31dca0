"""The forward of a model of graphnet's own layers as lines: calls of layers, and operations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError
from graphnet.graph import Graph, Input, Node, Operation, Parameter
from graphnet.graph.nodes import Mode
from graphnet.interop.source.layers import constructor
from graphnet.interop.source.modules import attribute
from graphnet.interop.source.operations import in_torch
from graphnet.interop.source.variables import Variables

if TYPE_CHECKING:
    from graphnet.layers import Module


@dataclass
class Call:
    """The call of a layer while a graph was built.

    Attributes:
        path: the name of the layer in the model.
        arguments: what it was called with: nodes, numbers, and tuples of them.
        result: what it returned.
        first, end: the indices of the nodes that it appended.
    """

    path: str
    arguments: tuple[Any, ...]
    result: Any
    first: int
    end: int


class NodeLines:
    """The lines of `forward` for a model of graphnet's own layers.

    Attributes:
        lines: the lines.
        arguments: the parameters of `forward`.
    """

    def __init__(self, model: Module, inputs: Sequence[Any]) -> None:
        self.model = model
        self.variables = Variables()
        self.lines: list[str] = []
        self.arguments: list[str] = []
        self.names: dict[Node, str] = {}
        calls: list[Call] = []
        self.graph = Graph()
        nodes = [self._input(given, place, len(inputs)) for place, given in enumerate(inputs)]
        with _recorded(model, self.graph, calls):
            outputs = model.append_to(self.graph, *nodes)
        for path, parameter in reversed(list(model.named_state())):
            self.names[parameter] = attribute(path)
        self._write(_outermost(calls))
        self.lines.append(f"return {self._text(outputs)}")

    def _input(self, given: Any, place: int, count: int) -> Input:
        """An input for a shape, or for an example."""
        name = self.variables.new("x" if count == 1 else f"x{place}")
        self.arguments.append(name)
        shape, dtype = given, None
        if hasattr(given, "dtype"):
            shape, dtype = (None, *given.shape[1:]) if given.ndim else (), given.dtype
        if not isinstance(shape, tuple | list):
            raise GraphError(
                "torch_source takes a shape or an example for each input, such as (None, 3); got "
                f"{given!r}."
            )
        node = self.graph.input(tuple(shape), name=name, dtype=dtype)
        self.names[node] = name
        return node

    def _write(self, calls: list[Call]) -> None:
        """Lines for all nodes, in order."""
        starts = {call.first: call for call in calls if call.end > call.first}
        place = 0
        while place < len(self.graph):
            call = starts.get(place)
            if call is not None:
                self._call(call)
                place = call.end
                continue
            node = self.graph[place]
            if isinstance(node, Operation):
                self._operation(node)
            place += 1

    def _call(self, call: Call) -> None:
        """A line for the call of a layer."""
        given = list(call.arguments)
        while given and (given[-1] is None or given[-1] == ()):  # those that were left out
            given.pop()
        if "attention" in type_name(self.model, call.path) and len(given) > 3:
            raise GraphError(f"{call.path}: torch_source has no form for attention with masks.")
        arguments = ", ".join(map(self._text, given))
        results = self._bound(call.result, type_name(self.model, call.path))
        self.lines.append(f"{results} = {attribute(call.path)}({arguments})")

    def _bound(self, result: Any, wanted: str) -> str:
        """New variables for a result, nested as it is."""
        if isinstance(result, tuple):
            inside = ", ".join(self._bound(each, wanted) for each in result)
            return f"({inside})"
        if not isinstance(result, Node):
            return "_"
        name = self.variables.new(wanted)
        self.names[result] = name
        return name

    def _operation(self, node: Operation) -> None:
        """A line for one operation."""
        mode = f"{self._module_of(node)}.training"
        args = [self._text(s if isinstance(s, Node | Mode) else s.top, mode) for s in node.sources]
        text = in_torch(node.op, args, mode)
        if text is None:
            raise GraphError(
                f"{node.name}: torch_source has no form for {node.op.name}. It writes the layers "
                "of torch.nn, and arithmetic, functions, shapes and parts of tensors."
            )
        self.names[node] = self.variables.new(node.op.name)
        self.lines.append(f"{self.names[node]} = {text}")

    def _module_of(self, node: Operation) -> str:
        """The module whose mode an operation follows, in Python."""
        for source in node.sources:
            if isinstance(source, Mode):
                for path, module in self.model.named_modules():
                    if module is source.owner and path:
                        return attribute(path)
        return "self"

    def _text(self, value: Any, mode: str = "") -> str:
        """A node as its variable, tuples and dicts of them, and numbers."""
        if isinstance(value, Node):
            return self.names[value]
        if isinstance(value, Mode):
            return mode
        if isinstance(value, dict):
            items = (f"{name!r}: {self._text(each)}" for name, each in value.items())
            return f"{{{', '.join(items)}}}"
        if isinstance(value, tuple | list):
            inside = ", ".join(self._text(each) for each in value)
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        return repr(value)


def type_name(model: Module, path: str) -> str:
    """The name of a variable for what a layer returns: that of its class."""
    return type(dict(model.named_modules())[path]).__name__.lower()


def _outermost(calls: list[Call]) -> list[Call]:
    """The calls that are not inside others."""
    return [
        call
        for call in calls
        if not any(
            other is not call and other.first <= call.first and call.end <= other.end
            for other in calls
            if (other.first, other.end) != (call.first, call.end) or other.path < call.path
        )
    ]


@contextmanager
def _recorded(model: Module, graph: Graph, calls: list[Call]) -> Iterator[None]:
    """Record the calls of all layers of torch.nn inside a model while it is built."""
    layers = [(path, each) for path, each in model.named_modules() if path and constructor(each)]
    for path, layer in layers:
        vars(layer)["build"] = _recording(path, layer, graph, calls)
    try:
        yield
    finally:
        for _, layer in layers:
            del vars(layer)["build"]


def _recording(path: str, layer: Module, graph: Graph, calls: list[Call]) -> Any:
    build = layer.build

    def recording(*arguments: Any) -> Any:
        own = sum(1 for _ in layer.named_state())
        first = len(graph)
        while own and first and isinstance(graph[first - 1], Parameter):
            first, own = first - 1, own - 1
        result = build(*arguments)
        calls.append(Call(path, arguments, result, first, len(graph)))
        return result

    return recording
