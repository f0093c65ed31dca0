"""Losses of several inputs: triplets, pairs, rankings, and numbers with a variance."""

from __future__ import annotations

from math import log, pi
from typing import TYPE_CHECKING, Any

from graphnet import errors
from graphnet.ops.activations import relu
from graphnet.ops.arguments import require_floating
from graphnet.ops.arithmetic import add, div, mul, sub
from graphnet.ops.comparison import eq, where
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.distances import AtLeast
from graphnet.ops.functions import log as logarithm
from graphnet.ops.functions import sqrt, square
from graphnet.ops.limits import minimum
from graphnet.ops.losses import reduce
from graphnet.ops.norms import norm
from graphnet.ops.reductions import sum
from graphnet.ops.shapes import unsqueeze
from graphnet.validation import require_flags, require_numbers, require_range

if TYPE_CHECKING:
    from graphnet.op import T

__all__ = [
    "cosine_embedding_loss",
    "gaussian_nll_loss",
    "margin_ranking_loss",
    "pairwise_distance",
    "triplet_margin_loss",
]


def pairwise_distance(x1: T, x2: T, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> T:
    """The p-norm of x1 - x2 + eps along the last dimension.

    Shapes: (..., d), (..., d) that broadcast -> (...), or (..., 1) with `keepdim`.

    Raises:
        DtypeError: the dtypes differ, or are not floating-point.
        GraphError: p or eps is not a number.

    >>> from torch import empty
    >>> pairwise_distance(empty(2, 4).fill_(3), empty(2, 4).fill_(1))
    tensor([4.0000, 4.0000])
    """
    require_floating("pairwise_distance", x1, x2)
    require_numbers(p=p, eps=eps)
    return norm(add(sub(x1, x2), eps), p, -1, keepdim)


def triplet_margin_loss(
    anchor: T,
    positive: T,
    negative: T,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> T:
    """max(0, margin + d(anchor, positive) - d(anchor, negative)) for each row.

    d is `pairwise_distance`. With `swap` the distance to the negative is the smaller one of those
    of the anchor and of the positive.
    Shapes: three of (n, d) -> () for the reductions "mean" and "sum", (n) for "none".

    Source: Schroff et al., FaceNet (2015), equation 2; Balntas et al. (2016) for the swap.

    Raises:
        DtypeError: the dtypes differ, or are not floating-point.
        EmptyBatchError: a mean of no elements.
        RangeError: the margin is not above 0.
        GraphError: the reduction is unknown, or an option has a wrong type.

    >>> from torch import empty
    >>> x = empty(2, 3).fill_(1)
    >>> triplet_margin_loss(x, x, x, margin=0.5)
    tensor(0.5000)
    """
    require_range("margin", margin, above=0)
    require_flags(swap=swap)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = minimum(far, pairwise_distance(positive, negative, p, eps))
    near = pairwise_distance(anchor, positive, p, eps)
    return reduce(relu(add(sub(near, far), margin)), reduction)


def margin_ranking_loss(
    input1: T, input2: T, target: T, margin: float = 0.0, *, reduction: str = "mean"
) -> T:
    """max(0, margin - t (x1 - x2)): t is 1 where x1 should be the larger, -1 where x2 should.

    Shapes: three of (n) -> () for the reductions "mean" and "sum", (n) for "none".

    Raises:
        ShapeError: the numbers of dimensions differ.
        EmptyBatchError: a mean of no elements.
        GraphError: the reduction is unknown, or the margin is not a number.

    >>> from torch import empty
    >>> margin_ranking_loss(empty(2).fill_(1), empty(2).fill_(3), empty(2).fill_(1))
    tensor(2.)
    """
    require_tensors("margin_ranking_loss", input1, input2, target)
    require_numbers(margin=margin)
    if len({input1.ndim, input2.ndim, target.ndim}) > 1:
        raise errors.ShapeError(
            "margin_ranking_loss takes three of as many dimensions; got "
            f"{described(input1)}, {described(input2)} and {described(target)}."
        )
    return reduce(relu(sub(margin, mul(target, sub(input1, input2)))), reduction)


def cosine_embedding_loss(
    input1: T, input2: T, target: T, margin: float = 0.0, *, reduction: str = "mean"
) -> T:
    """1 - cos(x1, x2) where t is 1, and max(0, cos(x1, x2) - margin) where t is -1.

    Shapes: two of (n, d) and (n), or two of (d) and () -> () for the reductions "mean" and "sum",
    (n) for "none".

    Raises:
        ShapeError: the numbers of dimensions do not fit.
        DtypeError: the dtypes of the inputs differ, or are not floating-point.
        EmptyBatchError: a mean of no elements.
        GraphError: the reduction is unknown, or the margin is not a number.

    >>> from torch import empty
    >>> x = empty(2, 3).fill_(1)
    >>> cosine_embedding_loss(x, x * 2, empty(2).fill_(-1), margin=0.5)
    tensor(0.5000)
    """
    require_floating("cosine_embedding_loss", input1, input2)
    require_tensors("cosine_embedding_loss", target)
    require_numbers(margin=margin)
    if input1.ndim not in (1, 2) or input2.ndim != input1.ndim or target.ndim != input1.ndim - 1:
        raise errors.ShapeError(
            "cosine_embedding_loss takes two of (n, d) and (n), or two of (d) and (); got "
            f"{described(input1)}, {described(input2)} and {described(target)}."
        )
    squares = (add(sum(square(each), -1), 1e-12) for each in (input1, input2))
    cosine = div(sum(mul(input1, input2), -1), sqrt(mul(*squares)))
    alike = where(eq(target, 1), sub(1, cosine), 0.0)
    apart = where(eq(target, -1), relu(sub(cosine, margin)), 0.0)
    return reduce(add(alike, apart), reduction)


def gaussian_nll_loss(
    input: T,
    target: T,
    var: T | float,
    full: bool = False,
    eps: float = 1e-6,
    *,
    reduction: str = "mean",
) -> T:
    """(log v + (x - t)² / v) / 2: the negative log-likelihood of t under a normal distribution.

    Variances below eps count as eps, which the gradient does not notice, as in torch; unlike there
    negative ones are not refused, since values do not exist when the list is built.
    Shapes: input s, target s, var s, or with a last size of 1, or without the last dimension, or a
    number -> () for the reductions "mean" and "sum", s for "none".

    Source: Nix and Weigend, Estimating the mean and variance of the target distribution (1994).

    Args:
        input: the means.
        target: samples.
        var: the variances.
        full: True to add the constant log(2 π) / 2.
        eps: the smallest variance.
        reduction: "mean", "sum" or "none".

    Raises:
        DtypeError: the dtypes differ, or are not floating-point.
        RangeError: eps is not above 0.
        EmptyBatchError: a mean of no elements.
        GraphError: the reduction is unknown, or an option has a wrong type.

    >>> from torch import empty
    >>> gaussian_nll_loss(empty(2).fill_(3), empty(2).fill_(1), empty(2).fill_(1))
    tensor(2.)
    """
    require_floating("gaussian_nll_loss", input, target)
    require_flags(full=full)
    require_range("eps", eps, above=0)
    error = square(sub(input, target))
    if isinstance(var, int | float):
        require_range("var", var, low=0)
        v = max(float(var), eps)
        loss = add(div(error, 2 * v), 0.5 * log(v))
    else:
        variance: Any = var
        require_floating("gaussian_nll_loss", input, variance)
        if variance.ndim == input.ndim - 1:
            variance = unsqueeze(variance, -1)
        variance = AtLeast(eps)(variance)
        loss = mul(add(logarithm(variance), div(error, variance)), 0.5)
    return reduce(add(loss, 0.5 * log(2 * pi)) if full else loss, reduction)
