"""Attention: each query takes the values whose keys are like it."""

from __future__ import annotations

from math import inf, sqrt
from typing import TYPE_CHECKING, Any

from graphnet.errors import DtypeError, GraphError, ShapeError
from graphnet.op import Op, T
from graphnet.ops.arithmetic import add, mul
from graphnet.ops.comparison import masked_fill, where
from graphnet.ops.dims import described
from graphnet.ops.products import matmul
from graphnet.ops.random import dropout
from graphnet.ops.shapes import transpose
from graphnet.ops.softmaxes import softmax

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["scaled_dot_product_attention"]


class LaterKeys(Op):
    """z = true where a key comes after the query; read from a matrix of scores.

    Shapes: (..., queries, keys) -> (queries, keys).
    """

    symbol = "later"

    def forward(self, scores_like: Tensor) -> Tensor:
        return scores_like.new_ones(scores_like.shape[-2:]).tril().eq(0)


class AllHidden(Op):
    """z = true for a query from which every key is hidden: all its scores are -∞.

    Shapes: (..., queries, keys) -> (..., queries, 1).
    """

    symbol = "all -∞"

    def forward(self, scores: Tensor) -> Tensor:
        return scores.eq(-inf).all(-1, keepdim=True)

    grad_scores = None


def scaled_dot_product_attention(
    query: T,
    key: T,
    value: T,
    attn_mask: T | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> T:
    """For each query, the mean of the values, weighted by how like their keys are to it.

    y = softmax(query keyᵀ · scale + mask) value, where the scale is 1 / √k if it is None. A mask of
    truth values lets pass where it is true, a mask of numbers is added. A query from which every
    key is hidden gets zeros. As in torch, `dropout_p` drops weights in evaluation too.
    Shapes: query (..., n, k), key (..., m, k), value (..., m, v), mask (n, m), or with dimensions
    in front that broadcast -> (..., n, v).

    Source: Vaswani et al., Attention is all you need (2017), equation 1.

    Raises:
        ShapeError: the sizes do not fit.
        DtypeError: the mask holds whole numbers.
        GraphError: a mask is given, and `is_causal` as well.
        RangeError: `dropout_p` lies outside [0, 1].

    >>> from torch import empty
    >>> one = empty(1, 2).fill_(1)
    >>> scaled_dot_product_attention(one, one, one * 3)
    tensor([[3., 3.]])
    """
    for each in (query, key, value):
        if each.ndim < 2:
            raise ShapeError(f"attention takes 2 dimensions or more; {described(each)} came.")
    if attn_mask is not None and is_causal:
        raise GraphError("is_causal=True is a mask by itself: leave attn_mask out.")
    masks: tuple[T, ...] = () if attn_mask is None else (attn_mask,)
    weights = attention_weights(query, key, *masks, is_causal=is_causal, scale=scale)
    if dropout_p != 0:
        weights = dropout(weights, dropout_p, training=True)
    return matmul(weights, value)


def attention_weights(
    query: T, key: T, *masks: T, is_causal: bool = False, scale: float | None = None
) -> T:
    """How much of each value a query takes, after any number of masks."""
    query = mul(query, _scale(query, key) if scale is None else scale)
    scores = matmul(query, transpose(key, -2, -1))
    if is_causal:
        scores = masked_fill(scores, LaterKeys()(scores), -inf)
    for mask in masks:
        lets_pass = is_bool(mask)
        scores = where(mask, scores, -inf) if lets_pass else add(scores, mask)
    if not masks:
        return softmax(scores, -1)
    # Zeros stand in for the scores of such a query, since the softmax of -∞ alone is NaN.
    hidden = AllHidden()(scores)
    return masked_fill(softmax(masked_fill(scores, hidden, 0.0), -1), hidden, 0.0)


def is_bool(mask: Any) -> bool:
    """True for a mask of truth values, False for one of numbers that are added.

    Raises:
        DtypeError: the mask holds whole numbers.
    """
    name = str(mask.dtype).removeprefix("torch.")
    if name != "bool" and not mask.dtype.is_floating_point:
        raise DtypeError(
            f"a mask holds truth values, or numbers to add; {described(mask)} holds {name}."
        )
    return name == "bool"


def _scale(query: Any, key: Any) -> float:
    """1 / √k for keys of k numbers, which keeps the scores near 1."""
    size = query.shape[-1] if query.shape[-1] is not None else key.shape[-1]
    if size is None:
        raise ShapeError(
            f"The last size of {described(query)} is unknown: scale=... says what to multiply by."
        )
    return 1 / sqrt(size) if size else 1.0
