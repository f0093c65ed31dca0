"""Batch and instance normalization: each channel by itself, with optional running statistics.

Short floating dtypes are computed in float32 and rounded once, as in `normalization`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.errors import GraphError
from graphnet.ops import reductions, shapes
from graphnet.ops.arithmetic import add, mul, sub
from graphnet.ops.broadcasting import ones_like, size
from graphnet.ops.dtypes import detach, narrowed, widened
from graphnet.ops.functions import rsqrt
from graphnet.ops.joining import cat
from graphnet.ops.moments import Rescale, SecondMoment
from graphnet.ops.processes import AllReduce, CountedAllReduce, RememberAcross, synchronizing
from graphnet.ops.running import (
    Column,
    CountUp,
    Remember,
    choose,
    require_buffer,
    several,
    training_mode,
    with_channels,
)
from graphnet.validation import require_numbers, require_range

if TYPE_CHECKING:
    from graphnet.op import T

__all__ = ["batch_norm", "instance_norm"]


def batch_norm(
    input: T,
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
    """Normalize each channel by the mean and variance of the batch (training) or of the buffers.

    y = (x - mean) / √(var + eps) · weight + bias. In training each buffer becomes
    (1 - momentum) buffer + momentum statistic, with the unbiased variance. `training=None` follows
    the graph; for tensors it is False. With momentum=None the buffers average over all batches,
    which `num_batches_tracked` counts.
    Shapes: input (n, channels, ...), all others (channels) -> that of the input.

    Source: Ioffe and Szegedy, Batch normalization (2015), algorithms 1 and 2.

    Raises:
        ShapeError: the channels differ, or in training a channel has only one value.
        DtypeError: the dtypes differ, or are not floating-point.
        RangeError: eps is negative, or 0 in training.
        GraphError: evaluation without buffers, a buffer that is another node, or a wrong type.

    >>> from torch import empty
    >>> batch_norm(empty(2, 1).fill_(3), empty(1).fill_(1), empty(1).fill_(4))
    tensor([[1.0000],
            [1.0000]])
    """
    mode = training_mode(input, training, otherwise=False)
    x, (mean, var, weight, bias) = with_channels(
        "batch_norm", input, running_mean, running_var, weight, bias
    )
    given = mode, momentum, mean, var, num_batches_tracked
    group = None if mode is False else synchronizing()
    statistics = _Statistics(*given) if group is None else _Synchronized(*given, group)
    require_range("eps", eps, above=None if mode is False else 0)
    y = statistics.normalize(widened(x), (0, *range(2, input.ndim)), weight, bias, eps)
    return narrowed(y, x)


def instance_norm(
    input: T,
    running_mean: T | None = None,
    running_var: T | None = None,
    weight: T | None = None,
    bias: T | None = None,
    use_input_stats: bool | None = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> T:
    """Normalize each channel of each example by its own mean and variance.

    With `use_input_stats=False` the buffers are used instead; None follows the mode of the graph
    (for tensors, their own statistics). Given buffers are updated as in `batch_norm`, from the
    average over the batch.
    Shapes: input (n, channels, ...), all others (channels) -> that of the input.

    Source: Ulyanov et al., Instance normalization (2016), equation 4.

    Raises:
        ShapeError: the channels differ, or a channel has only one value.
        DtypeError: the dtypes differ, or are not floating-point.
        GraphError: there are no buffers and `use_input_stats` is not True, or a wrong type.

    >>> from torch import empty
    >>> instance_norm(empty(2, 1, 3).fill_(3)).shape
    torch.Size([2, 1, 3])
    """
    mode = training_mode(input, use_input_stats, otherwise=True)
    x, (mean, var, weight, bias) = with_channels(
        "instance_norm", input, running_mean, running_var, weight, bias
    )
    statistics = _Statistics(mode, momentum, mean, var, None)
    require_numbers(eps=eps)
    y = statistics.normalize(widened(x), tuple(range(2, x.ndim)), weight, bias, eps)
    return narrowed(y, x)


class _Statistics:
    """The source of the mean and variance of channels: values in training, else buffers."""

    def __init__(
        self, mode: Any, momentum: float | None, mean: Any, var: Any, batches: Any
    ) -> None:
        if (mean is None) != (var is None):
            raise GraphError("Give both running_mean and running_var, or neither.")
        if mean is None and mode is not True:
            raise GraphError(
                "running_mean and running_var are needed in evaluation. Without them, use the "
                "statistics of the batch: training=True (use_input_stats=True)."
            )
        if momentum is not None:
            require_numbers(momentum=momentum)
        elif batches is None:
            raise GraphError("momentum=None averages over batches: give num_batches_tracked=...")
        for buffer in (mean, var, batches):
            if buffer is not None:
                require_buffer(buffer, written=mode is not False)
        self.mode, self.momentum, self.mean, self.var = mode, momentum, mean, var
        self.batches = batches

    def normalize(self, x: T, dims: tuple[int, ...], weight: Any, bias: Any, eps: float) -> T:
        """(x - mean over `dims`) / deviation · weight + bias."""
        x = self._several(x, dims)
        batches = 0
        if self.batches is not None and self.mode is not False:
            batches = CountUp()(self.batches, x, self.mode)
        mean = self._statistic(x, dims, self.mean, batches)
        var = self._statistic(x, dims, self.var, batches, mean)
        scale = rsqrt(add(var, eps))
        if weight is not None:
            scale = mul(scale, Column()(widened(weight), x))
        if bias is None:
            return mul(sub(x, mean), scale)
        return Rescale()(x, mean, scale, Column()(widened(bias), x))

    def _statistic(self, x: T, dims: Any, buffer: Any, batches: Any, mean: Any = None) -> T:
        """The mean over `dims` in training, given that the variance, else the buffer."""
        if self.mode is False:
            return cast("T", Column()(widened(buffer), x))
        statistic = self._moment(x, dims, mean)
        if buffer is None:
            return cast("T", statistic)
        statistic = self._remember(statistic, buffer, x, batches, unbiased=mean is not None)
        if self.mode is True:
            return cast("T", statistic)
        kept = Column()(widened(buffer), x)
        return cast("T", choose(statistic, kept, self.mode))

    # what differs if several processes have the rows

    def _several(self, x: T, dims: tuple[int, ...]) -> T:
        """x, with a check for more than one value."""
        return several(x, dims, self.mode)

    def _moment(self, x: T, dims: tuple[int, ...], mean: Any) -> Any:
        """The mean, or given that, the variance."""
        if mean is not None:
            return SecondMoment(dims)(x, mean)
        return reductions.mean(x, dims, True) if dims else x

    def _remember(self, statistic: Any, buffer: Any, x: T, batches: Any, unbiased: bool) -> Any:
        remember = Remember(self.momentum, unbiased)
        return remember(statistic, buffer, x, batches, self.mode)


class _Synchronized(_Statistics):
    """The same over the rows of all processes: sums and numbers of values are added up."""

    def __init__(
        self, mode: Any, momentum: float | None, mean: Any, var: Any, batches: Any, group: Any
    ) -> None:
        super().__init__(mode, momentum, mean, var, batches)
        self.group = group
        self._count: Any = None

    def _several(self, x: T, dims: tuple[int, ...]) -> T:
        return x  # a process may have one row, or none; the sum is checked

    def _moment(self, x: T, dims: tuple[int, ...], mean: Any) -> Any:
        """The mean, or given that, the variance, from the sums of all processes."""
        if mean is not None:
            sums: Any = SecondMoment(dims, False)(x, mean)
            return AllReduce(self.group)(sums, self.mode) / self._count
        number: Any = 1
        for dim in dims:
            number = number * size(x, dim)
        sums = reductions.sum(x, dims)
        sums = cat([sums, ones_like(sums[:1]) * number])  # the number travels with the sums
        sums = CountedAllReduce(self.group, dims)(sums, x, self.mode)
        self._count = detach(sums[-1])
        return shapes.reshape(sums[:-1] / self._count, 1, -1, *[1] * (x.ndim - 2))

    def _remember(self, statistic: Any, buffer: Any, x: T, batches: Any, unbiased: bool) -> Any:
        remember = RememberAcross(self.momentum, unbiased)
        return remember(statistic, buffer, self._count, batches, self.mode)
