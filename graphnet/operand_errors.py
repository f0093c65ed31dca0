"""Why an operation cannot be applied to its arguments: their dtypes, or their shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import DtypeError, GraphError, ShapeError, shape_text

if TYPE_CHECKING:
    from torch import dtype

    from graphnet.op import Op

_FLOAT, _INTEGER, _BOOL = (
    each.dtype for each in (empty(0).double(), empty(0).long(), empty(0) > 0)
)
_UNKNOWN = 12  # what stands for a size that is not known
_LARGE = 4_000_000  # elements; above, the zeros are made on the device meta
_MOST = 4  # arguments whose dtypes are tried in all combinations


def refuse_no_tensor(op: Op, args: Sequence[Any], value: object) -> None:
    """Refuse an argument that lacks what only tensors and nodes have, and is neither."""
    if any(value is arg for arg in args) and not hasattr(value, "dtype"):
        kind = "None" if value is None else type(value).__name__
        raise GraphError(f"{op.name} takes a tensor or a node here; got {kind}.") from None


def misfit(op: Op, args: Sequence[Any], error: Exception) -> GraphError:
    """The error for tensors that do not fit an op, from torch's message."""
    reason = str(error).partition("\n")[0]
    shapes = "; ".join(shape_text(tuple(arg.shape)) for arg in args if hasattr(arg, "shape"))
    way_out = f"\n  way out: {op.hint}" if op.hint else ""
    kind = kind_of_misfit(op, args)
    return kind(f"{op.name} cannot be applied here: {reason}\n  got: {shapes}{way_out}")


def kind_of_misfit(op: Op, arguments: Sequence[Any]) -> type[GraphError]:
    """DtypeError if the op takes zeros of other dtypes in the same shapes, else ShapeError.

    Torch's message says which it is, but in words that change from version to version.

    Args:
        op: an op that has just failed.
        arguments: tensors, nodes and numbers.
    """
    own = tuple(each.dtype for each in arguments if hasattr(each, "dtype"))
    if _runs(op, arguments, own):  # it is the values that do not fit
        return ShapeError
    return DtypeError if any(_runs(op, arguments, each) for each in _others(own)) else ShapeError


def _others(dtypes: tuple[dtype, ...]) -> Iterator[tuple[dtype, ...]]:
    """Combinations of other dtypes; those of the last arguments are equal."""
    for chosen in product(*map(_alternatives, dtypes[:_MOST])):
        yield chosen + chosen[-1:] * (len(dtypes) - len(chosen))


def _alternatives(dtype: dtype) -> tuple[dtype, ...]:
    """What a tensor could be converted to; booleans as integers would be another kind of index."""
    if dtype == _BOOL:
        return _FLOAT, _BOOL
    return _FLOAT, _INTEGER, _BOOL


def _runs(op: Op, arguments: Sequence[Any], dtypes: tuple[dtype, ...]) -> bool:
    """Whether the op takes zeros of these dtypes in place of the tensors and nodes."""
    remaining = iter(dtypes)
    values = [
        _zeros(each.shape, next(remaining)) if hasattr(each, "dtype") else each
        for each in arguments
    ]
    try:
        (op.trial or op.forward)(*values)
    except Exception:
        return False
    return True


def _zeros(shape: Sequence[int | None], dtype: dtype) -> Any:
    sizes = [_UNKNOWN if size is None else size for size in shape]
    device = "meta" if prod(sizes) > _LARGE else "cpu"
    return empty(sizes, dtype=dtype, device=device).zero_()
