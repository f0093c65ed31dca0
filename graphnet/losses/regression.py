"""Losses for numbers and distributions."""

from __future__ import annotations

from graphnet import ops
from graphnet.losses.base import Loss
from graphnet.validation import require_flag, require_range


class LossMSE(Loss):
    """The mean squared error: mean (y - t)² over every element.

    Shapes: predictions s, targets s -> ().

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossMSE().forward(empty(2, 3).fill_(1), empty(2, 3).fill_(3))
    tensor(4.)
    """

    function = ops.mse_loss


class LossL1(Loss):
    """The mean absolute error: mean |y - t| over every element.

    Shapes: predictions s, targets s -> ().

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossL1().forward(empty(2, 3).fill_(1), empty(2, 3).fill_(3))
    tensor(2.)
    """

    function = ops.l1_loss


class LossSmoothL1(Loss):
    """The absolute error, smoothed to a parabola for differences below beta.

    Shapes: predictions s, targets s -> (). For the formula see `ops.smooth_l1_loss`.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        RangeError: beta is below 0.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossSmoothL1(beta=2).forward(empty(2).fill_(1), empty(2).fill_(4))
    tensor(2.)
    """

    function = ops.smooth_l1_loss

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = require_range("beta", beta, finite=False)


class LossHuber(Loss):
    """Half the squared error for differences up to delta, and a straight line beyond.

    Shapes: predictions s, targets s -> (). For the formula see `ops.huber_loss`.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        RangeError: delta is not above 0.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossHuber(delta=2).forward(empty(2).fill_(1), empty(2).fill_(4))
    tensor(4.)
    """

    function = ops.huber_loss

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = require_range("delta", delta, above=0, finite=False)


class LossKLDiv(Loss):
    """The divergence of probabilities t from log-probabilities y: t (log t - y) at each element.

    Shapes: predictions s, targets s -> (). With `log_target` the targets hold log t; "batchmean"
    divides by the first size only.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossKLDiv(reduction="batchmean").forward(empty(2, 2).fill_(-1), empty(2, 2).fill_(0.5))
    tensor(0.3069)
    """

    function = ops.kl_div
    reductions = ("mean", "sum", "none", "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = require_flag("log_target", log_target)
