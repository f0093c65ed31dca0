"""Checks of the arguments of convolution, pooling and unfolding.

All checks run when a node is built, on sizes as far as they are known then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphnet.errors import DtypeError, RangeError, ShapeError, counted
from graphnet.ops.arguments import require_one_dtype
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.shapes import squeeze, unsqueeze
from graphnet.validation import must_be, require_integer

if TYPE_CHECKING:
    from graphnet.op import T

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]
"""Rows above and below, columns left and right; negative ones are cut off."""

Sizes = int | tuple[int, ...] | list[int]
"""A size as callers give it: one for all dimensions, or one for each."""

INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
"""The integer dtypes."""


def on_batch(op: Callable[..., T], input: T, *others: T, ndim: int = 4) -> T:
    """Apply an op to a batch of `ndim` dimensions, or to a single example as a batch of one."""
    if input.ndim == ndim:
        return op(input, *others)
    return squeeze(op(unsqueeze(input, 0), *others), 0)


def sizes_of(
    value: Any, count: int, name: str, least: int = 1, repeat: bool = True
) -> tuple[int, ...]:
    """A size for each of `count` dimensions, from one number or one for each.

    If `repeat` is True, a tuple of one number means that number, as in some of torch's functions.

    Raises:
        GraphError: it is anything else, or a size is less than `least`.
    """
    sizes = tuple(value) if isinstance(value, tuple | list) else (value,) * count
    sizes = sizes * count if repeat and len(sizes) == 1 else sizes
    if len(sizes) != count:
        raise RangeError(must_be(name, f"an integer, or {count} of them", value))
    return tuple(require_integer(name, size, least) for size in sizes)


def pair(value: Any, name: str, least: int = 1, repeat: bool = True) -> Pair:
    """A size for the height and one for the width: see `sizes_of`."""
    height, width = sizes_of(value, 2, name, least, repeat)
    return height, width


def require_tensor(x: Any, what: str, dims: tuple[int, ...], kinds: tuple[str, ...] = ()) -> None:
    """Refuse all but tensors and nodes with these dimensions, of a floating dtype or these kinds.

    Raises:
        ShapeError: x has a different number of dimensions.
        DtypeError: x has a different dtype.
        GraphError: x is neither a tensor nor a node.
    """
    require_tensors(what, x)
    if x.ndim not in dims:
        numbers = " or ".join([*map(str, dims[:-1]), counted(dims[-1], "dimension")])
        raise ShapeError(f"{what} must have {numbers}; got {described(x)}.")
    kind = str(x.dtype).removeprefix("torch.")
    if not x.dtype.is_floating_point and kind not in kinds:
        also = f" or {', '.join(kinds)}" if kinds else ""
        raise DtypeError(
            f"{what} must be floating-point{also}; got {described(x)} of {kind}. Convert a tensor "
            "with x.float(), or declare the input with dtype=..."
        )


def require_operands(
    name: str, dims: int, kinds: tuple[str, ...], input: Any, weight: Any, bias: Any
) -> None:
    """Refuse anything but input, weight and bias of a convolution over `dims` dimensions.

    Raises:
        ShapeError: one has a different number of dimensions, or the channels are unknown.
        DtypeError: one has a dtype that does not fit.
        GraphError: one is neither a tensor nor a node.
    """
    require_tensor(input, f"the input of {name}", (dims + 1, dims + 2), kinds)
    require_tensor(weight, f"the weight of {name}", (dims + 2,), kinds)
    if bias is not None:
        require_tensor(bias, f"the bias of {name}", (1,), kinds)
    require_one_dtype(name, input, weight, *([] if bias is None else [bias]))
    if input.shape[-dims - 1] is None and None not in weight.shape:
        raise ShapeError(
            f"{name}: the number of channels must be known; got {described(input)}, and the "
            f"weight {tuple(weight.shape)}. Give it in the shape of the input."
        )
