"""Dtypes: conversions, and refusals of dtypes that an operation does not take."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import DtypeError, RangeError
from graphnet.op import Elementwise, Op, T, View

if TYPE_CHECKING:
    from torch import Tensor, dtype

__all__ = ["detach"]

_BOOL = (empty(0) == 0).dtype
_FLOAT32 = empty(0).float().dtype


class Convert(Elementwise):
    """y = x in another dtype; the gradient is converted back to that of x.  Shapes: any."""

    symbol = "dtype"
    dtype: dtype

    def forward(self, x: Tensor) -> Tensor:
        return x.to(self.dtype)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return Convert(x_like.dtype)(grad)


class Detach(View):
    """y = x, but no gradient flows back.  Shapes: any."""

    symbol = "detach"

    def forward(self, x: Tensor) -> Tensor:
        return x.detach()

    grad_x = None


def detach(input: T) -> T:
    """The input itself, as a constant: no gradient flows back through it.

    >>> from torch import empty
    >>> detach(empty(2).fill_(3))
    tensor([3., 3.])
    """
    return Detach()(input)


def cast_to(x: T, dtype: dtype | None) -> T:
    """x in another dtype; x itself if it has that dtype, or if None.

    Raises:
        DtypeError: it is not a dtype of torch.
    """
    if dtype is None or x.dtype == dtype:
        return x
    if not isinstance(dtype, type(_BOOL)):
        raise DtypeError(f"a dtype must be one of torch's; got {dtype!r}.")
    return Convert(dtype)(x)


def promoted(*values: Any) -> tuple[Any, ...]:
    """Tensors or nodes in the one dtype to which torch promotes them."""
    # As for tensors: a scalar decides only between booleans, integers and floating-point numbers.
    likes = [empty((0,) if each.ndim else (), dtype=each.dtype) for each in values]
    total = likes[0]
    for like in likes[1:]:
        total = total + like
    return tuple(cast_to(each, total.dtype) for each in values)


def is_half(x: Any) -> bool:
    """True for tensors and nodes of float16, bfloat16 and shorter floating dtypes.

    float16 ends at 65,504, and counting by ones stops at 2,048; in bfloat16 it stops at 256.
    """
    return is_floating(x) and x.dtype.itemsize < 4


def widened(x: T) -> T:
    """x in float32 if its floating dtype is shorter, else x itself: see `is_half`."""
    return Convert(_FLOAT32)(x) if is_half(x) else x


def narrowed(x: T, like: Any) -> T:
    """A result of `widened` tensors, converted back to the dtype of `like`."""
    return Convert(like.dtype)(x) if is_half(like) else x


def refuse_integers(op: Op, x: Tensor) -> None:
    """Refuse integers and booleans in an operation that torch offers only for floating dtypes.

    Raises:
        DtypeError: x is not of a floating dtype.
    """
    if not x.dtype.is_floating_point:
        raise DtypeError(
            f"{op.name} takes floating-point numbers; got {x.dtype}. Give the input a floating "
            "dtype, or convert the tensor with .float()."
        )


def refuse_booleans(name: str, x: Any) -> None:
    """Refuse booleans in an operation that torch offers only for numbers.

    Raises:
        DtypeError: x holds booleans.
    """
    if x.dtype == _BOOL:
        raise DtypeError(f"{name} takes numbers; got booleans. Convert them: .float().")


def require_booleans(name: str, x: Any) -> None:
    """Refuse a condition that is not boolean, as the result of a comparison is.

    Raises:
        DtypeError: x holds numbers, or is not a tensor.
    """
    kind = getattr(x, "dtype", type(x).__name__)
    if kind != _BOOL:
        raise DtypeError(
            f"{name} takes a boolean condition; got {kind}. A comparison makes one: x > 0."
        )


def is_floating(x: Any) -> bool:
    """True for tensors and nodes of a floating dtype."""
    return hasattr(x, "dtype") and bool(x.dtype.is_floating_point)


def integer_bound(bound: float) -> int:
    """A bound for integers, cut to an integer.

    Raises:
        RangeError: it is infinite, or NaN.
    """
    if not isfinite(bound):
        raise RangeError(f"a bound for integers must be finite; got {bound!r}.")
    return int(bound)
