"""Dropout that keeps mean and variance, for selu; and a relu whose slopes are drawn."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError
from graphnet.ops.activations import identity
from graphnet.ops.arguments import refuse_inplace
from graphnet.ops.arithmetic import add, mul
from graphnet.ops.comparison import gt, where
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.random import DropoutMask, dropout_mode, rand_like, shared_mask
from graphnet.ops.running import choose, training_mode
from graphnet.validation import require_numbers, require_range

if TYPE_CHECKING:
    from torch import Generator

    from graphnet.op import T

__all__ = ["alpha_dropout", "feature_alpha_dropout", "rrelu"]

_LOWEST = 1.7580993408473766  # -selu(-∞)


def alpha_dropout(
    input: T,
    p: float = 0.5,
    training: bool | None = None,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> T:
    """In training, set each element to the lowest value of selu with probability p, then rescale.

    y = a (x or -α') + b, with a and b such that mean 0 and variance 1 stay so. The arguments are
    those of `dropout`. Shapes: any -> the same.

    Source: Klambauer et al., Self-normalizing neural networks (2017), section 3.

    Raises:
        RangeError: p lies outside [0, 1].
        DtypeError: the input holds integers.
        GraphError: `inplace=True`, or a wrong type.

    >>> from torch import empty
    >>> alpha_dropout(empty(2).fill_(3), p=1.0)
    tensor([0., 0.])
    """
    result: T = _dropped("alpha_dropout", input, 0, p, training, inplace, generator)
    return result


def feature_alpha_dropout(
    input: T,
    p: float = 0.5,
    training: bool | None = None,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> T:
    """`alpha_dropout` of whole channels.

    Shapes: (n, c, ...) -> the same.

    Raises:
        RangeError: p lies outside [0, 1].
        DtypeError: the input holds integers.
        ShapeError: the input has fewer than 2 dimensions.
        GraphError: `inplace=True`, or a wrong type.

    >>> from torch import empty
    >>> feature_alpha_dropout(empty(1, 1, 2).fill_(3), p=1.0)
    tensor([[[0., 0.]]])
    """
    require_tensors("feature_alpha_dropout", input)
    if input.ndim < 2:
        raise ShapeError(f"feature_alpha_dropout takes (n, c, ...); got {described(input)}.")
    given = (p, training, inplace, generator)
    result: T = _dropped("feature_alpha_dropout", input, input.ndim - 2, *given)
    return result


def _dropped(
    name: str, x: Any, shared: int, p: float, training: Any, inplace: bool, generator: Any
) -> Any:
    """a (x or the lowest value) + b, for elements or for channels of `shared` dimensions."""
    mode = dropout_mode(name, x, p, training, inplace)
    if mode is False:
        return identity(x)
    if p == 1:
        return mul(x, DropoutMask(1.0, generator)(x, mode))
    kept = gt(shared_mask(x, shared, p, generator, mode), 0)
    a = 1 / sqrt((_LOWEST * _LOWEST * p + 1) * (1 - p))
    made = add(mul(where(kept, x, -_LOWEST), a), a * _LOWEST * p)
    return made if mode is True else choose(made, x, mode)


def rrelu(
    input: T,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool | None = None,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> T:
    """x where x > 0, else a x, with a slope a drawn for each element in training.

    It is uniform from `lower` to `upper`; in evaluation it is their mean. `training=None` follows
    the graph; for tensors it is False. torch draws for the elements below 0 alone, so the same seed
    gives other slopes there. Shapes: any -> the same.

    Source: Xu et al., Empirical evaluation of rectified activations (2015), section 2.4.

    Raises:
        RangeError: lower is above upper.
        DtypeError: the input holds integers.
        GraphError: `inplace=True`, or a wrong type.

    >>> from torch import empty
    >>> rrelu(empty(2).fill_(-8), 0.25, 0.75)
    tensor([-4., -4.])
    """
    require_tensors("rrelu", input)
    require_numbers(lower=lower, upper=upper)
    require_range("lower", lower, high=upper)
    refuse_inplace(inplace)
    mode = training_mode(input, training, otherwise=False)
    fixed = mul(input, (lower + upper) / 2)
    if mode is not False:
        slopes = add(mul(rand_like(input, generator=generator), upper - lower), lower)
        drawn = mul(input, slopes)
        fixed = drawn if mode is True else choose(drawn, fixed, mode)
    return where(gt(input, 0), input, fixed)
