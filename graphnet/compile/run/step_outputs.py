"""A training step that also returns the values of other nodes, such as the logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphnet.compile.run.step import Step

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.build import Clip
    from graphnet.compile.run.compiled import Options
    from graphnet.graph import Graph, Node
    from graphnet.optim.base import Optimizer


class StepWithOutputs(Step):
    """A training step that returns the loss, then each output, all before the update.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((None,), name="x")
    >>> w = graph.parameter(empty(()).fill_(1), name="w")
    >>> y = x * w
    >>> step = graph.compile((y ** 2).mean(), gn.SGD([w], lr=0.1), outputs=[y])
    >>> step(x=empty(2).fill_(1))
    (tensor(1.), tensor([1., 1.]))

    `accumulate` and `many` return losses, as those of `Step` do.
    """

    def __init__(
        self,
        graph: Graph,
        loss: Node,
        optimizer: Optimizer,
        clip: Clip,
        options: Options,
        check_finite: bool,
        watch: Sequence[Node],
        outputs: Sequence[Node],
    ) -> None:
        self._count = len(outputs)
        super().__init__(graph, loss, optimizer, clip, options, check_finite, [*outputs, *watch])

    def __call__(  # type: ignore[override]  # it returns more
        self, feed: Mapping[Any, Tensor] | None = None, /, **named: Tensor
    ) -> tuple[Tensor, ...]:
        """Make one step, and return the loss and the outputs before it, as new tensors.

        Raises:
            FeedError: a feed is missing, misnamed, or not what its input requires.
            ShapeError: the fed sizes do not fit together.
            NonFiniteError: the loss is NaN or infinite; parameters and state are as before.
        """
        loss = super().__call__(feed, **named)
        found = self.watched
        self.watched = found[self._count :]
        return loss, *found[: self._count]
