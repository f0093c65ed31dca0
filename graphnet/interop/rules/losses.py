"""Rules for losses: what a module returns if it computes its own loss."""

from __future__ import annotations

from typing import Any

from graphnet import ops
from graphnet.interop.rules.rule import promoted, rule, unsupported

REDUCTIONS = ("none", "mean", "sum")
"""The names of torch's numbers."""


def _reduced(loss: Any, reduction: int) -> Any:
    return loss if reduction == 0 else (ops.mean if reduction == 1 else ops.sum)(loss)


@rule("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
def regression(step: Any, x: Any, target: Any, reduction: int = 1, option: float = 1.0) -> Any:
    """Losses of differences."""
    function = getattr(ops, step.name)
    options = {"smooth_l1_loss": {"beta": option}, "huber_loss": {"delta": option}}
    return function(x, target, reduction=REDUCTIONS[reduction], **options.get(step.name, {}))


@rule("cross_entropy_loss")
def cross_entropy(
    _step: Any,
    x: Any,
    target: Any,
    weight: Any = None,
    reduction: int = 1,
    ignored: int = -100,
    smoothing: float = 0.0,
) -> Any:
    """Cross-entropy of scores."""
    return ops.cross_entropy(
        x,
        target,
        weight,
        ignore_index=ignored,
        reduction=REDUCTIONS[reduction],
        label_smoothing=smoothing,
    )


@rule("nll_loss", "nll_loss_nd", "nll_loss2d")
def nll_loss(
    _step: Any, x: Any, target: Any, weight: Any = None, reduction: int = 1, ignored: int = -100
) -> Any:
    """The negative logarithm of the probability of the right class."""
    return ops.nll_loss(x, target, weight, ignore_index=ignored, reduction=REDUCTIONS[reduction])


@rule("binary_cross_entropy")
def binary(_step: Any, x: Any, target: Any, weight: Any = None, reduction: int = 1) -> Any:
    """Cross-entropy of probabilities."""
    return ops.binary_cross_entropy(x, target, weight, reduction=REDUCTIONS[reduction])


@rule("binary_cross_entropy_with_logits")
def binary_with_logits(
    _step: Any, x: Any, target: Any, weight: Any = None, pos_weight: Any = None, reduction: int = 1
) -> Any:
    """Cross-entropy of scores."""
    return ops.binary_cross_entropy_with_logits(
        x, target, weight, pos_weight=pos_weight, reduction=REDUCTIONS[reduction]
    )


@rule("kl_div")
def kl_div(_step: Any, x: Any, target: Any, reduction: int = 1, *, log_target: bool = False) -> Any:
    """The divergence of distributions."""
    return ops.kl_div(x, target, reduction=REDUCTIONS[reduction], log_target=log_target)


@rule("soft_margin_loss")
def soft_margin(_step: Any, x: Any, target: Any, reduction: int = 1) -> Any:
    """log(1 + exp(-t x))."""
    return _reduced(ops.softplus(-(x * target), 1.0, 700.0), reduction)


@rule("poisson_nll_loss")
def poisson(
    _step: Any, x: Any, target: Any, log_input: bool, full: bool, eps: float, reduction: int
) -> Any:
    """The negative logarithm of a Poisson probability."""
    if full:
        raise unsupported("Poisson loss with Stirling's term")
    loss = ops.exp(x) - target * x if log_input else x - target * ops.log(x + eps)
    return _reduced(loss, reduction)


@rule("hinge_embedding_loss")
def hinge_embedding(
    _step: Any, x: Any, target: Any, margin: float = 1.0, reduction: int = 1
) -> Any:
    """x where the target is 1, else how far it lies within the margin."""
    near = ops.where(ops.ne(target, 1), ops.relu(margin - x), 0.0)
    far = ops.where(ops.ne(target, -1), x, 0.0)
    return _reduced(near + far, reduction)


@rule("margin_ranking_loss")
def margin_ranking(
    _step: Any, x: Any, y: Any, target: Any, margin: float = 0.0, reduction: int = 1
) -> Any:
    """How far the order of two scores is from the target's, plus a margin."""
    a, b = promoted(-target, x - y)
    return _reduced(ops.clamp(a * b + margin, min=0), reduction)


@rule("triplet_margin_loss")
def triplet(
    _step: Any,
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: int = 1,
) -> Any:
    """How much closer the positive is than the negative, up to a margin."""
    near, far = distance(None, anchor, positive, p, eps), distance(None, anchor, negative, p, eps)
    if swap:
        far = ops.minimum(far, distance(None, positive, negative, p, eps))
    return _reduced(ops.clamp(near - far + margin, min=0), reduction)


@rule("pairwise_distance")
def distance(
    _step: Any, x: Any, y: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """The norm of a difference."""
    return ops.norm(x - y + eps, float(p), -1, keepdim)


@rule("cosine_embedding_loss")
def cosine_embedding(
    _step: Any, x: Any, y: Any, target: Any, margin: float = 0.0, reduction: int = 1
) -> Any:
    """The cosine of an angle: near 1 for pairs, at most the margin for others."""
    eps = 2.220446049250313e-16
    dot = ops.sum(x * y, -1)
    cosine = dot / ops.sqrt((ops.sum(x * x, -1) + eps) * (ops.sum(y * y, -1) + eps))
    pairs = ops.where(ops.eq(target, 1), 1 - cosine, 0.0)
    others = ops.where(ops.eq(target, -1), ops.clamp(cosine - margin, min=0), 0.0)
    return _reduced(pairs + others, reduction)


@rule("soft_margin_loss", "multilabel_margin_loss")
def margin(step: Any, x: Any, target: Any, reduction: int = 1) -> Any:
    """Scores that should lead by a margin, of two classes or of several right ones."""
    return getattr(ops, step.name)(x, target, reduction=REDUCTIONS[reduction])


@rule("multi_margin_loss")
def multi_margin(
    _step: Any,
    x: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: int = 1,
) -> Any:
    """The same of one right class."""
    return ops.multi_margin_loss(x, target, p, margin, weight, reduction=REDUCTIONS[reduction])
