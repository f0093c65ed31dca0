"""Normalizations: values brought to mean 0 and variance 1, each over other dimensions."""

from __future__ import annotations

from typing import Any, cast

from graphnet.errors import GraphError, ShapeError
from graphnet.op import TRAINING, Symbolic, T
from graphnet.ops.arithmetic import add, mul, sub
from graphnet.ops.dims import described
from graphnet.ops.functions import rsqrt
from graphnet.ops.reductions import mean
from graphnet.ops.running import Column, CountUp, Remember, choose, several, sized
from graphnet.ops.shapes import reshape_as
from graphnet.ops.unflatten import unflatten

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"]

_EPSILONS = {"float64": 2.0**-52}
_EPSILON = 2.0**-23  # float32's, in which torch computes the shorter types as well


def batch_norm(
    x: T,
    running_mean: T | None,
    running_var: T | None,
    weight: T | None = None,
    bias: T | None = None,
    training: bool | None = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
    *,
    num_batches_tracked: T | None = None,
) -> T:
    """Each channel with the mean and variance of the batch (training) or of the buffers taken out.

    y = (x - mean) / √(var + eps) · weight + bias. In training each buffer becomes
    (1 - momentum) buffer + momentum statistic, with the unbiased variance. `training=None` follows
    the graph; for tensors it is False. With momentum=None the buffers are the averages of all
    batches, which `num_batches_tracked` counts.
    Shapes: x (n, channels, ...), all others (channels) -> that of x.

    Source: Ioffe and Szegedy, Batch normalization (2015), algorithms 1 and 2.

    Raises:
        ShapeError: the channels differ, or in training a channel has one value only.
        GraphError: evaluation without buffers, or a node as a buffer that is not one.

    >>> from torch import empty
    >>> batch_norm(empty(2, 1).fill_(3), empty(1).fill_(1), empty(1).fill_(4))
    tensor([[1.0000],
            [1.0000]])
    """
    mode = _mode(x, training)
    _refuse_few_dims("batch_norm", x, 2)
    dims = (0, *range(2, x.ndim))
    channels = _Channels(mode, momentum, running_mean, running_var, num_batches_tracked)
    return channels.normalize(x, dims, weight, bias, eps)


