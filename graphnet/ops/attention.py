"""Attention: each query collects the values whose keys are similar to it."""

from __future__ import annotations

from itertools import combinations
from math import inf, sqrt
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, ShapeError
from graphnet.op import Structural, T
from graphnet.ops.arguments import require_floating
from graphnet.ops.arithmetic import add, mul
from graphnet.ops.broadcasting import expand, expand_as
from graphnet.ops.comparison import masked_fill, where
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.dtypes import is_half
from graphnet.ops.products import matmul
from graphnet.ops.random import dropout
from graphnet.ops.shapes import flatten, transpose, unsqueeze
from graphnet.ops.softmaxes import softmax
from graphnet.validation import require_flags, require_numbers, require_range

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["scaled_dot_product_attention"]


class LaterKeys(Structural):
    """z = true where a key comes after the query; only the shape of the scores is read.

    Shapes: (..., queries, keys) -> (queries, keys).
    """

    symbol = "later"

    def forward(self, scores_like: Tensor) -> Tensor:
        return scores_like.new_ones(scores_like.shape[-2:]).tril().eq(0)


class AllHidden(Structural):
    """z = true for a query to which every key is hidden: all its scores are -∞.

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
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> T:
    """For each query, the mean of the values, weighted by the similarity of their keys to it.

    y = softmax(query keyᵀ · scale + mask) value, where the scale is 1 / √k if it is None. A boolean
    mask keeps the keys where it is true; a mask of numbers is added. A query to which every key is
    hidden gets zeros. As in torch, `dropout_p` drops weights in evaluation too. With `enable_gqa`
    several heads of queries, dimension -3, share one head of keys and values.
    Shapes: query (..., n, k), key (..., m, k), value (..., m, v), mask (..., n, m) or one that
    expands to it -> (..., n, v).

    Source: Vaswani et al., Attention is all you need (2017), equation 1.

    Raises:
        ShapeError: the sizes do not fit.
        DtypeError: the dtypes differ, or are not floating-point; only a mask may hold booleans.
        GraphError: both a mask and `is_causal` are given, or a wrong type.
        RangeError: `dropout_p` lies outside [0, 1].

    >>> from torch import empty
    >>> one = empty(1, 2).fill_(1)
    >>> scaled_dot_product_attention(one, one, one * 3)
    tensor([[3., 3.]])
    """
    require_floating("attention", query, key, value)
    require_flags(is_causal=is_causal, enable_gqa=enable_gqa)
    require_range("dropout_p", dropout_p, high=1)
    if scale is not None:
        require_numbers(scale=scale)
    if attn_mask is not None and is_causal:
        raise GraphError("is_causal=True is itself a mask: leave attn_mask out.")
    if enable_gqa:
        key, value = _shared(key, query), _shared(value, query)
    _refuse_misfits(query, key, value)
    masks: tuple[T, ...] = () if attn_mask is None else (attn_mask,)
    weights = attention_weights(query, key, *masks, is_causal=is_causal, scale=scale)
    if dropout_p != 0:
        weights = dropout(weights, dropout_p, training=True)
    return matmul(weights, value)


def attention_weights(
    query: T, key: T, *masks: T, is_causal: bool = False, scale: float | None = None
) -> T:
    """How much of each value a query takes, after any number of masks."""
    scores = _scores(query, key, _scale(query, key) if scale is None else scale)
    if is_causal:
        scores = masked_fill(scores, LaterKeys()(scores), -inf)
    for mask in (_fitting(mask, scores) for mask in masks):
        scores = where(mask, scores, -inf) if is_bool(mask) else add(scores, mask)
    if not masks:
        return softmax(scores, -1)
    # Zeros replace the scores of a query with no keys, since the softmax of -∞ alone is NaN.
    hidden = AllHidden()(scores)
    return masked_fill(softmax(masked_fill(scores, hidden, 0.0), -1), hidden, 0.0)


def _scores(query: T, key: T, scale: float) -> T:
    """query keyᵀ · scale.

    The product is scaled, not the query: sums of integers are exact, so equal scores stay equal.
    Among scores of a million, a difference of 1e-10 would move weights by as much. In float16 the
    product may overflow where a scaled query would not.
    """
    if is_half(query):
        return matmul(mul(query, scale), transpose(key, -2, -1))
    return mul(matmul(query, transpose(key, -2, -1)), scale)


def is_bool(mask: Any) -> bool:
    """True for a boolean mask, False for one of numbers, which are added to the scores."""
    return str(mask.dtype) == "torch.bool"


def _fitting(mask: T, scores: T) -> T:
    """The mask, checked to expand to the scores, now or when unknown sizes become known.

    Raises:
        ShapeError: it does not expand.
        DtypeError: it holds neither booleans nor numbers in the dtype of the scores.
        GraphError: it is neither a tensor nor a node.
    """
    require_tensors("a mask", mask)
    if not is_bool(mask):
        require_floating("a non-boolean mask", scores, mask)
    sizes = list(zip(reversed(mask.shape), reversed(scores.shape), strict=False))
    if mask.ndim > scores.ndim or any(None not in (a, b) and a not in (1, b) for a, b in sizes):
        raise ShapeError(f"a mask must expand to {described(scores)}; got {described(mask)}.")
    return expand_as(mask, scores) if any(None in pair for pair in sizes) else mask


def _refuse_misfits(query: Any, key: Any, value: Any) -> None:
    """Refuse sizes that do not fit, as far as they are known."""
    for each in (query, key, value):
        if each.ndim < 2:
            raise ShapeError(f"attention takes at least 2 dimensions; got {described(each)}.")
    for rule, first, second in [
        ("query and key must have the same last size", (query, -1), (key, -1)),
        ("there must be as many values as keys", (key, -2), (value, -2)),
    ]:
        sizes = {each.shape[dim] for each, dim in (first, second)} - {None}
        if len(sizes) > 1:
            raise ShapeError(f"{rule}; got {described(first[0])} and {described(second[0])}.")
    for first, second in combinations((query, key, value), 2):
        fronts = zip(reversed(first.shape[:-2]), reversed(second.shape[:-2]), strict=False)
        if any(len({*sizes} - {None, 1}) > 1 for sizes in fronts):
            raise ShapeError(
                "the dimensions before the last two must be equal, or 1; "
                f"got {described(first)} and {described(second)}."
            )


def _shared(x: T, query: T) -> T:
    """Each head of x, repeated for all query heads that share it.

    Raises:
        ShapeError: there are no heads, or their counts are unknown or do not fit.
    """
    heads, queries = (each.shape[-3] if each.ndim > 2 else None for each in (x, query))
    if not heads or queries is None or queries % heads:
        raise ShapeError(
            "enable_gqa: the number of query heads, dimension -3, must be a multiple of the heads "
            f"of keys and of values; got {described(query)} and {described(x)}."
        )
    sizes = [-1] * (x.ndim + 1)
    sizes[-3] = queries // heads
    return flatten(expand(unsqueeze(x, -3), *sizes), -4, -3)


def _scale(query: Any, key: Any) -> float:
    """1 / √k for keys of size k, which keeps the scores near 1."""
    size = query.shape[-1] if query.shape[-1] is not None else key.shape[-1]
    if size is None:
        raise ShapeError(
            f"The last size of {described(query)} is unknown: give the scale, scale=..."
        )
    return 1 / sqrt(size) if size else 1.0
