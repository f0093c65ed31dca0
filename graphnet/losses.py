"""Losses as modules of two inputs: predictions, and the targets they should have met.

The arguments are those of torch.nn; a weight is given as a tensor and becomes a buffer.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar

from graphnet import ops
from graphnet.errors import GraphError
from graphnet.graph import Parameter
from graphnet.layers import Module
from graphnet.ops.arguments import require_flag
from graphnet.ops.classification import check_ignored, check_smoothing
from graphnet.ops.losses import REDUCTIONS, check_bend

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
            raise GraphError(f"reduction is one of {self.reductions}; {reduction!r} came.")
        self.reduction = reduction

    def build(self, predictions: Node, targets: Node) -> Node:
        """Append the loss."""
        settings = {name: getattr(self, name) for name in signature(type(self)).parameters}
        loss: Node = type(self).function(predictions, targets, **settings)
        return loss

    def extra_repr(self) -> str:
        """The settings that are not torch's defaults."""
        chosen = []
        for name, argument in signature(type(self)).parameters.items():
            value = getattr(self, name, argument.default)
            if not isinstance(value, Parameter) and value != argument.default:
                chosen.append(f"{name}={value!r}")
        return ", ".join(chosen)


class LossMSE(Loss):
    """The mean squared error: mean (y - t)² over every element.

    Shapes: predictions s, targets s -> ().

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the number types differ, or are not floating.
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
        DtypeError: the number types differ, or are not floating.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossL1().forward(empty(2, 3).fill_(1), empty(2, 3).fill_(3))
    tensor(2.)
    """

    function = ops.l1_loss


class LossSmoothL1(Loss):
    """The absolute error, rounded off to a parabola for differences below beta.

    Shapes: predictions s, targets s -> (). The formula stands at `ops.smooth_l1_loss`.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the number types differ, or are not floating.
        RangeError: beta is below 0.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossSmoothL1(beta=2).forward(empty(2).fill_(1), empty(2).fill_(4))
    tensor(2.)
    """

    function = ops.smooth_l1_loss

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = check_bend("beta", beta, zero=True)


class LossHuber(Loss):
    """Half the squared error for differences up to delta, and a straight line beyond.

    Shapes: predictions s, targets s -> (). The formula stands at `ops.huber_loss`.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the number types differ, or are not floating.
        RangeError: delta is not above 0.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossHuber(delta=2).forward(empty(2).fill_(1), empty(2).fill_(4))
    tensor(4.)
    """

    function = ops.huber_loss

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = check_bend("delta", delta)


class LossBCE(Loss):
    """The cross-entropy of probabilities y and targets t, both in [0, 1].

    Shapes: predictions s, targets s -> (); weight any that expands to s. The formula stands at
    `ops.binary_cross_entropy`.

    Raises:
        ShapeError: the shapes differ; nothing but the weight is broadcast.
        DtypeError: the number types differ, or are not floating.
        RangeError: a value lies outside [0, 1].
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossBCE().forward(empty(3).fill_(0.5), empty(3).fill_(1))
    tensor(0.6931)
    """

    function = ops.binary_cross_entropy

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = _buffer(weight)


class LossBCEWithLogits(Loss):
    """The cross-entropy of probabilities σ(y) and targets t, exact for logits y of any size.

    Shapes: predictions s, targets s -> (); weights any that expand to s. The formula stands at
    `ops.binary_cross_entropy_with_logits`.

    Raises:
        ShapeError: the shapes differ; nothing but the weights is broadcast.
        DtypeError: the number types differ, or are not floating.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossBCEWithLogits().forward(empty(3).fill_(-1000), empty(3).fill_(1))
    tensor(1000.)
    """

    function = ops.binary_cross_entropy_with_logits

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight, self.pos_weight = _buffer(weight), _buffer(pos_weight)


class LossCrossEntropy(Loss):
    """The cross-entropy of class probabilities softmax(y) and labels, or probabilities, t.

    Shapes: predictions (n, c, ...), targets (n, ...) of int64, or floating as the predictions
    -> (); weight (c). The formula stands at `ops.cross_entropy`.

    Raises:
        ShapeError: the shapes do not fit.
        DtypeError: the labels are not int64, or the others not floating and of one number type.
        RangeError: a label is not a class, or the smoothing is not between 0 and 1.
        EmptyBatchError: no label counts, or there are none.

    >>> from torch import empty
    >>> LossCrossEntropy().forward(empty(2, 3).fill_(1000), empty(2).fill_(1).long())
    tensor(1.0986)
    """

    function = ops.cross_entropy

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight = _buffer(weight)
        self.ignore_index = check_ignored(ignore_index)
        self.label_smoothing = check_smoothing(label_smoothing)


class LossNLL(Loss):
    """The negative log-likelihood of labels under log-probabilities y: the mean of -y[label].

    Shapes: predictions (n, c, ...), targets (n, ...) of int64 -> (); weight (c). The formula
    stands at `ops.nll_loss`.

    Raises:
        ShapeError: the shapes do not fit.
        DtypeError: the labels are not int64, or the others not floating and of one number type.
        RangeError: a label is not a class.
        EmptyBatchError: no label counts, or there are none.

    >>> from torch import empty
    >>> LossNLL().forward(empty(2, 3).fill_(-0.5), empty(2).fill_(1).long())
    tensor(0.5000)
    """

    function = ops.nll_loss

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight, self.ignore_index = _buffer(weight), check_ignored(ignore_index)


class LossKLDiv(Loss):
    """The divergence of probabilities t from log-probabilities y: t (log t - y) at every element.

    Shapes: predictions s, targets s -> (). With `log_target` the targets hold log t; "batchmean"
    divides by the first size only.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the number types differ, or are not floating.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossKLDiv(reduction="batchmean").forward(empty(2, 2).fill_(-1), empty(2, 2).fill_(0.5))
    tensor(0.3069)
    """

    function = ops.kl_div
    reductions = ("mean", "sum", "none", "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        require_flag(log_target=log_target)
        self.log_target = log_target


class LossHinge(Loss):
    """How far scores y fall short of a margin of 1: mean max(0, 1 - t y), labels t are -1 or 1.

    Shapes: predictions s, targets s -> (). The source stands at `ops.hinge_loss`.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the number types differ, or are not floating.
        RangeError: a label is not -1 or 1.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossHinge().forward(empty(3).fill_(0.25), empty(3).fill_(-1))
    tensor(1.2500)
    """

    function = ops.hinge_loss


def _buffer(value: Tensor | None) -> Parameter | None:
    return None if value is None else Parameter(value, requires_grad=False)
