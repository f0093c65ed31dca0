"""What `graph.compile` returns: a program for each set of shapes, made when first used."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from warnings import warn

import torch

from graphnet.compile.ir.build import Shapes, specialized
from graphnet.compile.lower.scalars import NotLowered
from graphnet.compile.passes import NATIVE_PASSES, PASSES, optimize
from graphnet.compile.run.bystander import apart
from graphnet.compile.run.native import Native
from graphnet.compile.run.runner import likenesses
from graphnet.compile.targets.c.assemble import NativeProgram
from graphnet.compile.targets.c.toolchain import NativeUnavailable
from graphnet.compile.targets.torch.assemble import assembled
from graphnet.compile.targets.torch.execution import NotFinite
from graphnet.compile.targets.torch.functional import BACKENDS, functional
from graphnet.compile.targets.torch.fuse import fuse
from graphnet.errors import ProcessError, StateError, counted
from graphnet.graph import Input, Node
from graphnet.graph.feed import bind, merged
from graphnet.graph.guards import Exclusive
from graphnet.graph.location import user_level
from graphnet.graph.walks import ancestors, keep_few
from graphnet.notebook import CSource, Source
from graphnet.snapshot import Snapshot, buffers_of, generators_of
from graphnet.validation import require_choice

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Program
    from graphnet.compile.passes.record import PassRecords
    from graphnet.compile.run.runner import Like, Profile, Runner
    from graphnet.graph import Graph, Parameter

_PASSES = (*PASSES, fuse)

Build = Callable[[Shapes, bool], "Program"]
"""Builds a program for these shapes; with True, in the form that suits calls of torch."""
Made = tuple["Runner", Native | None]
"""A program, and its native form if that is to take over later."""
R = TypeVar("R")
Values = TypeVar("Values", "Tensor", "tuple[Tensor, ...]")
"""What a prediction returns: the value of one node, or those of several."""


@dataclass(frozen=True)
class Options:
    """How programs are made.

    Attributes:
        tune: True to measure which kernels are fastest here.
        backend: "torch" for calls of torch, "c" for native code, None for native code once a
            program has run a while, or one of `functional.BACKENDS`.
        calls: how often it will be called; None if that is not known.

    Raises:
        GraphError: the backend is not one of them.
    """

    tune: bool = True
    backend: str | None = None
    calls: int | None = None

    def __post_init__(self) -> None:
        """Refuse an unknown backend."""
        require_choice("backend", self.backend, ("c", "torch", *BACKENDS, None))


class ParameterGuard:
    """Where parameters lie, and whether they are still there."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        arenas = {parameter.arena for parameter in parameters}
        self._changes = [(arena, arena.changes) for arena in arenas]

    def holds(self) -> bool:
        """True if none has been moved, frozen or unfrozen."""
        for arena, changes in self._changes:  # noqa: SIM110 - each step asks; any() is slower
            if arena.changes != changes:
                return False
        return True


