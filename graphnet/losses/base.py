"""The base class of losses: their arguments, and the divisor of their means."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar

from graphnet.errors import GraphError
from graphnet.graph import Parameter
from graphnet.layers import Module
from graphnet.ops.dims import TENSOR
from graphnet.ops.losses import REDUCTIONS
from graphnet.validation import require_choice

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Node
    from graphnet.graph.nodelist import NodeList


class Loss(Module):
    """The base class of losses; a subclass names its `function`, or defines `build`.

    The function takes predictions, targets, and each argument of the constructor by name. The
    reduction is the "mean" over all elements, their "sum", or "none" for one loss each.

    Raises:
        GraphError: the reduction is unknown.
    """

    function: ClassVar[Callable[..., Any]]
    reductions: tuple[str, ...] = REDUCTIONS
    """The reductions that this loss takes."""
    reduction: str = "mean"
    """The default stands here, so that a subclass need not call this constructor."""

    def __init__(self, *, reduction: str = "mean") -> None:
        self.reduction = require_choice("reduction", reduction, self.reductions)

    def build(self, predictions: Node, targets: Node, /) -> Node:
        """Append the loss."""
        settings = {name: getattr(self, name) for name in signature(type(self)).parameters}
        loss: Node = type(self).function(predictions, targets, **settings)
        return loss

    def append_to(self, graph: NodeList, *inputs: Any, **named: Any) -> Any:
        """Append the loss; a tensor among nodes would be the same targets in each step.

        Raises:
            GraphError: an input is a tensor.
        """
        for each in (*inputs, *named.values()):
            if isinstance(each, TENSOR):
                raise GraphError(
                    f"{type(self).__name__} takes nodes; got a tensor, which would stay the same "
                    "in each step. Add targets to the list by graph.input(shape, name=...), and "
                    "feed them."
                )
        return super().append_to(graph, *inputs, **named)

    def counted(self, targets: Tensor) -> Tensor:
        """The weight of each row in the mean: 1, unless a subclass defines it otherwise.

        The mean over many rows is the mean of its batches' means, each weighted by the sum of
        this. So evaluation does not depend on the batch size, and accumulated gradients are those
        of one large batch. The reduction "sum" does not use it: sums are added.
        Shapes: targets (n, ...) -> (n,) of float64.

        >>> from graphnet import LossMSE
        >>> from torch import empty
        >>> LossMSE().counted(empty(3, 2))
        tensor([1., 1., 1.], dtype=torch.float64)
        """
        return targets.new_empty(targets.shape[:1]).double().fill_(1)

    def extra_repr(self) -> str:
        """The settings that are not torch's defaults."""
        chosen = []
        for name, argument in signature(type(self)).parameters.items():
            value = getattr(self, name, argument.default)
            if not isinstance(value, Parameter) and value != argument.default:
                chosen.append(f"{name}={value!r}")
        return ", ".join(chosen)
