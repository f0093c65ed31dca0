"""The gradients of a loss that counts more or less, for updates from the rows of several processes.

A weight multiplies the gradient that the backward pass begins with: so a sum over processes on its
way adds up what counts as it shall.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphnet.compile.ir.build import Clip
from graphnet.compile.run.step import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from graphnet.compile.run.compiled import Options
    from graphnet.graph import Graph, Node
    from graphnet.optim.base import Optimizer


class WeightedStep(Step):
    """A step that only computes gradients, each part of them times a weight."""

    def __init__(
        self,
        graph: Graph,
        loss: Node,
        optimizer: Optimizer,
        options: Options,
        watch: Sequence[Node],
    ) -> None:
        super().__init__(graph, loss, optimizer, Clip(), options, False, watch)
        self.share = "share"
        while self.share in {node.name for node in graph.inputs}:
            self.share += "_"

    def add(self, fed: Mapping[str, Tensor], weight: float, *, first: bool) -> Tensor:
        """Add the gradients of some rows, and return their loss, without the weight.

        Args:
            fed: the rows, by the names of the inputs.
            weight: what the gradients are multiplied by.
            first: True to replace the gradients that are there.
        """
        some = next(iter(fed.values()))
        share = some.new_full((), weight, dtype=self.loss.dtype)
        if first:
            self._pending = False
        return self.accumulate({**fed, str(self.share): share})

    def _bound(self, feed: Mapping[Any, Any] | None, named: dict[str, Any]) -> dict[str, Tensor]:
        given = dict(self._merged(feed, named))
        share = given.pop(self.share, None)
        bound = super()._bound(given, {})
        return bound if share is None else {**bound, str(self.share): share}

    def _walk(self, fed: Mapping[str, Tensor], whole: bool = False) -> None:
        own = {name: each for name, each in fed.items() if name != self.share}
        super()._walk(own, whole)
