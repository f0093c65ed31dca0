"""A whole training step as one program: what `graph.compile(loss, optimizer)` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch

from graphnet.compile.ir.build import Clip, Shapes, Update, training_program
from graphnet.compile.run.batches import Batches
from graphnet.compile.run.bursts import make_steps
from graphnet.compile.run.cached_step import CachedStep, ParameterRoles, StepMode
from graphnet.compile.run.compiled import Compiled, Options, ParameterGuard
from graphnet.compile.run.quick import QuickStep
from graphnet.compile.run.settings import Known, VaryingSettings
from graphnet.compile.run.take_over import take_over
from graphnet.compile.targets.torch.execution import NotFinite, without_autograd
from graphnet.errors import GraphError, ProcessError, ShapeError
from graphnet.graph.finite import non_finite_error
from graphnet.graph.guards import Uninterrupted
from graphnet.graph.walks import keep_few
from graphnet.snapshot import Snapshot, buffers_of

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Program
    from graphnet.compile.run.runner import Profile
    from graphnet.graph import Graph, Node
    from graphnet.optim.base import Optimizer
    from graphnet.optim.buckets import Bucket, Mark


class Step(Compiled):
    """A training step: loss, gradients, clipping and update, as one program.

    It works on the parameters and the state of the optimizer where they lie, so that compiled
    steps, walked ones, `optimizer.step()` and loading a state may follow each other in any order.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((None,), name="x")
    >>> w = graph.parameter(empty(()).fill_(1), name="w")
    >>> step = graph.compile(((x * w) ** 2).mean(), gn.SGD([w], lr=0.1))
    >>> step(x=empty(2).fill_(1))
    tensor(1.)
    >>> w.top
    tensor(0.8000)

    Attributes:
        watched: the values of the watched nodes in the last step, as new tensors.
    """

    is_measured = True
    share: str | None = None
    """The name of the number by which gradients are multiplied; see `WeightedStep`."""

    def __init__(
        self,
        graph: Graph,
        loss: Node,
        optimizer: Optimizer,
        clip: Clip,
        options: Options,
        check_finite: bool = True,
        watch: Sequence[Node] = (),
    ) -> None:
        super().__init__(graph, [loss, *watch], options)
        if loss.shape != () or not loss.dtype.is_floating_point:
            raise GraphError(f"A training step makes one number smaller; {loss!r} is not one.")
        self.loss, self.optimizer = loss, optimizer
        self._clip, self._check_finite = clip, check_finite
        self._settings = VaryingSettings(optimizer)
        self._roles = ParameterRoles(graph, loss, optimizer)
        self._cache: dict[object, CachedStep] = {}
        self._current: CachedStep | None = None
        self._pending = False
        self._quick: QuickStep | None = None
        self.watched: tuple[Tensor, ...] = ()
        self._uninterrupted = Uninterrupted()

    def __call__(self, feed: Mapping[Any, Tensor] | None = None, /, **named: Tensor) -> Tensor:
        """Make one step, and return the loss before it as a new tensor.

        Raises:
            FeedError: a feed is missing, misnamed, or not what its input requires.
            ShapeError: the fed sizes do not fit together.
            NonFiniteError: the loss is NaN or infinite; the message names the first such node.
                Parameters and state are as before.
        """
        with self._exclusive:
            fed = self._merged(feed, named)
            loss = None if self._quick is None else self._quick(fed)
            if loss is None:
                loss = self._run(fed, update=True)
                self._pending = False
                self._quick = QuickStep.of(self, self._current) if self._current else None
        return loss

    def accumulate(self, feed: Mapping[Any, Tensor] | None = None, /, **named: Tensor) -> Tensor:
        """Add to the gradients without an update; the next step adds its own, and updates.

        The sum is that of `graph.backward(loss, accumulate=True)`: the losses of all batches are
        added, not averaged.
        """
        with self._exclusive:
            loss = self._run(self._merged(feed, named), update=False)
        self._pending = True
        return loss

    def many(
        self,
        feed: Mapping[Any, Tensor] | None = None,
        /,
        *,
        batch_size: int | None = None,
        order: Tensor | None = None,
        **named: Tensor,
    ) -> Tensor:
        """Make several steps in one call.

        Args:
            feed: tensors by node or by name. Without `batch_size` their first dimension counts the
                steps; with it they are whole data sets, of which each step takes some rows.
            batch_size: the rows of a step; the last step takes the rest.
            order: the indices of the rows, in the order in which they are taken; None for all.
            named: tensors by the names of their inputs.

        Returns:
            The loss of each step. Shape (steps,).

        Raises:
            FeedError: the tensors have different first sizes, or a step refuses its part. The
                steps before it have been made.
        """
        fed = {_name(key): value for key, value in self._merged(feed, named).items()}
        batches = Batches(fed, batch_size, order)
        device = next(each.device for each in fed.values())
        losses = torch.empty(len(batches), dtype=self.loss.dtype, device=device)
        with self._exclusive:
            make_steps(self, batches, losses)
        return losses

    def profile(
        self, feed: Mapping[Any, Tensor] | None = None, /, runs: int = 200, **named: Tensor
    ) -> Profile:
        """The microseconds of each line of a step; parameters and state are put back afterwards."""
        fed = self._bound(feed, named)
        with Snapshot(self._memory()):
            try:
                mode, buckets = self._prepared(update=True)
                numbers = self._settings.of_all(buckets)
                cached, values = self._found(fed, buckets, numbers, mode)
                return self._explained(fed, lambda: cached.runner.profile(values, runs))
            except NotFinite as error:
                raise self._non_finite(error, fed) from None

    def _memory(self) -> list[Tensor]:
        """Everything that a step changes."""
        return [
            *(memory for bucket in self.optimizer.buckets() for memory in bucket.memory()),
            *buffers_of(self.graph),
        ]

    # one step

    def _run(self, fed: Mapping[Any, Tensor], update: bool) -> Tensor:
        cached, optimizer = self._current, self.optimizer
        ready = cached is not None and cached.runner.takes(fed)
        if not ready:
            fed = self._bound(fed, {})
        mode, buckets = self._prepared(update)
        marks = [bucket.mark() for bucket in buckets]
        made = False
        try:
            numbers = self._settings.of_all(buckets) if update else [{} for _ in buckets]
            values = None
            if cached is not None and ready and mode is cached.mode:
                values = cached.values(fed, numbers, optimizer.edits)
            if cached is None or values is None:
                cached, values = self._found(fed, buckets, numbers, mode)
            if cached.native is not None and cached.native.is_due():
                values = take_over(self, cached, fed, numbers) or values
            with self._uninterrupted:
                with without_autograd(True):
                    loss, *watched = cached.runner.function(*values)
                self._done(mode, cached, buckets, marks)
                made = True
        except BaseException as error:
            for bucket, mark in zip(buckets, () if made else marks, strict=not made):
                bucket.undo(mark)
            if isinstance(error, NotFinite):
                raise self._non_finite(error, fed) from None
            if isinstance(error, Exception) and not isinstance(error, ProcessError):
                # re-raises in the graph's terms
                self._walk(fed, isinstance(error, ShapeError))
            raise
        if watched:
            self.watched = tuple([each.clone() for each in watched])
        fresh: Tensor = loss.clone()
        return fresh

    def _prepared(self, update: bool) -> tuple[StepMode, list[Bucket]]:
        """The kind of the next step (that of the current program if it fits), and its buckets."""
        optimizer, adds = self.optimizer, self._pending
        whole = optimizer.buckets()
        if self._roles.whole is not whole or self._roles.size != len(self.graph):
            self._roles = ParameterRoles(self.graph, self.loss, optimizer)
        roles = self._roles
        given = roles.given(update, adds) if roles.others else ()
        mode = self.graph.modes, update, adds, given
        if adds:
            for each in roles.reached:
                if not each.fresh:
                    each.grad = None  # what a step has used is not added to
        cached = self._current
        if cached is not None and cached.is_for(mode, whole):
            return cached.mode, cached.buckets
        other = StepMode(*mode)
        buckets = optimizer.prepared(roles.updated(other))
        roles.whole = optimizer.buckets()  # which may have been split
        return other, buckets

    def _done(
        self,
        mode: StepMode,
        cached: CachedStep,
        buckets: Sequence[Bucket],
        marks: Sequence[Mark],
        steps: int = 1,
    ) -> None:
        """Note what steps have done to parameters and gradients."""
        if cached.runner.is_native:
            for bucket in buckets:
                bucket.arena.unseen += 1
        if not mode.adds:
            for parameter in self._roles.cleared:
                parameter.grad = None
        if mode.updates:
            for bucket, mark in zip(buckets, marks, strict=True):
                counted = steps * self.optimizer.counts(bucket.group)
                bucket.stepped(bucket.steps + counted, bucket.arena.writes - mark[0])
        else:
            for parameter in [each for bucket in buckets for each in bucket.parameters]:
                parameter.received()

    def _found(
        self, fed: Mapping[str, Tensor], buckets: list[Bucket], numbers: list[Known], mode: StepMode
    ) -> tuple[CachedStep, list[Any]]:
        """A program made earlier, or a new one, and its arguments."""
        known = [bucket.group | given for bucket, given in zip(buckets, numbers, strict=True)]
        whole = self._roles.whole
        if self._current is None or self._current.whole is not whole:
            self._cache.clear()  # the parameters or the state have moved
        elif self._current.buckets == buckets:
            self._settings.notice(self._current.known, known)
        key = (self._key(fed), mode, self._settings.constants(known))
        cached = self._cache.get(key)
        if cached is None or not cached.guard.holds():
            cached = self._new_step(fed, buckets, known, numbers, mode)
            keep_few(self._cache, key, cached)
        cached.known, cached.edits = known, self.optimizer.edits
        self._current, self._last = cached, cached.runner
        return cached, cast("list[Any]", cached.values(fed, numbers, cached.edits))

    def _new_step(
        self,
        fed: Mapping[str, Tensor],
        buckets: list[Bucket],
        known: list[Known],
        numbers: list[Known],
        mode: StepMode,
    ) -> CachedStep:
        arguments = [self._settings.arguments(each) if mode.updates else [] for each in known]
        optimizer = self.optimizer if mode.updates else None

        def build(shapes: Shapes, fast: bool) -> Program:
            checked = self._check_finite
            update = Update(optimizer, buckets, known, arguments, self._clip, checked, fast)
            kind: dict[str, Any] = {"add": mode.adds, "share": self.share}
            return training_program(self.graph, self._targets, shapes, update, **kind)

        runner, native = self._made(fed, build)
        return CachedStep(
            runner=runner,
            mode=mode,
            whole=self._roles.whole,
            buckets=buckets,
            known=known,
            arguments=arguments,
            fixed=[
                (place, name, value)
                for place, given in enumerate(numbers)
                for name, value in given.items()
                if name not in arguments[place]
            ],
            guard=ParameterGuard(self.graph.parameters()),
            edits=self.optimizer.edits,
            native=native,
        )

    def _non_finite(self, error: NotFinite, fed: Mapping[str, Tensor]) -> GraphError:
        """The error for a loss or norm that is not finite: walk the list to find out why."""
        self._walk(fed)
        name, loss = error.args[0], self.graph.name_of(self.loss)
        name = loss if name.startswith(loss) else name  # a copy in the program has a number
        return non_finite_error(self.graph, f"{name} is not finite")


def _name(key: Any) -> str:
    """The name of an input, which may be given as a node."""
    return key if isinstance(key, str) else key.name