def instance_norm(
    x: T,
    running_mean: T | None = None,
    running_var: T | None = None,
    weight: T | None = None,
    bias: T | None = None,
    use_input_stats: bool | None = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> T:
    """Each channel of each example with its own mean and variance taken out.

    With `use_input_stats=False` those of the buffers are taken, and with None those that the mode
    of the graph tells (for tensors, their own). Where buffers are given, they learn as in
    `batch_norm`, from the average over the batch.
    Shapes: x (n, channels, ...), all others (channels) -> that of x.

    Source: Ulyanov et al., Instance normalization (2016), equation 4.

    Raises:
        ShapeError: the channels differ, or a channel has one value only.
        GraphError: `use_input_stats` is not True, and there are no buffers.

    >>> from torch import empty
    >>> instance_norm(empty(2, 1, 3).fill_(3)).shape
    torch.Size([2, 1, 3])
    """
    mode = _mode(x, use_input_stats, otherwise=True)
    _refuse_few_dims("instance_norm", x, 2)
    channels = _Channels(mode, momentum, running_mean, running_var, None)
    return channels.normalize(x, tuple(range(2, x.ndim)), weight, bias, eps)


class _Channels:
    """Statistics of channels: those of the values given in training, else those of buffers."""

    def __init__(
        self, mode: Any, momentum: float | None, mean: Any, var: Any, batches: Any
    ) -> None:
        if (mean is None) != (var is None):
            raise GraphError("running_mean and running_var are given both, or neither.")
        if mean is None and mode is not True:
            raise GraphError(
                "running_mean and running_var are needed in evaluation; without them only the "
                "statistics of the batch are left: training=True (use_input_stats=True)."
            )
        if momentum is None and batches is None:
            raise GraphError("momentum=None is an average over batches: num_batches_tracked=...")
        for buffer in (mean, var, batches):
            if mode is not False and isinstance(buffer, Symbolic):
                _require_buffer(buffer)
        self.mode, self.momentum, self.mean, self.var = mode, momentum, mean, var
        self.batches = batches

    def normalize(self, x: T, dims: tuple[int, ...], weight: Any, bias: Any, eps: float) -> T:
        """x with its mean over `dims` taken out, divided by its deviation; times weight, + bias."""
        for each in (self.mean, self.var, weight, bias):
            if each is not None:
                size = sized(each, (None,)).shape[0]
                x = sized(x, (None, size, *[None] * (x.ndim - 2)))
        x = several(x, dims, self.mode)
        batches = 0
        if self.batches is not None and self.mode is not False:
            batches = CountUp()(self.batches, x, self.mode)
        centered = sub(x, self._statistic(x, dims, self.mean, batches, False))
        var = self._statistic(mul(centered, centered), dims, self.var, batches, True)
        scale = rsqrt(add(var, eps))
        if weight is not None:
            scale = mul(scale, Column()(weight, x))
        y = mul(centered, scale)
        return y if bias is None else add(y, Column()(bias, x))

    def _statistic(self, values: T, dims: Any, buffer: Any, batches: Any, unbiased: bool) -> T:
        """The mean of the values over `dims` in training, else what the buffer has kept."""
        if self.mode is False:
            return cast("T", Column()(buffer, values))
        statistic = mean(values, dims, True) if dims else values
        if buffer is None:
            return statistic
        remember = Remember(self.momentum, unbiased)
        statistic = remember(statistic, buffer, values, batches, self.mode)
        if self.mode is True:
            return statistic
        kept = Column()(buffer, values)
        return cast("T", choose(statistic, kept, self.mode))


def layer_norm(
    x: T,
    normalized_shape: tuple[int, ...] | list[int],
    weight: T | None = None,
    bias: T | None = None,
    eps: float = 1e-5,
) -> T:
    """Mean and variance over the last dimensions taken out: those of `normalized_shape`.

    y = (x - mean) / √(var + eps) · weight + bias.
    Shapes: x (..., *normalized_shape), weight and bias normalized_shape -> that of x.

    Source: Ba et al., Layer normalization (2016), equation 4.

    Raises:
        ShapeError: x does not end with `normalized_shape`, or weight or bias have another shape.

    >>> from torch import empty
    >>> layer_norm(empty(2, 3).fill_(3), (3,))
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    x = _ending(x, normalized_shape, weight, bias)
    y = _standardized(x, tuple(range(-len(normalized_shape), 0)), eps)
    y = y if weight is None else mul(y, weight)
    return y if bias is None else add(y, bias)


def rms_norm(
    x: T,
    normalized_shape: tuple[int, ...] | list[int],
    weight: T | None = None,
    eps: float | None = None,
) -> T:
    """x divided by its root mean square over the last dimensions, those of `normalized_shape`.

    y = x / √(mean x² + eps) · weight; where eps is None, it is the precision of the number type.
    Shapes: x (..., *normalized_shape), weight normalized_shape -> that of x.

    Source: Zhang and Sennrich, Root mean square layer normalization (2019), equation 4.

    Raises:
        ShapeError: x does not end with `normalized_shape`, or the weight has another shape.

    >>> from torch import empty
    >>> rms_norm(empty(2).fill_(3), (2,))
    tensor([1., 1.])
    """
    x = _ending(x, normalized_shape, weight)
    if eps is None:
        eps = _EPSILONS.get(_dtype_name(x), _EPSILON)
    squares = mean(mul(x, x), tuple(range(-len(normalized_shape), 0)), True)
    y = mul(x, rsqrt(add(squares, eps)))
    return y if weight is None else mul(y, weight)


def group_norm(
    x: T, num_groups: int, weight: T | None = None, bias: T | None = None, eps: float = 1e-5
) -> T:
    """Mean and variance of each group of channels of each example taken out.

    y = (x - mean) / √(var + eps) · weight + bias.
    Shapes: x (n, channels, ...), weight and bias (channels) -> that of x.

    Source: Wu and He, Group normalization (2018), equations 1 to 7.

    Raises:
        ShapeError: the channels cannot be divided into equal groups, or the sizes differ.

    >>> from torch import empty
    >>> group_norm(empty(2, 4).fill_(3), 2).shape
    torch.Size([2, 4])
    """
    _refuse_few_dims("group_norm", x, 2)
    if isinstance(num_groups, bool) or not isinstance(num_groups, int) or num_groups < 1:
        raise ShapeError(f"num_groups is a whole number of 1 or more; {num_groups!r} came.")
    channels = x.shape[1]
    if channels is not None and (channels == 0 or channels % num_groups):
        raise ShapeError(
            f"{channels} channels cannot be put into {num_groups} equal groups: {described(x)}."
        )
    for each in (weight, bias):
        if each is not None:
            x = sized(x, (None, sized(each, (None,)).shape[0], *[None] * (x.ndim - 2)))
    groups = unflatten(x, 1, (num_groups, -1))
    groups = several(groups, (0, *range(2, groups.ndim)), True)
    y = reshape_as(_standardized(groups, tuple(range(2, groups.ndim)), eps), x)
    y = y if weight is None else mul(y, Column()(weight, x))
    return y if bias is None else add(y, Column()(bias, x))


def _standardized(x: T, dims: tuple[int, ...], eps: float) -> T:
    """(x - mean) / √(var + eps), with mean and variance over some dimensions."""
    centered = sub(x, mean(x, dims, True))
    return mul(centered, rsqrt(add(mean(mul(centered, centered), dims, True), eps)))


def _ending(x: T, shape: Any, *others: Any) -> T:
    """x, known to end with this shape, which the others must have as a whole."""
    if isinstance(shape, int) or not len(shape):
        raise ShapeError(f"normalized_shape names one size or more: (3,); {shape!r} came.")
    for each in others:
        if each is not None:
            sized(each, tuple(shape))
    _refuse_few_dims("a normalization over the last dimensions", x, len(shape))
    return sized(x, (*[None] * (x.ndim - len(shape)), *shape))


def _mode(x: Any, training: bool | None, otherwise: bool = False) -> Any:
    """The training mode: as it is fixed, else that of the graph; `otherwise` for tensors."""
    if training is not None:
        return bool(training)
    return TRAINING if isinstance(x, Symbolic) else otherwise


def _refuse_few_dims(name: str, x: Any, least: int) -> None:
    if x.ndim < least:
        raise ShapeError(f"{name} takes {least} dimensions or more; {described(x)} came.")


def _require_buffer(node: Any) -> None:
    """Refuse to write to a node that is not a buffer: to what is fed, computed or learned."""
    if not getattr(node, "is_buffer", False):
        raise GraphError(
            f"{node} would be written to in training, so it must be a buffer: "
            "graph.parameter(tensor, requires_grad=False)."
        )


def _dtype_name(x: Any) -> str:
    return str(x.dtype).removeprefix("torch.")
