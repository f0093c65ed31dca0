"""What `graph.compile` returns: a program for each set of shapes, made at its first use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import torch

from graphnet.compile.build import Shapes, specialized
from graphnet.compile.functional import BACKENDS, functional
from graphnet.compile.passes import optimized
from graphnet.compile.profile import Profile, profiled
from graphnet.compile.runner import Runner, assembled
from graphnet.compile.writing import NotFinite
from graphnet.errors import GraphError, StateError
from graphnet.graph import Input, Node, Operation
from graphnet.graph.feed import bind, merged
from graphnet.graph.guards import OneAtATime
from graphnet.graph.passes import ancestors

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.program import Program
    from graphnet.graph import Graph, Parameter

_MOST_PROGRAMS = 16

R = TypeVar("R")
Values = TypeVar("Values", "Tensor", "tuple[Tensor, ...]")
"""What a prediction returns: the value of one node, or those of several."""


@dataclass(frozen=True)
class Way:
    """How programs are made.

    Attributes:
        tune: True to measure which kernels are fastest here.
        backend: None for the lines of this package, or one of `functional.BACKENDS`.

    Raises:
        GraphError: the backend is not one of them.
    """

    tune: bool = True
    backend: str | None = None

    def __post_init__(self) -> None:
        """Refuse a backend that is not known."""
        if self.backend is not None and self.backend not in BACKENDS:
            known = ", ".join(map(repr, BACKENDS))
            raise GraphError(f"backend is {known}, or None; {self.backend!r} came.")


class Homes:
    """Where parameters lie, and whether they are still there."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        homes = {parameter.home for parameter in parameters}
        self._changes = [(home, home.changes) for home in homes]

    def unmoved(self) -> bool:
        """True if none has moved, was frozen or freed."""
        for home, changes in self._changes:  # noqa: SIM110 - each step asks; any() is slower
            if home.changes != changes:
                return False
        return True


def keep_few(programs: dict[Any, Any], key: object, program: object) -> None:
    """Keep a program, and forget the oldest of too many."""
    if len(programs) >= _MOST_PROGRAMS:
        del programs[next(iter(programs))]
    programs[key] = program


class Compiled:
    """What a training step and a prediction have in common.

    Attributes:
        graph: the list that is compiled.
    """

    def __init__(self, graph: Graph, targets: Sequence[Node], way: Way) -> None:
        self.graph = graph
        self._targets, self._way = list(targets), way
        inputs = [node for node in ancestors(list(graph), targets) if isinstance(node, Input)]
        self._inputs = {node.name: node for node in inputs}
        self._last: Runner | None = None
        self._one_at_a_time = OneAtATime()

    @property
    def program(self) -> Program:
        """The list of nodes that the last call ran."""
        return self._latest().program

    @property
    def source(self) -> str:
        """The Python source that the last call ran."""
        return self._latest().source

    @property
    def memory(self) -> int:
        """The bytes of the buffers of the program that the last call ran."""
        return self._latest().memory

    def _latest(self) -> Runner:
        if self._last is None:
            raise StateError(
                "There is no program yet: it is made for the shapes of the first call. "
                "Call it once, with tensors for the inputs."
            )
        return self._last

    def _bound(self, feed: Mapping[Any, Any] | None, named: dict[str, Any]) -> dict[str, Tensor]:
        """The fed tensors by name, checked as in the walk."""
        fed = self._merged(feed, named)
        inputs = {node.name: node for node in self.graph.inputs}
        bound = bind(inputs, self.graph.parameters(), self._inputs.values(), fed)
        return {node.name: tensor for node, tensor in bound.items() if node.name in self._inputs}

    def _merged(self, feed: Any, named: dict[str, Any]) -> Mapping[Any, Any]:
        """What is fed by node or name, and by keyword."""
        return merged(feed, named, self._inputs.values())

    def _key(self, fed: Mapping[str, Tensor]) -> object:
        """What a program depends on: the sizes and the device of what is fed, and the mode."""
        shapes = tuple((name, tuple(fed[name].shape)) for name in self._inputs)
        return self.graph.modes, shapes, next((str(each.device) for each in fed.values()), None)

    def _walk(self, fed: Mapping[str, Tensor]) -> None:
        """Walk the list once, to find out what is wrong; buffers and random states stay."""
        kept = [(each, each.top.clone()) for each in self.graph.parameters() if each.is_buffer]
        try:
            with random_kept(self.graph):
                self.graph.forward(fed, outputs=self._targets)
        finally:
            for buffer, value in kept:
                buffer.top.copy_(value)

    def _explained(self, fed: Mapping[str, Tensor], run: Callable[[], R]) -> R:
        """What a run returns; an error is said with the names of the list."""
        try:
            return run()
        except NotFinite:
            raise
        except Exception:
            self._walk(fed)
            raise

    def _made(self, fed: Mapping[str, Tensor], build: Callable[[Shapes], Program]) -> Runner:
        """A new program.

        Raises:
            ShapeError: the fed sizes do not fit together; the message is that of the walk.
        """
        try:
            program = optimized(build({name: tuple(each.shape) for name, each in fed.items()}))
            if self._way.backend is not None:
                return functional(program, fed, self._way.backend)
            with random_kept(self.graph):  # to measure dropout is to draw
                return assembled(program, fed, self._way.tune)
        except Exception:
            self._walk(fed)  # says it with the names of the list
            raise