class Compiled:
    """What a training step and a prediction have in common.

    Attributes:
        graph: the list that is compiled.
        is_measured: True if it may be measured which form is faster.
    """

    is_measured = False

    def __init__(self, graph: Graph, targets: Sequence[Node], options: Options) -> None:
        self.graph = graph
        self._targets, self._options = list(targets), options
        inputs = [node for node in ancestors(list(graph), targets) if isinstance(node, Input)]
        self._inputs = {node.name: node for node in inputs}
        self._last: Runner | None = None
        self._exclusive = Exclusive()

    @property
    def program(self) -> Program:
        """The list of nodes that the last call ran."""
        return self._latest().program

    @property
    def passes(self) -> PassRecords:
        """What each pass did to the list of the last call: before and after. They run once more.

        `print(step.passes)` counts nodes, `print(step.passes["cse"])` shows the lines that differ,
        `step.passes["cse"].after` is a list to print or draw.
        """
        from graphnet.compile.passes.record import PassRecords

        runner = self._latest()
        return PassRecords(runner.built, runner.passes)

    @property
    def source(self) -> Source:
        """The source that the last call ran: Python, or C if it is native code."""
        runner = self._latest()
        return (CSource if runner.is_native else Source)(runner.source)

    @property
    def memory(self) -> int:
        """The bytes of the buffers of the program that the last call ran."""
        return self._latest().memory

    def __repr__(self) -> str:
        names = ", ".join(repr(self.graph.name_of(node)) for node in self._targets[:3])
        more = ", ..." if len(self._targets) > 3 else ""
        made = f"{counted(len(self.program), 'node')}" if self._last else "made at the first call"
        return f"<{type(self).__name__} of {names}{more}: {made}>"

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
        """The tensors fed by node or name, and by keyword."""
        return merged(feed, named, self._inputs.values())

    def _key(self, fed: Mapping[str, Tensor]) -> object:
        """What a program depends on: the sizes and device of the fed tensors, and the mode."""
        shapes = tuple((name, tuple(fed[name].shape)) for name in self._inputs)
        return self.graph.modes, shapes, next((str(each.device) for each in fed.values()), None)

    def _walk(self, fed: Mapping[str, Tensor], whole: bool = False) -> None:
        """Walk the list once to find out what is wrong; buffers and random states stay."""
        with Snapshot(buffers_of(self.graph), generators_of(self.graph)), apart(self.graph, whole):
            self.graph.forward(fed, outputs=self._targets)

    def _explained(self, fed: Mapping[str, Tensor], run: Callable[[], R]) -> R:
        """What a run returns; an error is re-raised in the graph's terms."""
        try:
            return run()
        except (NotFinite, ProcessError):
            raise
        except Exception:
            self._walk(fed)
            raise

    def _made(self, fed: Mapping[str, Tensor], build: Build) -> Made:
        """A new program.

        Raises:
            ShapeError: the fed sizes do not fit together; the message is that of the walk.
        """
        with collector_paused():
            return self._explained(fed, lambda: self._first(fed, build))

    def _first(self, fed: Mapping[str, Tensor], build: Build) -> Made:
        """The program to begin with, and its native form if that is to take over later."""
        options, runner, native = self._options, None, None
        if options.backend == "c":
            runner = self._as_demanded(fed, build)
        elif options.backend is None:
            make = partial(self._native, likenesses(fed), build)
            native = Native(make, options.calls, measured=options.tune and self.is_measured)
            runner = native.first()
        return (self._printed(fed, build), native) if runner is None else (runner, None)

    def _as_demanded(self, fed: Mapping[str, Tensor], build: Build) -> Runner | None:
        """The native form of a program; if there is none, a warning says why."""
        try:
            return self._native(likenesses(fed), build).runner()
        except NotLowered as error:
            reason = f"no form in C: {error}"
        except NativeUnavailable as error:
            reason = str(error)
        warn(f'backend="c": {reason}. It runs as calls of torch.', stacklevel=user_level())
        return None

    def _native(self, fed: Mapping[str, Like], build: Build) -> NativeProgram:
        """A program in C, which is being compiled."""
        with collector_paused():
            built = build(_shapes(fed), False)
            return NativeProgram(built, optimize(built, NATIVE_PASSES), fed)

    def _printed(self, fed: Mapping[str, Tensor], build: Build) -> Runner:
        """A program as calls of torch, or as what a backend makes of it."""
        backend = self._options.backend
        built = build(_shapes(fed), backend not in BACKENDS)
        built.device = next((each.device for each in fed.values()), None)
        program = optimize(built, _PASSES)
        if backend in BACKENDS:
            runner = functional(program, fed, backend)
        else:
            with Snapshot(generators=generators_of(self.graph)):  # measuring draws random numbers
                runner = assembled(program, fed, self._options.tune)
        runner.built, runner.passes = built, _PASSES
        return runner


def _shapes(fed: Mapping[str, Tensor] | Mapping[str, Like]) -> Shapes:
    return {name: tuple(each.shape) for name, each in fed.items()}


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause Python's garbage collector: it would scan many objects that stay many times."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


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

    def __init__(self, graph: Graph, outputs: Node | Sequence[Node], options: Options) -> None:
        self._single = isinstance(outputs, Node)
        super().__init__(graph, [outputs] if isinstance(outputs, Node) else list(outputs), options)
        self._runners: dict[object, tuple[Runner, ParameterGuard, Native | None]] = {}

    def __call__(self, feed: Mapping[Any, Tensor] | None = None, /, **named: Tensor) -> Values:
        """Compute the outputs.

        Returns:
            The value of the output, a tuple for several; new tensors.

        Raises:
            FeedError: a feed is missing, misnamed, or not what its input requires.
            ShapeError: the fed sizes do not fit together.
        """
        with self._exclusive:
            fed = self._bound(feed, named)
            runner = self._last = self._runner(fed)
            with torch.inference_mode():
                arguments = [fed[name] for name in runner.fed]
                results = self._explained(fed, lambda: runner.function(*arguments))
            outputs = tuple(result.clone() for result in results)
        return cast("Values", outputs[0] if self._single else outputs)

    def _runner(self, fed: Mapping[str, Tensor]) -> Runner:
        """The program for these tensors; a new one if there is none, or if parameters moved."""
        key = self._key(fed)
        known = self._runners.get(key)
        if known is None or not known[1].holds():
            runner, native = self._made(fed, self._build)
            known = (runner, ParameterGuard(self.graph.parameters()), native)
            keep_few(self._runners, key, known)
        runner, guard, native = known
        if native is not None and native.is_due():
            other = native.advance()
            if other is not None:
                runner = other
                keep_few(self._runners, key, (runner, guard, None))
        return runner

    def _build(self, shapes: Shapes, torch_form: bool) -> Program:
        return specialized(self.graph, self._targets, shapes)[0]

    def profile(
        self, feed: Mapping[Any, Tensor] | None = None, /, runs: int = 200, **named: Tensor
    ) -> Profile:
        """The microseconds of each line."""
        fed = self._bound(feed, named)
        runner = self._last = self._runner(fed)
        arguments = [fed[name] for name in runner.fed]
        return self._explained(fed, lambda: runner.profile(arguments, runs))
