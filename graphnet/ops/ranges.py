"""Integers in a row: `arange`, also up to a size that is known only when a tensor is fed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import GraphError, RangeError
from graphnet.op import Op, Symbolic
from graphnet.ops.broadcasting import Size
from graphnet.ops.dtypes import cast_to
from graphnet.validation import require_numbers

if TYPE_CHECKING:
    from torch import Tensor, dtype

__all__ = ["arange"]


class Positions(Op):
    """0, 1, 2, ... for each index of a dimension of x.  Shapes: (n, m) -> (m) for dim=1."""

    symbol = "0 1 2…"
    dim: int

    def forward(self, x_like: Tensor) -> Tensor:
        # A sum of ones, since a tensor has no method that counts.
        return x_like.new_ones(x_like.shape[self.dim]).long().cumsum(0) - 1


def arange(start: Any, end: Any = None, step: float = 1, *, dtype: dtype | None = None) -> Any:
    """The numbers from `start` (by default 0) to `end`, which is not one of them.

    `end` may be a size that is unknown until a tensor is fed, `arange(x.size(1))`: then start and
    step are 0 and 1. For numbers the result is a tensor, which a node takes as a constant.

    Args:
        start: the first number; the end, if there is only one argument.
        end: where they end.
        step: the difference of two neighbours.
        dtype: that of the result; int64 for integers, else torch's default.

    Raises:
        RangeError: the step is 0, or leads away from the end.
        GraphError: the end is a node, but not a size, or start and step are not 0 and 1.

    >>> arange(1, 7, 2)
    tensor([1, 3, 5])
    >>> import graphnet as gn
    >>> x = gn.Graph().input((None, 4), name="x")
    >>> arange(x.size(0))
    <operation 2 'positions' (?,)>
    """
    first, last = (0, start) if end is None else (start, end)
    if isinstance(first, Symbolic) or isinstance(last, Symbolic):
        return cast_to(_up_to(first, last, step), dtype)
    require_numbers(start=first, end=last, step=step)
    if step == 0 or (last - first) / step < 0:
        raise RangeError(f"arange: no steps of {step} lead from {first} to {last}.")
    whole = all(isinstance(each, int) for each in (first, last, step))
    count = -int(-(last - first) // step)
    places = empty(count).fill_(1).long().cumsum(0) - 1
    if not whole:
        places = places.to(empty(0).dtype if dtype is None else dtype)
    return cast_to(places * step + first, dtype)


def _up_to(first: Any, last: Any, step: float) -> Any:
    """The positions along the dimension whose size a node holds."""
    op = getattr(last, "op", None)
    if not isinstance(op, Size) or first != 0 or step != 1:
        raise GraphError(
            "arange of a node takes a size alone, as in arange(x.size(1)), since the shape of the "
            f"result must follow from shapes; got {first}, {last} and {step}. Add or multiply "
            "afterwards: arange(x.size(1)) * 2 + 1."
        )
    return Positions(op.dim)(last.args[0])
