"""Losses of scores that should lead by a margin: soft_margin_loss, multi_margin_loss, ..."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import RangeError, ShapeError
from graphnet.ops.activations import relu
from graphnet.ops.arguments import require_floating
from graphnet.ops.arithmetic import add, div, mul, neg, sub
from graphnet.ops.broadcasting import zeros_like
from graphnet.ops.comparison import ge, masked_fill
from graphnet.ops.cumulative import cumsum
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.dtypes import cast_to
from graphnet.ops.embedding import one_hot
from graphnet.ops.functions import square
from graphnet.ops.gathering import gather, index_select, scatter_add
from graphnet.ops.limits import clamp
from graphnet.ops.logic import logical_not
from graphnet.ops.losses import reduce
from graphnet.ops.reductions import sum
from graphnet.ops.shapes import unsqueeze
from graphnet.ops.smooth import softplus
from graphnet.validation import must_be, require_numbers

if TYPE_CHECKING:
    from graphnet.op import T

__all__ = ["multi_margin_loss", "multilabel_margin_loss", "soft_margin_loss"]


def soft_margin_loss(input: T, target: T, *, reduction: str = "mean") -> T:
    """log(1 + e^(-t x)) for each element, with a target t of 1 or -1.

    Shapes: s, s -> () for the reductions "mean" and "sum", s for "none".

    Raises:
        ShapeError: the shapes differ.
        EmptyBatchError: a mean of no elements.
        GraphError: the reduction is unknown.

    >>> from torch import empty
    >>> soft_margin_loss(empty(2).fill_(0), empty(2).fill_(1))
    tensor(0.6931)
    """
    require_floating("soft_margin_loss", input)
    require_tensors("soft_margin_loss", target)
    _require_like("soft_margin_loss", input, target, input.ndim)
    return reduce(softplus(neg(mul(cast_to(target, input.dtype), input))), reduction)


def multi_margin_loss(
    input: T,
    target: T,
    p: int = 1,
    margin: float = 1.0,
    weight: T | None = None,
    *,
    reduction: str = "mean",
) -> T:
    """Σ max(0, margin - x_t + x_i)^p / c over the classes i other than the right one, t.

    Shapes: input (n, c), target (n), weight (c) -> () for the reductions "mean" and "sum", (n) for
    "none".

    Args:
        input: the score of each class.
        target: the right classes.
        p: 1 or 2.
        margin: how far the score of the right class should lead.
        weight: a factor for the examples of each class.
        reduction: "mean", "sum" or "none".

    Source: Crammer and Singer, On the algorithmic implementation of multiclass kernel-based vector
    machines (2001), for p = 1.

    Raises:
        ShapeError: the shapes do not fit.
        RangeError: p is neither 1 nor 2, or a target is no class.
        EmptyBatchError: a mean of no elements.
        GraphError: the reduction is unknown, or the margin is not a number.

    >>> from torch import empty
    >>> multi_margin_loss(empty(1, 2).fill_(3), empty(1).fill_(0).long())
    tensor(0.5000)
    """
    require_floating("multi_margin_loss", input, optional=(weight,))
    require_tensors("multi_margin_loss", target)
    require_numbers(margin=margin)
    if p not in (1, 2):
        raise RangeError(must_be("multi_margin_loss: p", "1 or 2", p))
    classes = _classes("multi_margin_loss", input)
    _require_like("multi_margin_loss", input, target, 1)
    right = gather(input, 1, unsqueeze(target, 1))
    behind = relu(sub(add(input, margin), right))
    behind = square(behind) if p == 2 else behind
    if weight is not None:
        behind = mul(behind, unsqueeze(index_select(weight, 0, target), 1))
    others = masked_fill(behind, one_hot(target, classes) > 0, 0.0)
    return reduce(div(sum(others, 1), classes), reduction)


def multilabel_margin_loss(input: T, target: T, *, reduction: str = "mean") -> T:
    """Σ max(0, 1 - x_t + x_i) / c over the right classes t and all classes i that are not right.

    Shapes: input (n, c) or (c), target the same -> () for the reductions "mean" and "sum", (n) or
    () for "none".

    Args:
        input: the score of each class.
        target: the right classes of each example; what follows the first -1 does not count.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the shapes differ.
        RangeError: a target is no class.
        EmptyBatchError: a mean of no elements.
        GraphError: the reduction is unknown.

    >>> from torch import empty
    >>> target = empty(1, 2).fill_(-1).long()
    >>> target[0, 0] = 1
    >>> multilabel_margin_loss(empty(1, 2).fill_(3), target)
    tensor(0.5000)
    """
    require_floating("multilabel_margin_loss", input)
    require_tensors("multilabel_margin_loss", target)
    _require_like("multilabel_margin_loss", input, target, input.ndim)
    if input.ndim == 1:
        rows = multilabel_margin_loss(unsqueeze(input, 0), unsqueeze(target, 0), reduction="none")
        return reduce(rows if reduction != "none" else sum(rows), reduction)
    classes = _classes("multilabel_margin_loss", input)
    ended = cumsum(cast_to(logical_not(ge(target, 0)), target.dtype), 1)
    counts: Any = cast_to(ended <= 0, input.dtype)  # 1 for a class, 0 from the first -1 on
    labels = clamp(target, min=0)
    is_right = scatter_add(zeros_like(input), 1, labels, counts) > 0
    lead = sub(unsqueeze(gather(input, 1, labels), 2), unsqueeze(input, 1))
    behind = mul(relu(sub(1.0, lead)), unsqueeze(counts, 2))
    wrong: T = masked_fill(behind, unsqueeze(is_right, 1), 0.0)
    return reduce(div(sum(wrong, (1, 2)), classes), reduction)


def _classes(name: str, x: Any) -> int:
    """The number of classes.

    Raises:
        ShapeError: it is unknown, or 0, or the scores are not (n, c).
    """
    if x.ndim != 2 or not x.shape[1]:
        raise ShapeError(f"{name} takes scores of shape (n, c) with a known c; got {described(x)}.")
    return int(x.shape[1])


def _require_like(name: str, x: Any, target: Any, ndim: int) -> None:
    """Refuse a target whose sizes, as far as they are known, are not the first ones of x."""
    pairs = zip(x.shape, target.shape, strict=False)
    if target.ndim != ndim or any(None not in (a, b) and a != b for a, b in pairs):
        raise ShapeError(f"{name}: {described(target)} are no targets for {described(x)}.")
