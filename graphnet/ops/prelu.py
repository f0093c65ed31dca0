"""A rectifier whose slope is learned: prelu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.ops.arguments import require_floating
from graphnet.ops.arithmetic import mul
from graphnet.ops.comparison import gt, where
from graphnet.ops.dims import described
from graphnet.ops.shapes import reshape

if TYPE_CHECKING:
    from graphnet.op import T

__all__ = ["prelu"]


def prelu(input: T, weight: T) -> T:
    """Each element if positive, else its product with the weight of its channel, dimension 1.

    Shapes: input (n, c, ...) or any, weight (c) or (1) -> that of the input.

    Source: He et al., Delving deep into rectifiers (2015), equation 1.

    Raises:
        ShapeError: there are neither one weight nor as many as channels.
        DtypeError: the dtypes differ, or are not floating-point.

    >>> from torch import empty
    >>> prelu(empty(2).fill_(-4), empty(1).fill_(0.25))
    tensor([-1., -1.])
    """
    require_floating("prelu", input, weight)
    count = weight.shape[0] if weight.ndim == 1 else (1 if weight.ndim == 0 else None)
    channels: Any = input.shape[1] if input.ndim > 1 else None
    if count is None or (count != 1 and channels not in (None, count)):
        raise ShapeError(
            f"prelu takes one weight, or one for each channel of {described(input)}; got "
            f"{described(weight)}."
        )
    if count != 1 and input.ndim > 2:
        weight = reshape(weight, -1, *[1] * (input.ndim - 2))
    return where(gt(input, 0), input, mul(weight, input))
