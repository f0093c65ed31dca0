"""Losses for two classes or several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.errors import RangeError
from graphnet.graph import Parameter
from graphnet.losses.base import Loss
from graphnet.ops.classification import check_ignored
from graphnet.validation import require_range

if TYPE_CHECKING:
    from torch import Tensor


class LossBCE(Loss):
    """The cross-entropy of probabilities y and targets t, both in [0, 1].

    Shapes: predictions s, targets s -> (); weight any that expands to s. For the formula see
    `ops.binary_cross_entropy`.

    Raises:
        ShapeError: the shapes differ; only the weight is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        RangeError: a value lies outside [0, 1].
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossBCE().forward(empty(3).fill_(0.5), empty(3).fill_(1))
    tensor(0.6931)
    """

    function = ops.binary_cross_entropy

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = weight_buffer(weight)


class LossBCEWithLogits(Loss):
    """The cross-entropy of probabilities σ(y) and targets t, exact for logits y of any size.

    Shapes: predictions s, targets s -> (); weights any that expand to s. For the formula see
    `ops.binary_cross_entropy_with_logits`.

    Raises:
        ShapeError: the shapes differ; only the weights are broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
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
        self.weight, self.pos_weight = weight_buffer(weight), weight_buffer(pos_weight)


class LossCrossEntropy(Loss):
    """The cross-entropy of class probabilities softmax(y) and labels, or probabilities, t.

    Shapes: predictions (n, c, ...), targets (n, ...) of int64, or floating-point as the predictions
    -> (); weight (c). For the formula see `ops.cross_entropy`.

    Raises:
        ShapeError: the shapes do not fit.
        DtypeError: the labels are not int64, or the others are not of one floating dtype.
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
        self.weight = weight_buffer(weight)
        self.ignore_index = check_ignored(ignore_index)
        self.label_smoothing = require_range("label_smoothing", label_smoothing, high=1)

    def counted(self, targets: Tensor) -> Tensor:
        """The sum of the weights of each row's labels without ignored ones; 1 for probabilities.

        Shapes: targets (n, ...) -> (n,) of float64.

        Raises:
            RangeError: a label has no weight.

        >>> from torch import empty
        >>> labels = empty(2, 3).fill_(1).long()
        >>> labels[0, 0] = -100
        >>> LossCrossEntropy().counted(labels)
        tensor([2., 3.], dtype=torch.float64)
        """
        if targets.is_floating_point():
            return super().counted(targets)
        return _weights_of(targets, self.weight, self.ignore_index)


class LossNLL(Loss):
    """The negative log-likelihood of labels under log-probabilities y: the mean of -y[label].

    Shapes: predictions (n, c, ...), targets (n, ...) of int64 -> (); weight (c). For the formula
    see `ops.nll_loss`.

    Raises:
        ShapeError: the shapes do not fit.
        DtypeError: the labels are not int64, or the others are not of one floating dtype.
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
        self.weight, self.ignore_index = weight_buffer(weight), check_ignored(ignore_index)

    def counted(self, targets: Tensor) -> Tensor:
        """The sum of the weights of each row's labels without ignored ones.

        Shapes: targets (n, ...) -> (n,) of float64.

        Raises:
            RangeError: a label has no weight.
        """
        return _weights_of(targets, self.weight, self.ignore_index)


class LossHinge(Loss):
    """The amount by which scores y miss a margin of 1: mean max(0, 1 - t y), labels t = -1 or 1.

    Shapes: predictions s, targets s -> (). For the source see `ops.hinge_loss`.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        RangeError: a label is not -1 or 1.
        EmptyBatchError: there are no elements.

    >>> from torch import empty
    >>> LossHinge().forward(empty(3).fill_(0.25), empty(3).fill_(-1))
    tensor(1.2500)
    """

    function = ops.hinge_loss


def weight_buffer(value: Tensor | None) -> Parameter | None:
    """The weight of a loss as a buffer; None if there is none."""
    return None if value is None else Parameter(value, requires_grad=False)


def _weights_of(labels: Tensor, weight: Parameter | None, ignored: int) -> Tensor:
    """The total weight of the labels of each row, by which `ops.cross_entropy` divides."""
    counts = labels.ne(ignored)
    if weight is None:
        return counts.double().reshape(_rows(labels)).sum(1)
    known = labels.masked_fill(~counts, 0)
    if known.numel() and (int(known.min()) < 0 or int(known.max()) >= len(weight.top)):
        raise RangeError(
            f"a label must be a class from 0 to {len(weight.top) - 1}, one for each weight, or "
            f"ignore_index={ignored}; got {int(known.min())} to {int(known.max())}"
        )
    weights = weight.top.to(labels.device).double()[known].masked_fill(~counts, 0.0)
    return weights.reshape(_rows(labels)).sum(1)


def _rows(labels: Tensor) -> tuple[int, int]:
    """The shape (rows, labels of each); -1 would fail if there are no labels."""
    return len(labels), labels.shape[1:].numel()
