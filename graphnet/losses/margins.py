"""Losses of scores that should lead by a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.errors import RangeError
from graphnet.losses.base import Loss
from graphnet.losses.classification import weight_buffer
from graphnet.validation import must_be, require_numbers

if TYPE_CHECKING:
    from torch import Tensor


class LossSoftMargin(Loss):
    """log(1 + e^(-t x)) for targets t of 1 and -1: see `ops.soft_margin_loss`.

    Shapes: predictions s, targets s -> ().

    Raises:
        ShapeError: the shapes differ.
        GraphError: the reduction is unknown.

    >>> from torch import empty
    >>> LossSoftMargin().forward(empty(2).fill_(0), empty(2).fill_(1))
    tensor(0.6931)
    """

    function = ops.soft_margin_loss


class LossMultiMargin(Loss):
    """How far the score of the right class should lead: see `ops.multi_margin_loss`.

    Shapes: predictions (n, c), targets (n) of int64, weight (c) -> ().

    Raises:
        RangeError: p is neither 1 nor 2.
        GraphError: the margin is not a number, the weight no tensor, or the reduction is unknown.

    >>> from torch import empty
    >>> LossMultiMargin().forward(empty(1, 2).fill_(3), empty(1).fill_(0).long())
    tensor(0.5000)
    """

    function = ops.multi_margin_loss

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        require_numbers(margin=margin)
        if p not in (1, 2):
            raise RangeError(must_be("p", "1 or 2", p))
        self.p, self.margin, self.weight = p, margin, weight_buffer(weight)


class LossMultiLabelMargin(Loss):
    """How far the scores of several right classes should lead: see `ops.multilabel_margin_loss`.

    Shapes: predictions (n, c), targets (n, c) of int64: the right classes, then -1 -> ().

    Raises:
        ShapeError: the shapes differ.
        GraphError: the reduction is unknown.

    >>> from torch import empty
    >>> target = empty(1, 2).fill_(-1).long()
    >>> LossMultiLabelMargin().forward(empty(1, 2).fill_(3), target)
    tensor(0.)
    """

    function = ops.multilabel_margin_loss
