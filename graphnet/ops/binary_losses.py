"""Elementwise losses for two classes: predictions against labels 0 and 1, or -1 and 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import RangeError, ShapeError
from graphnet.op import Elementwise, T
from graphnet.ops.activations import relu
from graphnet.ops.arguments import require_floating
from graphnet.ops.arithmetic import add, mul, sub
from graphnet.ops.broadcasting import expand_as, ones_like
from graphnet.ops.dims import described
from graphnet.ops.losses import Matched, MatchedProduct, reduce, same_shape

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "hinge_loss"]


def within_unit(x: Tensor, what: str) -> None:
    """Refuse values outside [0, 1]; NaN passes, so that it can be traced to its origin.

    Raises:
        RangeError: a value is below 0 or above 1.
    """
    if x.numel() and not x.is_meta and ((low := x.min()) < 0 or x.max() > 1):
        worst = float(low) if low < 0 else float(x.max())
        raise RangeError(
            f"{what} must be a probability between 0 and 1; got {worst:g}. "
            "A sigmoid gives such predictions; targets are labels 0 and 1."
        )


_LEAST_VARIANCE = 9.999999960041972e-13  # torch's own: 1e-12 in single precision


class BinaryCrossEntropy(Matched):
    """z = -t log p - (1 - t) log (1 - p), so dz/dp = (p - t) / (p (1 - p)).

    The logarithms are limited to -100, so that p = 0 or 1 gives a finite loss.
    Shapes: s, s -> s.
    """

    symbol = "bce"

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        same_shape(x, target)
        within_unit(x, "a prediction")
        within_unit(target, "a target")
        return (target - 1) * (-x).log1p().clamp(min=-100) - target * x.log().clamp(min=-100)

    def grad_x(self, grad: Tensor, x: Tensor, target: Tensor) -> Tensor:
        return grad * (x - target) / (x * (1 - x)).clamp(min=_LEAST_VARIANCE)

    def grad_target(self, grad: Tensor, x: Tensor) -> Tensor:
        return grad * ((-x).log1p() - x.log())


def binary_cross_entropy(
    input: T, target: T, weight: T | None = None, *, reduction: str = "mean"
) -> T:
    """The cross-entropy of probabilities x and targets t, both in [0, 1], over every element.

    loss = mean -w (t log x + (1 - t) log (1 - x)), each logarithm limited to -100; the weight w
    defaults to 1, and the mean divides by the number of elements.
    Shapes: input s, target s, weight any that expands to s -> () for the reductions "mean" and
    "sum", s for "none".

    Source: Bishop, Pattern Recognition and Machine Learning (2006), equation 4.90.

    Raises:
        ShapeError: the shapes differ; only the weight is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        RangeError: a value lies outside [0, 1].
        EmptyBatchError: the mean of no elements.

    >>> from torch import empty
    >>> binary_cross_entropy(empty(3).fill_(0.5), empty(3).fill_(1))
    tensor(0.6931)
    """
    require_floating("binary_cross_entropy", input, target, optional=(weight,))
    return reduce(_weighted(BinaryCrossEntropy()(input, target), weight), reduction)


class BinaryCrossEntropyWithLogits(Matched):
    """z = (1 - t) x - log σ(x), so dz/dx = (1 - t) - σ(-x) = σ(x) - t and dz/dt = -x.

    log σ(x) = min(x, 0) - log (1 + exp -|x|): no exponential overflows.  Shapes: s, s -> s.
    """

    symbol = "bce σ"
    composite = True

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        same_shape(x, target)
        return (1 - target) * x - (x.clamp(max=0) - (-x.abs()).exp().log1p())

    def grad_x(self, grad: Tensor, x: Tensor, target: Tensor) -> Tensor:
        return grad * ((1 - target) - (-x).sigmoid())

    def grad_target(self, grad: Tensor, x: Tensor) -> Tensor:
        return -grad * x


def binary_cross_entropy_with_logits(
    input: T,
    target: T,
    weight: T | None = None,
    *,
    reduction: str = "mean",
    pos_weight: T | None = None,
) -> T:
    """The cross-entropy of the probabilities σ(x) and targets t, exact for logits x of any size.

    loss = mean -w (p t log σ(x) + (1 - t) log σ(-x)), with weights w, and weights p for the
    positive labels, which default to 1; the mean divides by the number of elements.
    Shapes: input s, target s, both weights any that expand to s -> () for the reductions "mean"
    and "sum", s for "none".

    Source: Bishop, Pattern Recognition and Machine Learning (2006), equation 4.90.

    Raises:
        ShapeError: the shapes differ; only the weights are broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        EmptyBatchError: the mean of no elements.

    >>> from torch import empty
    >>> binary_cross_entropy_with_logits(empty(3).fill_(-1000), empty(3).fill_(1))
    tensor(1000.)
    """
    name = "binary_cross_entropy_with_logits"
    require_floating(name, input, target, optional=(weight, pos_weight))
    if pos_weight is None:
        loss = BinaryCrossEntropyWithLogits()(input, target)
    else:
        negative = MatchedProduct()(input, sub(1, target))
        positive = BinaryCrossEntropyWithLogits()(input, ones_like(input))
        weights = add(mul(sub(_repeated(pos_weight, input), 1), target), 1)  # p where t = 1, else 1
        loss = add(negative, mul(weights, positive))
    return reduce(_weighted(loss, weight), reduction)


def _weighted(loss: T, weight: T | None) -> T:
    """The losses times the weights, which are expanded to their shape, never the reverse."""
    return loss if weight is None else mul(loss, _repeated(weight, loss))


def _repeated(weight: T, loss: T) -> T:
    """The weights, expanded to the shape of the losses.

    Raises:
        ShapeError: they do not expand to it.
    """
    sizes = zip(reversed(weight.shape), reversed(loss.shape), strict=False)
    if weight.ndim > loss.ndim or any(size not in (1, None, full) for size, full in sizes):
        raise ShapeError(
            f"The weights {described(weight)} do not expand to the losses {described(loss)}: sizes "
            "must be equal, or 1 in the weights, counted from the last dimension."
        )
    return expand_as(weight, loss)


class SignLabels(Elementwise):
    """y = t, labels that must be -1 or 1, so dy/dt = 1.  Shapes: any."""

    symbol = "±1"

    def forward(self, target: Tensor) -> Tensor:
        if not target.is_meta and (wrong := target.abs() != 1).any():
            raise RangeError(
                f"a label must be -1 or 1; got {float(target[wrong][0]):g}. "
                "2 * target - 1 makes them from labels 0 and 1."
            )
        return target

    def trial(self, target: Tensor) -> Tensor:
        return target

    def grad_target(self, grad: Tensor) -> Tensor:
        return grad


def hinge_loss(input: T, target: T, *, reduction: str = "mean") -> T:
    """The amount by which scores x miss a margin of 1 on the side of their labels t, -1 or 1.

    loss = mean max(0, 1 - t x) over every element; the slope is 0 at the margin itself.
    Shapes: input s, target s -> () for the reductions "mean" and "sum", s for "none".

    Source: Rosasco et al., Are Loss Functions All the Same?, Neural Computation 16 (2004). It is
    not torch's `hinge_embedding_loss`, which compares distances.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.
        DtypeError: the dtypes differ, or are not floating-point.
        RangeError: a label is not -1 or 1.
        EmptyBatchError: the mean of no elements.

    >>> from torch import empty
    >>> hinge_loss(empty(3).fill_(0.25), empty(3).fill_(-1))
    tensor(1.2500)
    """
    require_floating("hinge_loss", input, target)
    return reduce(relu(sub(1, MatchedProduct()(input, SignLabels()(target)))), reduction)
