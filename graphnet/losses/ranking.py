"""Losses of three inputs: triplets, pairs, rankings, and numbers with a variance."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.losses.base import Loss
from graphnet.validation import require_flags, require_numbers, require_range

if TYPE_CHECKING:
    from graphnet.graph import Node


class LossOfThree(Loss):
    """The base class of losses of three inputs."""

    def build(  # type: ignore[override]  # it takes three
        self, first: Node, second: Node, third: Node, /
    ) -> Node:
        """Append the loss."""
        settings = {name: getattr(self, name) for name in signature(type(self)).parameters}
        loss: Node = type(self).function(first, second, third, **settings)
        return loss


class LossTripletMargin(LossOfThree):
    """How much farther a negative should be than a positive: see `ops.triplet_margin_loss`.

    Shapes: anchor (n, d), positive (n, d), negative (n, d) -> ().

    Raises:
        RangeError: the margin is not above 0.
        GraphError: another argument has a wrong type, or the reduction is unknown.

    >>> from torch import empty
    >>> x = empty(2, 3).fill_(1)
    >>> LossTripletMargin(margin=0.5).forward(x, x, x)
    tensor(0.5000)
    """

    function = ops.triplet_margin_loss

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        require_numbers(p=p, eps=eps)
        require_flags(swap=swap)
        self.margin, self.p = require_range("margin", margin, above=0), p
        self.eps, self.swap = eps, swap


class LossMarginRanking(LossOfThree):
    """Which of two numbers should be the larger: see `ops.margin_ranking_loss`.

    Shapes: x1 (n), x2 (n), target (n) of 1 and -1 -> ().

    Raises:
        GraphError: the margin is not a number, or the reduction is unknown.

    >>> from torch import empty
    >>> LossMarginRanking().forward(empty(2).fill_(1), empty(2).fill_(3), empty(2).fill_(1))
    tensor(2.)
    """

    function = ops.margin_ranking_loss

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        require_numbers(margin=margin)
        self.margin = margin


class LossCosineEmbedding(LossOfThree):
    """Whether two vectors should have one direction: see `ops.cosine_embedding_loss`.

    Shapes: x1 (n, d), x2 (n, d), target (n) of 1 and -1 -> ().

    Raises:
        GraphError: the margin is not a number, or the reduction is unknown.

    >>> from torch import empty
    >>> x = empty(2, 3).fill_(1)
    >>> LossCosineEmbedding(margin=0.5).forward(x, x * 2, empty(2).fill_(-1))
    tensor(0.5000)
    """

    function = ops.cosine_embedding_loss

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        require_numbers(margin=margin)
        self.margin = margin


class LossGaussianNLL(LossOfThree):
    """The negative log-likelihood of normal distributions: see `ops.gaussian_nll_loss`.

    Shapes: means s, targets s, variances s, or with a last size of 1 -> ().

    Raises:
        RangeError: eps is not above 0.
        GraphError: `full` is not True or False, or the reduction is unknown.

    >>> from torch import empty
    >>> LossGaussianNLL().forward(empty(2).fill_(3), empty(2).fill_(1), empty(2).fill_(1))
    tensor(2.)
    """

    function = ops.gaussian_nll_loss

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        require_flags(full=full)
        self.full, self.eps = full, require_range("eps", eps, above=0)
