"""One update that several processes make together, each with its rows of the batches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import isfinite, isnan
from operator import add
from typing import TYPE_CHECKING

from graphnet.compile.ir.build import Clip
from graphnet.compile.run.bystander import Bystander, non_finite_across
from graphnet.compile.run.compiled import Options
from graphnet.compile.run.update import Update
from graphnet.compile.run.weighted import WeightedStep
from graphnet.distributed.packet import sum_gradients
from graphnet.errors import EmptyBatchError, NonFiniteError
from graphnet.optim import clip_grad_norm_, clip_grad_value_
from graphnet.snapshot import Snapshot, buffers_of
from graphnet.train.across import WISHES
from graphnet.train.means import shares
from graphnet.train.model_graph import numbered

if TYPE_CHECKING:
    from graphnet.graph import Node
    from graphnet.optim import Optimizer
    from graphnet.train.across import Across
    from graphnet.train.dataset import Batch
    from graphnet.train.settings import FitSettings
    from graphnet.train.training_graph import TrainingGraph


class UpdateAcross:
    """Updates from the gradients of all processes: by walks, or by programs.

    Args:
        task: what is learned.
        optimizer: of its parameters.
        settings: how to make updates.
        nodes: the losses that are distinguished: one, or that of each term.
        calls: how many batches there will be.
        across: the processes.
    """

    def __init__(
        self,
        task: TrainingGraph,
        optimizer: Optimizer,
        settings: FitSettings,
        nodes: list[Node],
        calls: int,
        across: Across,
    ) -> None:
        self.task, self.optimizer, self.settings = task, optimizer, settings
        self.nodes, self.across = nodes, across
        self._bystander = Bystander(task.graph, nodes, optimizer)
        backend = settings.compile if settings.compile in ("torch", "c") else None
        options = Options(settings.compile == "tune", backend, calls)
        clip = Clip(settings.clip, value=settings.clip_value)
        self._step = self._compiled(options) if settings.compile else None
        self._update = Update(optimizer, clip, options, self._is_checked)

    @property
    def _is_checked(self) -> bool:
        return self.settings.non_finite != "ignore"

    def _compiled(self, options: Options) -> WeightedStep:
        """The program for the gradients of a batch; several losses have a share each."""
        graph, nodes = self.task.graph, self.nodes
        if len(nodes) == 1:
            return WeightedStep(graph, self.task.loss, self.optimizer, options, [])
        names = numbered("share", len(nodes))
        inputs = [
            graph.input((), name=name, dtype=node.dtype)
            for name, node in zip(names, nodes, strict=True)
        ]
        terms = [node * share for node, share in zip(nodes, inputs, strict=True)]
        return WeightedStep(graph, reduce(add, terms), self.optimizer, options, terms)

    def __call__(self, batches: Sequence[Batch]) -> list[float]:
        """Make an update; returns the losses of all processes.

        Raises:
            NonFiniteError: the loss of a process is NaN or infinite, or cannot be clipped.
            EmptyBatchError: nothing counts, in any process.
            ProcessError: another process has ended, or does not come.
        """
        parts = shares(self.task.terms, batches)
        if any(map(isnan, parts[0])):
            raise EmptyBatchError(
                "the mean over an empty batch does not exist: nothing counts in it, in any process"
            )
        before = Snapshot(buffers_of(self.task.graph))
        try:
            return self._made(batches, parts)
        except (NonFiniteError, EmptyBatchError):
            before.restore()
            self.optimizer.zero_grad()
            raise

    def _made(self, batches: Sequence[Batch], parts: Sequence[tuple[float, ...]]) -> list[float]:
        losses = [0.0] * len(self.nodes)
        for place, (batch, part) in enumerate(zip(batches, parts, strict=True)):
            found = self._gradients(batch, part[: len(losses)], place == 0)
            losses = [loss + each for loss, each in zip(losses, found, strict=True)]
        means, bad = self._summed(losses)
        if self._is_checked and not isfinite(sum(means)):
            raise self._explained(batches[-1], sum(means), bad)
        self._finish(batches[-1], sum(means))
        return means

    def _gradients(self, batch: Batch, part: tuple[float, ...], first: bool) -> list[float]:
        """Add the gradients of a batch; returns its losses, each times its share."""
        feed, step = self.task.feed(batch), self._step
        if step is None or not all(part):
            known = {node: share for node, share in zip(self.nodes, part, strict=True) if share}
            found = self._bystander.walk(feed, known, accumulate=not first)
            return [found[node] * known[node] if node in known else 0.0 for node in self.nodes]
        if len(part) == 1:
            return [float(step.add(feed, part[0], first=first)) * part[0]]
        one = batch.inputs[0]
        for name, node, share in zip(numbered("share", len(part)), self.nodes, part, strict=True):
            feed[name] = one.new_full((), share, dtype=node.dtype)
        step.add(feed, 1.0, first=first)
        return [float(each) for each in step.watched]

    def _summed(self, losses: Sequence[float]) -> tuple[list[float], list[float]]:
        """Sum gradients and losses over the processes, with what each wants and what went wrong."""
        across, finite = self.across, all(map(isfinite, losses))
        bad = [float(not finite), 0.0 if finite else float(across.group.rank)]
        numbers = [*losses, *across.wishes, *bad]
        sums = sum_gradients(across.group, self.optimizer.prepared(), numbers)
        count = len(losses)
        across.agreed = sums[count : count + WISHES]
        return sums[:count], sums[count + WISHES :]

    def _finish(self, batch: Batch, loss: float) -> None:
        """Clip, and update: the same in all processes."""
        if self._step is None:
            if self.settings.clip is not None:
                clip_grad_norm_(self.optimizer.parameters, self.settings.clip)
            if self.settings.clip_value is not None:
                clip_grad_value_(self.optimizer.parameters, self.settings.clip_value)
            self.optimizer.step()
            return
        try:
            self._update(loss)
        except NonFiniteError:
            raise self._explained(batch, loss, [0.0, 0.0]) from None

    def _explained(self, batch: Batch, loss: float, bad: Sequence[float]) -> NonFiniteError:
        graph, feed = self.task.graph, self.task.feed(batch)
        return non_finite_across(graph, self.nodes, feed, self.across.group, [loss, *bad])
