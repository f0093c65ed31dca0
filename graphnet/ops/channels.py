"""What happens between channels: channel_shuffle, local_response_norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.ops.arithmetic import add, div, mul
from graphnet.ops.borders import pad
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.functions import square
from graphnet.ops.mean_pooling import avg_pool2d
from graphnet.ops.powers import pow
from graphnet.ops.shapes import flatten, reshape_as, squeeze, transpose, unsqueeze
from graphnet.ops.unflatten import unflatten
from graphnet.validation import require_integer, require_numbers

if TYPE_CHECKING:
    from graphnet.op import T

__all__ = ["channel_shuffle", "local_response_norm"]


def channel_shuffle(input: T, groups: int) -> T:
    """The first channel of each group, then the second of each, and so on.

    Shapes: (n, c, ...) -> the same.

    Source: Zhang et al., ShuffleNet (2018), figure 1.

    Raises:
        ShapeError: there are fewer than 3 dimensions, or the groups do not divide the channels.
        GraphError: the number of groups is not an integer of 1 or more.

    >>> from torch import empty
    >>> x = empty(1, 4, 1)
    >>> x[0, :, 0] = x.new_tensor([1, 2, 3, 4])
    >>> channel_shuffle(x, 2)[0, :, 0]
    tensor([1., 3., 2., 4.])
    """
    require_tensors("channel_shuffle", input)
    require_integer("groups", groups, 1)
    if input.ndim < 3 or not input.shape[1] or input.shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle takes (n, c, ...) with channels that {groups} groups divide; got "
            f"{described(input)}."
        )
    return flatten(transpose(unflatten(input, 1, (groups, -1)), 1, 2), 1, 2)


def local_response_norm(
    input: T, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> T:
    """x / (k + α m)^β, with the mean m of the squares of `size` channels around each.

    Shapes: (n, c, ...) -> the same.

    Source: Krizhevsky et al., ImageNet classification (2012), section 3.3.

    Raises:
        ShapeError: there are fewer than 3 dimensions.
        GraphError: an option has a wrong value.

    >>> from torch import empty
    >>> local_response_norm(empty(1, 1, 1).fill_(3), 1, alpha=1.0, beta=0.5, k=0.0)
    tensor([[[1.]]])
    """
    require_tensors("local_response_norm", input)
    require_integer("size", size, 1)
    require_numbers(alpha=alpha, beta=beta, k=k)
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm takes (n, c, ...); got {described(input)}.")
    squares: Any = unsqueeze(flatten(square(input), 2), 1)  # channels are rows of an image
    rows = pad(squares, (0, 0, size // 2, (size - 1) // 2))
    means: T = reshape_as(squeeze(avg_pool2d(rows, (size, 1), 1), 1), input)
    return div(input, pow(add(mul(means, alpha), k), beta))
