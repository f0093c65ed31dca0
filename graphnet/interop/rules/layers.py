"""Rules for linear maps, convolution, pooling, normalization, dropout and attention."""

from __future__ import annotations

from typing import Any

from graphnet import ops
from graphnet.interop.rules.rule import SAME, convert, mode, rule, unsupported
from graphnet.ops.attention import attention_weights

SAME |= {"linear", "matmul", "mm", "bmm", "addmm", "group_norm", "embedding", "conv3d"}
SAME |= {"conv_transpose3d", "max_pool3d", "avg_pool3d", "pixel_shuffle"}


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


@rule("mv", "dot", "vdot", "inner")
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


# convolution


@rule("conv1d", "conv2d")
def conv(
    step: Any, x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:
    """A convolution."""
    function = ops.conv1d if step.name == "conv1d" else ops.conv2d
    return function(x, weight, bias, stride, padding, dilation, groups)


@rule("conv_transpose2d")
def conv_transpose2d(_step: Any, x: Any, weight: Any, bias: Any = None, *options: Any) -> Any:
    """The adjoint of a convolution of images."""
    return ops.conv_transpose2d(x, weight, bias, *options)


@rule("conv_transpose1d")
def conv_transpose1d(
    _step: Any, x: Any, weight: Any, bias: Any = None, stride: Any = (1,), padding: Any = (0,),
    output_padding: Any = (0,), groups: int = 1, dilation: Any = (1,),
) -> Any:
    """The same of series: that of images with one row."""
    rows = ops.unsqueeze(x, -2), ops.unsqueeze(weight, -2)
    sizes = (1, *stride), (0, *padding), (0, *output_padding), groups, (1, *dilation)
    return ops.squeeze(ops.conv_transpose2d(*rows, bias, *sizes), -2)


# pooling


@rule("max_pool2d", "max_pool2d_with_indices")
def max_pool2d(
    step: Any, x: Any, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False,
) -> Any:
    """The largest pixel of each window."""
    several = step.name.endswith("indices")
    return ops.max_pool2d(x, kernel, stride or None, padding, dilation, ceil_mode, several)


@rule("max_pool1d", "max_pool1d_with_indices")
def max_pool1d(
    step: Any, x: Any, kernel: Any, stride: Any = (), padding: Any = (0,), dilation: Any = (1,),
    ceil_mode: bool = False,
) -> Any:
    """The same of series: of images with one row."""
    sizes = (1, *kernel), (1, *(stride or kernel)), (0, *padding), (1, *dilation), ceil_mode
    several = step.name.endswith("indices")
    found = ops.max_pool2d(ops.unsqueeze(x, -2), *sizes, several)
    return tuple(ops.squeeze(each, -2) for each in found) if several else ops.squeeze(found, -2)


@rule("avg_pool2d")
def avg_pool2d(_step: Any, x: Any, kernel: Any, stride: Any = (), *options: Any) -> Any:
    """The mean of each window."""
    return ops.avg_pool2d(x, kernel, stride or None, *options)


@rule("avg_pool1d")
def avg_pool1d(
    _step: Any, x: Any, kernel: Any, stride: Any = (), padding: Any = (0,), ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The same of series."""
    sizes = (1, *kernel), (1, *(stride or kernel)), (0, *padding), ceil_mode, count_include_pad
    return ops.squeeze(ops.avg_pool2d(ops.unsqueeze(x, -2), *sizes), -2)


@rule("adaptive_avg_pool1d")
def adaptive_avg_pool1d(_step: Any, x: Any, size: Any) -> Any:
    """The mean of each of several parts of a series."""
    return ops.squeeze(ops.adaptive_avg_pool2d(ops.unsqueeze(x, -2), (1, *size)), -2)


@rule("adaptive_avg_pool2d")
def adaptive_avg_pool2d(_step: Any, x: Any, size: Any) -> Any:
    """The mean of each of several parts of an image."""
    return ops.adaptive_avg_pool2d(x, tuple(size))


@rule("adaptive_max_pool1d", "adaptive_max_pool2d")
def adaptive_max_pool(step: Any, x: Any, size: Any) -> Any:
    """The largest of each of several equal parts, with its index."""
    series = step.name.endswith("1d")
    x = ops.unsqueeze(x, -2) if series else x
    counts = (1, *size) if series else tuple(size)
    kernel = [None if n is None else n // count for n, count in zip(x.shape[-2:], counts, strict=True)]
    if None in kernel or any(n % count for n, count in zip(x.shape[-2:], counts, strict=True)):
        raise unsupported("adaptive max pooling to parts of unequal sizes")
    found = ops.max_pool2d(x, tuple(kernel), None, 0, 1, False, True)
    return tuple(ops.squeeze(each, -2) for each in found) if series else found


@rule("upsample_nearest1d", "upsample_nearest2d", "upsample_bilinear2d", "upsample_linear1d")
@rule("upsample_bicubic2d", "upsample_nearest3d", "upsample_trilinear3d", "_upsample_nearest_exact2d")
def upsample(step: Any, x: Any, size: Any, *options: Any) -> Any:
    """More pixels: the nearest, by whole factors, or as `ops.interpolate` gives them."""
    nearest = "nearest" in step.name and "exact" not in step.name
    if nearest and step.shape is not None and None not in x.shape[2:]:
        sizes = step.shape[2:]
        if all(new % old == 0 for new, old in zip(sizes, x.shape[2:], strict=True)):
            return _repeated(x, [n // o for n, o in zip(sizes, x.shape[2:], strict=True)])
    if not hasattr(ops, "interpolate") or step.shape is None:
        raise unsupported(step.name)
    kind = step.name.removeprefix("_").removeprefix("upsample_").rstrip("d123")
    corners = options[0] if options and isinstance(options[0], bool) else False
    keywords = {} if "nearest" in kind else {"align_corners": corners}
    return ops.interpolate(x, size=step.shape[2:], mode=kind.replace("_", "-"), **keywords)


def _repeated(x: Any, factors: list[int]) -> Any:
    """Each pixel several times along each dimension of an image."""
    for place, factor in enumerate(factors):
        if factor > 1:
            dim = 2 + place
            wide = ops.unsqueeze(x, dim + 1)
            x = ops.flatten(ops.expand(wide, *[-1] * (dim + 1), factor, *[-1] * (x.ndim - dim - 1)), dim, dim + 1)
    return x


# normalization


@rule("batch_norm")
def batch_norm(
    _step: Any, x: Any, weight: Any, bias: Any, mean: Any, var: Any, training: Any,
    momentum: float | None, eps: float, _cudnn: bool = False, *, batches: Any = None,
) -> Any:
    """Batch normalization, which updates its buffers in training."""
    options = {"num_batches_tracked": batches}
    return ops.batch_norm(x, mean, var, weight, bias, mode(training), momentum, eps, **options)


@rule("instance_norm")
def instance_norm(
    _step: Any, x: Any, weight: Any, bias: Any, mean: Any, var: Any, own: Any, momentum: float,
    eps: float, _cudnn: bool = False,
) -> Any:
    """Instance normalization."""
    return ops.instance_norm(x, mean, var, weight, bias, mode(own), momentum, eps)


@rule("layer_norm")
def layer_norm(
    _step: Any, x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5,
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
    _step: Any, x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5,
    _cudnn: bool = True,
) -> Any:
    """Normalization of groups of channels."""
    return ops.group_norm(x, groups, weight, bias, eps)


@rule("_weight_norm", "_weight_norm_interface")
def weight_norm(step: Any, v: Any, g: Any, dim: int = 0) -> Any:
    """g v / ‖v‖, with a norm for each index of one dimension."""
    dims = tuple(each for each in range(v.ndim) if each != dim % v.ndim)
    length = ops.norm(v, 2.0, dims, True)
    w = v * (g / length)
    return (w, length) if step.name.endswith("interface") else w


# dropout, attention, embeddings


@rule("dropout")
def dropout(_step: Any, x: Any, p: float, training: Any) -> Any:
    """Elements dropped in training."""
    return ops.dropout(x, p, mode(training))


@rule("feature_dropout")
def feature_dropout(_step: Any, x: Any, p: float, training: Any) -> Any:
    """Whole channels dropped in training."""
    channels = ops.ones_like(x)
    for dim in range(2, x.ndim):
        channels = ops.narrow(channels, dim, 0, 1)
    return x * ops.dropout(channels, p, mode(training))


@rule("scaled_dot_product_attention")
def attention(
    _step: Any, query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
    is_causal: bool = False, *, scale: float | None = None, enable_gqa: bool = False,
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
    _step: Any, weight: Any, indices: Any, padding_idx: int = -1, by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """Rows of a table."""
    padding = None if padding_idx < 0 else padding_idx
    return ops.embedding(indices, weight, padding, None, 2.0, by_freq, sparse)
