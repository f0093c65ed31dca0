"""Losses for several classes: logits or log-probabilities against labels or probabilities.

The classes are dimension 1, or dimension 0 if there is no other: (n, c, d1, ...) or (c). Labels
are integers, one for each position: (n, d1, ...) or ().
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import empty

from graphnet.errors import DtypeError, GraphError, RangeError, ShapeError
from graphnet.op import Structural, T, View
from graphnet.ops.arguments import require_floating
from graphnet.ops.arithmetic import div, mul, neg, sub
from graphnet.ops.broadcasting import count
from graphnet.ops.comparison import eq, masked_fill, ne
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.dtypes import is_floating, narrowed, widened
from graphnet.ops.losses import MatchedProduct, reduce, weighted_mean
from graphnet.ops.reductions import sum
from graphnet.ops.softmaxes import log_softmax
from graphnet.validation import require_integer, require_range

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["cross_entropy", "nll_loss"]

_INT64 = empty(0).long().dtype
_LABELS_HINT = (
    "Labels are int64 and have the shape of the predictions without the class dimension; "
    "probabilities are floating-point numbers in the shape of the predictions."
)


def check_labels(labels: Tensor, x: Tensor, ignored: int) -> None:
    """Refuse labels that are not classes of x, or not one for each position.

    Raises:
        DtypeError: they are not int64.
        ShapeError: they do not have the shape of x without the class dimension.
        RangeError: one is neither a class nor the label to ignore.
    """
    if labels.dtype != _INT64:
        raise DtypeError(
            f"labels must be int64; got {str(labels.dtype).removeprefix('torch.')}; "
            "target.long() converts them"
        )
    dim = class_dim(x)
    if labels.shape != x.shape[:dim] + x.shape[dim + 1 :]:
        raise ShapeError(f"labels {tuple(labels.shape)} do not fit predictions {tuple(x.shape)}")
    if not labels.numel() or labels.is_meta:
        return
    classes = x.shape[dim]
    low, high = labels.aminmax()
    if low >= 0 and high < classes:
        return
    wrong = ((labels < 0) | (labels >= classes)) & labels.ne(ignored)
    if wrong.any():
        place = tuple(wrong.nonzero()[0].tolist())
        error = RangeError(
            f"a label must be a class from 0 to {classes - 1}, or ignore_index={ignored}; "
            f"got {int(labels[wrong][0])}, at index {place} of the targets"
        )
        error.index = place
        raise error


def class_dim(x: Tensor | T) -> int:
    """The class dimension.

    Raises:
        ShapeError: x is a scalar, and has no dimension.
    """
    if x.ndim == 0:
        raise ShapeError(f"{described(x)} has no class dimension: (n, c) or (c) is needed.")
    return min(x.ndim - 1, 1)


class Pick(Structural):
    """y = x at the class that the label names, and 0 where the label is to be ignored.

    Shapes: (n, c, ...), (n, ...) -> (n, ...); (c), () -> ().
    """

    symbol = "x[label]"
    hint = _LABELS_HINT
    ignored: int = -100

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        check_labels(target, x, self.ignored)
        skip, dim = target.eq(self.ignored), class_dim(x)
        classes = target.masked_fill(skip, 0).unsqueeze(dim)
        return x.gather(dim, classes).squeeze(dim).masked_fill(skip, 0)

    def grad_x(self, grad: Tensor, target: Tensor, x_like: Tensor) -> Tensor:
        return Place(self.ignored)(grad, target, x_like)

    grad_target = None


class Place(Structural):
    """y = zeros, but x at the class that the label names: the reverse of `Pick`.

    Shapes: (n, ...), (n, ...), (n, c, ...) -> (n, c, ...); (), (), (c) -> (c).
    """

    symbol = "at label"
    ignored: int = -100

    def forward(self, x: Tensor, target: Tensor, other_like: Tensor) -> Tensor:
        skip, dim = target.eq(self.ignored), class_dim(other_like)
        classes = target.masked_fill(skip, 0).unsqueeze(dim)
        values = x.masked_fill(skip, 0).unsqueeze(dim)
        return x.new_zeros(other_like.shape).scatter(dim, classes, values)

    def grad_x(self, grad: Tensor, target: Tensor) -> Tensor:
        return Pick(self.ignored)(grad, target)

    grad_target = None


class ClassWeights(View):
    """The weight of each class, repeated to the shape of x.  Shapes: (c), (n, c, ...) -> same."""

    symbol = "w"
    hint = "Give one weight for each class: the shape (c,)."

    def forward(self, weight: Tensor, x_like: Tensor) -> Tensor:
        dim = class_dim(x_like)
        if weight.shape != x_like.shape[dim : dim + 1]:
            raise ShapeError(
                f"weights {tuple(weight.shape)} do not fit the classes of {tuple(x_like.shape)}"
            )
        return weight.reshape(-1, *[1] * (x_like.ndim - dim - 1)).expand_as(x_like)

    def grad_weight(self, grad: Tensor) -> Tensor:
        others = tuple(dim for dim in range(grad.ndim) if dim != class_dim(grad))
        return grad.sum(others) if others else grad


def nll_loss(
    input: T,
    target: T,
    weight: T | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> T:
    """The negative log-likelihood of labels under log-probabilities x: the mean of -x[label].

    Each label counts with the weight w[label] of its class, or 1; the mean divides by the sum of
    these weights. Labels equal to `ignore_index` do not count.
    Shapes: input (n, c, ...), target (n, ...) or input (c), target (); weight (c) -> () for the
    reductions "mean" and "sum", the shape of the target for "none".

    Source: Bishop, Pattern Recognition and Machine Learning (2006), equation 4.108.

    Raises:
        ShapeError: the shapes do not fit.
        DtypeError: the labels are not int64, or the others are not of one floating dtype.
        RangeError: a label is not a class.
        EmptyBatchError: a mean in which no label counts.

    >>> from torch import empty
    >>> nll_loss(empty(2, 3).fill_(-0.5), empty(2).fill_(1).long())
    tensor(0.5000)
    """
    require_floating("nll_loss", input, optional=(weight,))
    require_tensors("nll_loss", target)
    ignored = check_ignored(ignore_index)
    loss, counted = _of_labels(input, target, weight, ignored)
    return _reduce_labels(loss, target, counted, ignored, reduction)


def _of_labels(likelihood: T, target: T, weight: T | None, ignored: int) -> tuple[T, T | None]:
    """The loss at each label, and its weight if there are weights."""
    class_dim(likelihood)
    if is_floating(target):
        raise _floating_labels(likelihood, target)
    loss = neg(Pick(ignored)(likelihood, target))
    if weight is None:
        return loss, None
    counted = Pick(ignored)(ClassWeights()(weight, likelihood), target)
    return mul(loss, counted), counted


def _reduce_labels(loss: T, target: T, counted: T | None, ignored: int, reduction: str) -> T:
    """The losses of labels, reduced; the mean divides by the total weight."""
    if reduction != "mean":
        return reduce(loss, reduction)
    return weighted_mean(loss, ne(target, ignored) if counted is None else counted)


def cross_entropy(
    input: T,
    target: T,
    weight: T | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> T:
    """The cross-entropy of class probabilities softmax(x) and labels or probabilities t.

    Labels: the sum of -w[t] log softmax(x)[t], divided by the sum of the weights; labels equal to
    `ignore_index` do not count. Probabilities (floating, in the shape of x): the sum of
    -w t log softmax(x) over the classes, and the mean of that over all positions.
    Smoothing replaces t by (1 - s) t + s / c.
    Shapes: input (n, c, ...), target (n, ...) or as input; input (c), target () or (c);
    weight (c) -> () for the reductions "mean" and "sum", input's without the classes for "none".

    Source: Bishop, Pattern Recognition and Machine Learning (2006), equation 4.108; smoothing:
    Szegedy et al., Rethinking the Inception Architecture (2016), section 7.

    Raises:
        ShapeError: the shapes do not fit.
        DtypeError: the labels are not int64, or the others are not of one floating dtype.
        RangeError: a label is not a class, or the smoothing is not between 0 and 1.
        EmptyBatchError: a mean in which no label counts, or of no elements.

    >>> from torch import empty
    >>> cross_entropy(empty(2, 3).fill_(1000), empty(2).fill_(1).long())
    tensor(1.0986)
    """
    require_floating("cross_entropy", input, optional=(weight,))
    require_tensors("cross_entropy", target)
    require_range("label_smoothing", label_smoothing, high=1)
    ignored = check_ignored(ignore_index)
    likelihood = log_softmax(input, class_dim(input))
    if is_floating(target):
        _refuse_floating_labels(input, target, ignored)
        likelihood = _weighted(likelihood, weight)
        loss = neg(sum(MatchedProduct()(likelihood, target), class_dim(input)))
        return reduce(_smooth(loss, likelihood, label_smoothing), reduction)
    loss, counted = _of_labels(likelihood, target, weight, ignored)
    if label_smoothing > 0:
        skip = eq(target, ignored)
        loss = _smooth(loss, _weighted(likelihood, weight), label_smoothing)
        loss = masked_fill(loss, skip, 0.0)
    return _reduce_labels(loss, target, counted, ignored, reduction)


def _weighted(likelihood: T, weight: T | None) -> T:
    return likelihood if weight is None else mul(likelihood, ClassWeights()(weight, likelihood))


def _smooth(loss: T, likelihood: T, smoothing: float) -> T:
    """Take a part of the loss from the mean likelihood of all classes."""
    if smoothing == 0:
        return loss
    dim = class_dim(likelihood)
    spread: T = div(sum(widened(likelihood), dim), count(likelihood, dim))
    spread = narrowed(spread, likelihood)
    return sub(mul(loss, 1 - smoothing), mul(spread, smoothing))


def check_ignored(ignored: int) -> int:
    """The label to ignore, checked to fit int64.

    Raises:
        GraphError: it is not an integer.
        RangeError: it is too large.
    """
    ignored = require_integer("ignore_index", ignored)
    if not -(2**63) <= ignored < 2**63:
        raise RangeError(f"ignore_index must fit int64, as a label does; got {ignored}.")
    return ignored


def _refuse_floating_labels(x: T, target: T, ignored: int) -> None:
    """Refuse floating-point targets that cannot be probabilities of the classes."""
    if target.ndim == x.ndim - 1:
        raise _floating_labels(x, target)
    require_floating("cross_entropy", x, target)
    if ignored >= 0:
        raise GraphError(
            f"cross_entropy: ignore_index={ignored} is a label, but the targets "
            f"{described(target)} are probabilities, and none of them is ignored."
        )


def _floating_labels(x: T, target: T) -> DtypeError:
    return DtypeError(
        f"Labels must be int64, but {described(target)} is floating-point: use target.long(), or "
        "dtype=torch.int64 at the input. Probabilities, which cross_entropy takes too, have "
        f"the shape of the predictions, {described(x)}."
    )
