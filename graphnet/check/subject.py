"""The subject of the checks of an operation or a module: something to run on nodes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from operator import methodcaller
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import empty

from graphnet.check.finite_differences import wave
from graphnet.check.report import NotChecked
from graphnet.graph import Graph, Node

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Input

Shape = tuple[int, ...]
Make = Callable[[bool], Callable[..., Any]]
"""Makes a fresh copy of the subject, for double precision or for single."""
Results = tuple[list["Tensor"], list["Tensor"]]
"""The values of the outputs, and the gradients of the sources."""


class Built(NamedTuple):
    """The subject in a graph of its own."""

    graph: Graph
    inputs: list[Input]
    outputs: list[Node]

    @property
    def sources(self) -> list[Any]:
        """The nodes to differentiate by: floating-point inputs, and learned parameters."""
        learned = [node for node in self.graph.parameters() if node.requires_grad]
        return [node for node in self.inputs if node.dtype.is_floating_point] + learned

    @property
    def names(self) -> list[str]:
        """The names of the sources."""
        return [self.graph.name_of(node) for node in self.sources]

    def feed(self, values: list[Any]) -> dict[Any, Tensor]:
        """The tensors among the values, by input."""
        return dict(zip(self.inputs, filter(is_tensor, values), strict=True))

    def forward(self, values: list[Any]) -> list[Tensor]:
        """The values of the outputs."""
        return list(self.graph.forward(self.feed(values), outputs=self.outputs))

    def run(self, values: list[Any]) -> Results:
        """The results of both walks."""
        tops = [top.clone() for top in self.forward(values)]
        floating = self.floating
        if floating:
            self.graph.backward(floating, [wave(node.top) for node in floating])
        return tops, [
            node.top.new_zeros(node.top.shape) if node.grad is None else node.grad.clone()
            for node in self.sources
        ]

    @property
    def floating(self) -> list[Node]:
        """The outputs that have derivatives."""
        return [node for node in self.outputs if node.dtype.is_floating_point]


@dataclass(frozen=True)
class Subject:
    """Something that is called with nodes, and the inputs on which it is checked.

    Args:
        make: makes a fresh one, so that a check cannot disturb the next one.
        shapes: the shape of each input; anything but a tuple is passed as it is.
        low: the smallest value of an input.
        high: the largest value of an input.
        integers: for each integer input, by index, the number of values, from 0.
        names: the names of the inputs.
    """

    make: Make
    shapes: tuple[Any, ...]
    low: float
    high: float
    integers: Mapping[int, int]
    names: tuple[str, ...] = ()

    def name(self, place: int) -> str:
        """The name of an input."""
        return self.names[place] if place < len(self.names) else f"x{place}"

    def values(
        self, shapes: tuple[Any, ...] = (), double: bool = True, start: int = 0
    ) -> list[Any]:
        """The inputs: distinct numbers, spread over the range, the same at each call."""
        return [
            self._value(place, shape, double, start) if isinstance(shape, tuple) else shape
            for place, shape in enumerate(shapes or self.shapes)
        ]

    def _value(self, place: int, shape: Shape, double: bool, start: int) -> Tensor:
        count = empty(shape).double().new_ones(shape).reshape(-1).cumsum(0) + 17 * place + start
        spread = (count * 0.6180339887498949) % 1  # the golden ratio fills the range evenly
        if place in self.integers:
            return (spread * self.integers[place]).long().view(shape)
        values = (self.low + (self.high - self.low) * spread).view(shape)
        return values if double else values.float()

    def build(self, values: list[Any], unknown: Collection[int] = (), double: bool = True) -> Built:
        """A graph with an input for each tensor; the first size of some is unknown."""
        graph = Graph()
        arguments: list[Any] = []
        for place, value in enumerate(values):
            if not is_tensor(value):
                arguments.append(value)
                continue
            shape, dtype = tuple(value.shape), value.dtype
            shape = (None, *shape[1:]) if place in unknown else shape
            name, floating = self.name(place), dtype.is_floating_point
            arguments.append(graph.input(shape, name=name, dtype=dtype, requires_grad=floating))
        outputs = listed(self.make(double)(*arguments))
        for output in outputs:
            if not isinstance(output, Node):
                raise TypeError(
                    f"called with nodes, it must return nodes; got {type(output).__name__}. Use "
                    "only operators, methods and functions of graphnet.ops"
                )
        return Built(graph, graph.inputs, outputs)

    def batch(self) -> tuple[int, ...]:
        """The indices of the inputs whose first sizes may change together, as a batch size does.

        Raises:
            NotChecked: there are none.
        """
        sizes = {p: s[0] for p, s in enumerate(self.shapes) if isinstance(s, tuple) and s}
        if sizes:
            first, size = next(iter(sizes.items()))
            same = tuple(place for place, each in sizes.items() if each == size)
            for places in dict.fromkeys((same, (first,))):
                try:
                    values = self.values(self.resized(places, size + 1))
                    self.build(values).forward(values)
                except Exception:  # these sizes do not change together
                    continue
                return places
        raise NotChecked("no input has a first size that can be changed")

    def resized(self, places: Collection[int], size: int) -> tuple[Any, ...]:
        """The shapes with another first size for some inputs."""
        return tuple(
            (size, *shape[1:]) if place in places else shape
            for place, shape in enumerate(self.shapes)
        )


def is_tensor(value: Any) -> bool:
    """True for a tensor, False for a number or a node."""
    return isinstance(value, type(empty(0)))


def listed(result: Any) -> list[Any]:
    """One or several results as a list."""
    return list(result) if isinstance(result, tuple | list) else [result]


def copies(values: list[Any], copied: Callable[[Any], Any] = methodcaller("clone")) -> list[Any]:
    """The values, each tensor in other memory."""
    return [copied(value) if is_tensor(value) else value for value in values]


def differs(ours: Results, theirs: Results, names: list[str], tolerance: float = 1e-9) -> str:
    """How two runs differ, in words; "" if they agree."""
    labels = [f"output {number}" for number in range(len(ours[0]))]
    labels += [f"the gradient of {name!r}" for name in names]
    for label, left, right in zip(labels, ours[0] + ours[1], theirs[0] + theirs[1], strict=True):
        if fault := difference(left, right, tolerance):
            return f"{label} {fault}"
    return ""


def difference(left: Tensor, right: Tensor, tolerance: float = 1e-9) -> str:
    """How two tensors differ, in words; "" if they agree up to rounding."""
    if left.shape != right.shape:
        return f"has the shape {tuple(left.shape)}, not {tuple(right.shape)}"
    if not left.numel():
        return ""
    left, right = left.double(), right.double()
    close = left.isclose(right, rtol=tolerance, atol=tolerance, equal_nan=True)
    if close.all():
        return ""
    place = int((~close).reshape(-1).long().argmax())
    here, there = float(left.reshape(-1)[place]), float(right.reshape(-1)[place])
    return f"is {here:.6g} at element {place}, not {there:.6g}"
