"""Rules for linear maps, normalization, dropout, attention and embeddings."""

from __future__ import annotations

from typing import Any

from graphnet import ops
from graphnet.interop.rules.rule import SAME, convert, mode, rule, unsupported
from graphnet.ops import weight_norms
from graphnet.ops.attention import attention_weights

SAME |= {"linear", "matmul", "mm", "bmm", "addmm"}


@rule("einsum")
def einsum(_step: Any, equation: str, tensors: Any, **_options: Any) -> Any:
    """A sum of products."""
    return ops.einsum(equation, *tensors)


@rule("baddbmm", "addmv")
def add_product(_step: Any, x: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """β x + α a b."""
    product = ops.matmul(a, b)
    product = product if alpha == 1 else product * alpha
    return product + (x if beta == 1 else x * beta)


@rule("mv", "dot", "vdot")
def matvec(_step: Any, x: Any, y: Any) -> Any:
    """A product with a vector."""
    return ops.matmul(x, y)


@rule("outer")
def outer(_step: Any, x: Any, y: Any) -> Any:
    """All products of the elements of two vectors."""
    return ops.mul(ops.unsqueeze(x, 1), y)


@rule("bilinear")
def bilinear(_step: Any, x: Any, y: Any, weight: Any, bias: Any = None) -> Any:
    """A product of two inputs with a matrix for each output."""
    rows = ops.einsum("...i,oij->...oj", x, weight)
    z = ops.sum(rows * ops.unsqueeze(y, -2), -1)
    return z if bias is None else z + bias


# normalization


@rule("batch_norm")
def batch_norm(
    _step: Any,
    x: Any,
    weight: Any,
    bias: Any,
    mean: Any,
    var: Any,
    training: Any,
    momentum: float | None,
    eps: float,
    _cudnn: bool = False,
    *,
    batches: Any = None,
) -> Any:
    """Batch normalization, which updates its buffers in training."""
    options = {"num_batches_tracked": batches}
    return ops.batch_norm(x, mean, var, weight, bias, mode(training), momentum, eps, **options)


@rule("instance_norm")
def instance_norm(
    _step: Any,
    x: Any,
    weight: Any,
    bias: Any,
    mean: Any,
    var: Any,
    own: Any,
    momentum: float,
    eps: float,
    _cudnn: bool = False,
) -> Any:
    """Instance normalization."""
    return ops.instance_norm(x, mean, var, weight, bias, mode(own), momentum, eps)


@rule("layer_norm")
def layer_norm(
    _step: Any,
    x: Any,
    shape: Any,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    _cudnn: bool = True,
) -> Any:
    """Layer normalization."""
    return ops.layer_norm(x, tuple(shape), weight, bias, eps)


@rule("rms_norm", "_fused_rms_norm")
def rms_norm(_step: Any, x: Any, shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """Normalization by the root of the mean square."""
    return ops.rms_norm(x, tuple(shape), weight, eps)


@rule("group_norm")
def group_norm(
    _step: Any,
    x: Any,
    groups: int,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    _cudnn: bool = True,
) -> Any:
    """Normalization of groups of channels."""
    return ops.group_norm(x, groups, weight, bias, eps)


@rule("_weight_norm", "_weight_norm_interface")
def weight_norm(step: Any, v: Any, g: Any, dim: int = 0) -> Any:
    """g v / ‖v‖, with a norm for each index of one dimension, or for dim=-1 of all of v."""
    place = None if dim == -1 else dim
    w = weight_norms.weight_norm(g, v, place)
    if step.name.endswith("interface"):
        return w, weight_norms.length_except(v, place)
    return w


@rule("spectral_norm")
def spectral_norm(
    _step: Any, weight: Any, u: Any, v: Any, steps: int, eps: float, dim: int, training: Any
) -> Any:
    """A weight divided by its largest singular value; the vectors are buffers."""
    return weight_norms.spectral_norm(weight, u, v, steps, eps, dim, mode(training))


# dropout, attention, embeddings


@rule("dropout")
def dropout(_step: Any, x: Any, p: float, training: Any) -> Any:
    """Elements dropped in training."""
    return ops.dropout(x, p, mode(training))


@rule("alpha_dropout", "feature_alpha_dropout")
def alpha_dropout(step: Any, x: Any, p: float, training: Any) -> Any:
    """Dropout for selu, of elements or of channels."""
    return getattr(ops, step.name)(x, p, mode(training))


@rule("feature_dropout")
def feature_dropout(_step: Any, x: Any, p: float, training: Any) -> Any:
    """Whole channels dropped in training."""
    channels = ops.ones_like(x)
    for dim in range(2, x.ndim):
        channels = ops.narrow(channels, dim, 0, 1)
    return x * ops.dropout(channels, p, mode(training))


@rule("scaled_dot_product_attention")
def attention(
    _step: Any,
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
    training: Any = True,
) -> Any:
    """Attention, whose dropout follows the module if it does in torch."""
    if not dropout_p or training is True:
        options: dict[str, Any] = {"scale": scale, "enable_gqa": enable_gqa}
        mask = _mask(attn_mask, query)
        return ops.scaled_dot_product_attention(
            query, key, value, mask, dropout_p, is_causal, **options
        )
    if enable_gqa:
        raise unsupported("attention with shared heads and dropout that follows the module")
    masks = () if attn_mask is None else (_mask(attn_mask, query),)
    weights = attention_weights(query, key, *masks, is_causal=is_causal, scale=scale)
    return ops.matmul(ops.dropout(weights, dropout_p, mode(training)), value)


def _mask(mask: Any, query: Any) -> Any:
    if mask is None or str(mask.dtype) == "torch.bool":
        return mask
    return convert(mask, query.dtype)


@rule("embedding")
def embedding(
    _step: Any,
    weight: Any,
    indices: Any,
    padding_idx: int = -1,
    by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """Rows of a table."""
    padding = None if padding_idx < 0 else padding_idx
    return ops.embedding(indices, weight, padding, None, 2.0, by_freq, sparse)


@rule("embedding_bag")
def embedding_bag(
    _step: Any,
    weight: Any,
    indices: Any,
    offsets: Any,
    by_freq: bool = False,
    kind: int = 0,
    sparse: bool = False,
    factors: Any = None,
    include_last: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Rows of a table in bags; of torch's four results, only the first is what modules return."""
    found = ops.embedding_bag(
        indices,
        weight,
        offsets,
        scale_grad_by_freq=by_freq,
        mode=("sum", "mean", "max")[kind],
        per_sample_weights=factors,
        include_last_offset=include_last,
        padding_idx=padding_idx,
    )
    return (found, None, None, None)