@contextmanager
def random_kept(graph: Graph) -> Iterator[None]:
    """Draw random numbers, and afterwards go on as if none had been drawn."""
    usual = torch.default_generator, *torch.cuda.default_generators
    states = [(each, each.get_state()) for each in (*usual, *generators_of(graph))]
    try:
        yield
    finally:
        for generator, state in states:
            generator.set_state(state)


def generators_of(graph: Graph) -> list[torch.Generator]:
    """The generators from which operations of a graph draw random numbers, each of them once."""
    options = (
        value for node in graph if isinstance(node, Operation) for value in node.op.options.values()
    )
    return list(dict.fromkeys(each for each in options if isinstance(each, torch.Generator)))


class Prediction(Compiled, Generic[Values]):
    """The outputs of a graph, computed by a program; what `graph.compile(y)` returns.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((None,), name="x")
    >>> predict = graph.compile(x * 2)
    >>> predict(x=empty(2).fill_(3))
    tensor([6., 6.])
    """

    def __init__(self, graph: Graph, outputs: Node | Sequence[Node], way: Way) -> None:
        self._single = isinstance(outputs, Node)
        super().__init__(graph, [outputs] if isinstance(outputs, Node) else list(outputs), way)
        self._runners: dict[object, tuple[Runner, Homes]] = {}

    def __call__(self, feed: Mapping[Any, Tensor] | None = None, /, **named: Tensor) -> Values:
        """Compute the outputs.

        Returns:
            The value of the output, a tuple for several; new tensors.

        Raises:
            FeedError: a feed is missing, misnamed, or not what its input asks for.
            ShapeError: the fed sizes do not fit together.
        """
        with self._one_at_a_time:
            fed = self._bound(feed, named)
            runner = self._last = self._runner(fed)
            with torch.inference_mode():
                arguments = [fed[name] for name in runner.fed]
                results = self._explained(fed, lambda: runner.function(*arguments))
            outputs = tuple(result.clone() for result in results)
        return cast("Values", outputs[0] if self._single else outputs)

    def _runner(self, fed: Mapping[str, Tensor]) -> Runner:
        """The program for these tensors; a new one where there is none, or parameters moved."""
        key = self._key(fed)
        known = self._runners.get(key)
        if known is None or not known[1].unmoved():
            runner = self._made(fed, lambda s: specialized(self.graph, self._targets, s)[0])
            known = (runner, Homes(self.graph.parameters()))
            keep_few(self._runners, key, known)
        return known[0]

    def profile(
        self, feed: Mapping[Any, Tensor] | None = None, /, runs: int = 200, **named: Tensor
    ) -> Profile:
        """The microseconds of each line."""
        fed = self._bound(feed, named)
        runner = self._last = self._runner(fed)
        arguments = [fed[name] for name in runner.fed]
        return self._explained(fed, lambda: profiled(runner, arguments, runs))
