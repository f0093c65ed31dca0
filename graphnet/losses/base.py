"""The base class of losses: what they are called with, and what their means divide by."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar

from graphnet.errors import GraphError
from graphnet.graph import Parameter
from graphnet.layers import Module
from graphnet.ops.losses import REDUCTIONS

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Node


class Loss(Module):
    """The base class of losses; a subclass names its `function`, or writes `build`.

    The function takes predictions, targets, and every argument of the constructor by its name.
    The reduction is the "mean" over all elements, their "sum", or "none" for one loss each.

    Raises:
        GraphError: another reduction is asked for.
    """

    function: ClassVar[Callable[..., Any]]
    reductions: tuple[str, ...] = REDUCTIONS
    """The words that this loss takes."""

    def __init__(self, *, reduction: str = "mean") -> None:
        if reduction not in self.reductions:
            raise GraphError(f"reduction must be one of {self.reductions}; got {reduction!r}.")
        self.reduction = reduction

    def build(self, predictions: Node, targets: Node) -> Node:
        """Append the loss."""
        settings = {name: getattr(self, name) for name in signature(type(self)).parameters}
        loss: Node = type(self).function(predictions, targets, **settings)
        return loss

    def counted(self, targets: Tensor) -> Tensor:
        """How much each row counts in the mean: 1, where a subclass does not say otherwise.

        The mean over many rows is that of the means of its batches, each weighted by the sum of
        this: so evaluation does not depend on the batch size, and accumulated gradients are those
        of one large batch. For the reduction "sum" it is not asked: sums are added.
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
