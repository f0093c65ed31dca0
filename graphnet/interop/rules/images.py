"""Rules for convolution, pooling and other sizes of images and series."""

from __future__ import annotations

from typing import Any

from graphnet import ops
from graphnet.errors import ShapeError
from graphnet.interop.rules.rule import SAME, rule
from graphnet.interop.sizes import Extent

SAME |= {"avg_pool3d", "adaptive_avg_pool3d", "channel_shuffle", "pixel_shuffle"}

# convolution


@rule("conv1d", "conv2d", "conv3d")
def conv(
    step: Any,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> Any:
    """A convolution."""
    if isinstance(groups, Extent):
        raise ShapeError(
            "the number of groups may not depend on the size of the batch, which stays open. For "
            "a kernel for each row, multiply it with the windows of that row: "
            "torch.einsum('bok,bkl->bol', kernels.flatten(2), F.unfold(x, kernel_size))"
        )
    return getattr(ops, step.name)(x, weight, bias, stride, padding, dilation, groups)


@rule("conv_transpose2d", "conv_transpose3d")
def conv_transpose(step: Any, x: Any, weight: Any, bias: Any = None, *options: Any) -> Any:
    """The adjoint of a convolution of images or volumes."""
    return getattr(ops, step.name)(x, weight, bias, *options)


@rule("conv_transpose1d")
def conv_transpose1d(
    _step: Any,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = (1,),
    padding: Any = (0,),
    output_padding: Any = (0,),
    groups: int = 1,
    dilation: Any = (1,),
) -> Any:
    """The same of series: that of images with one row."""
    rows = ops.unsqueeze(x, -2), ops.unsqueeze(weight, -2)
    sizes: Any = (1, *stride), (0, *padding), (0, *output_padding), groups, (1, *dilation)
    return ops.squeeze(ops.conv_transpose2d(*rows, bias, *sizes), -2)


# pooling


@rule("max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices")
def max_pool(
    step: Any,
    x: Any,
    kernel: Any,
    stride: Any = (),
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Any:
    """The largest element of each window."""
    several = step.name.endswith("indices")
    function: Any = ops.max_pool3d if "3d" in step.name else ops.max_pool2d
    return function(x, kernel, stride or None, padding, dilation, ceil_mode, several)


@rule("max_unpool2d")
def max_unpool2d(_step: Any, x: Any, indices: Any, size: Any) -> Any:
    """Pixels put back where they were."""
    return ops.max_unpool2d(x, indices, 1, output_size=tuple(size))


@rule("max_pool1d", "max_pool1d_with_indices")
def max_pool1d(
    step: Any,
    x: Any,
    kernel: Any,
    stride: Any = (),
    padding: Any = (0,),
    dilation: Any = (1,),
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
    _step: Any,
    x: Any,
    kernel: Any,
    stride: Any = (),
    padding: Any = (0,),
    ceil_mode: bool = False,
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


@rule("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")
def adaptive_max_pool(step: Any, x: Any, size: Any) -> Any:
    """The largest of each of several parts, with its index."""
    return getattr(ops, step.name)(x, tuple(size), True)


@rule("upsample_nearest1d", "upsample_nearest2d", "upsample_bilinear2d", "upsample_linear1d")
@rule("upsample_bicubic2d", "upsample_nearest3d", "upsample_trilinear3d")
@rule(*(f"_upsample_nearest_exact{dims}d" for dims in (1, 2, 3)))
def upsample(step: Any, x: Any, size: Any, *options: Any) -> Any:
    """More pixels: the nearest, by whole factors, or as `ops.interpolate` gives them."""
    scales = options[-1] if options and isinstance(options[-1], tuple) else None
    factors = _whole_factors(x, size, scales)
    if step.name.startswith("upsample_nearest") and factors is not None:
        return _repeated(x, factors)
    kind = step.name.removeprefix("_").removeprefix("upsample_").rstrip("d123")
    keywords: dict[str, Any] = {"size": size} if size is not None else {"scale_factor": scales}
    if "nearest" not in kind:
        keywords["align_corners"] = options[0]
    return ops.interpolate(x, mode=kind.replace("_", "-"), **keywords)


def _whole_factors(x: Any, size: Any, scales: Any) -> list[int] | None:
    """How often each pixel is repeated along each dimension; None if not a whole number."""
    if size is None:
        found = list(scales)
    elif None in x.shape[2:] or not all(isinstance(each, int) for each in size):
        return None
    else:
        found = [new / old for new, old in zip(size, x.shape[2:], strict=True)]
    return [int(each) for each in found] if all(each == int(each) for each in found) else None


def _repeated(x: Any, factors: list[int]) -> Any:
    """Each pixel several times along each dimension of an image."""
    for place, factor in enumerate(factors):
        if factor > 1:
            dim = 2 + place
            wide = ops.unsqueeze(x, dim + 1)
            x = ops.flatten(
                ops.expand(wide, *[-1] * (dim + 1), factor, *[-1] * (x.ndim - dim - 1)),
                dim,
                dim + 1,
            )
    return x
