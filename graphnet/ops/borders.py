"""Borders: pad, with one value or with elements of the input itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from graphnet.errors import GraphError, ShapeError
from graphnet.ops.broadcasting import expand
from graphnet.ops.dims import described
from graphnet.ops.indexing import ALL, getitem
from graphnet.ops.joining import cat
from graphnet.ops.padding import Pad
from graphnet.ops.rearranging import flip
from graphnet.validation import require_choice, require_integers, require_numbers

if TYPE_CHECKING:
    from graphnet.op import T

__all__ = ["pad"]


def pad(input: T, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> T:
    """The input with a border: elements of one value, by default 0, or of the input itself.

    The mode "reflect" mirrors at the first and last element, "replicate" repeats these, and
    "circular" continues at the other end.

    `pad` gives the amounts in pairs, starting with the last dimension: (left, right, top, bottom).
    A negative amount removes elements.

    Raises:
        ShapeError: the amounts are not pairs, are for too many dimensions, remove too much, or
            need more elements of the input than there are.
        GraphError: there is no such mode, the value is not a number, or is not for this mode.

    >>> from torch import empty
    >>> pad(empty(2).fill_(3), (1, 0), value=7)
    tensor([7., 3., 3.])
    """
    require_choice("pad: mode", mode, ("constant", *_BORDERS))
    amounts = require_integers("pad: an amount", pad)
    if len(amounts) % 2 or len(amounts) > 2 * input.ndim:
        raise ShapeError(
            "pad: the amounts must be pairs, one for each of the last dimensions of "
            f"{described(input)}; got {amounts}."
        )
    if mode != "constant":
        if value is not None and value != 0:
            raise GraphError(f"pad: mode={mode!r} takes no value; got {value!r}.")
        return cast("T", _bordered(input, amounts, mode))
    if not isinstance(value, bool | None):  # True fills booleans
        require_numbers(value=value)
    return Pad(amounts, float(value or 0))(input)


def _bordered(x: Any, amounts: tuple[int, ...], mode: str) -> Any:
    """x with a border of its own elements; a negative amount removes elements."""
    for place in range(len(amounts) // 2):
        dim = x.ndim - 1 - place
        before, after = amounts[2 * place : 2 * place + 2]
        if before < 0 or after < 0:
            x = _part(x, dim, max(-before, 0) or None, min(after, 0) or None)
        most, known = max(before, after, 0), x.shape[dim]
        needed = {"reflect": most + 1, "replicate": 1, "circular": most}[mode]
        if known is not None and most and known < needed:
            raise ShapeError(
                f"pad: a border of {most} by mode={mode!r} needs {needed} elements in dimension "
                f"{dim} of {described(x)}."
            )
        left = _BORDERS[mode](x, dim, before, True) if before > 0 else None
        right = _BORDERS[mode](x, dim, after, False) if after > 0 else None
        parts = [part for part in (left, x, right) if part is not None]
        x = cat(parts, dim) if len(parts) > 1 else x
    return x


def _part(x: Any, dim: int, start: int | None, stop: int | None) -> Any:
    return getitem(x, (*[slice(*ALL)] * dim, slice(start, stop)))


def _reflected(x: Any, dim: int, count: int, front: bool) -> Any:
    part = (1, count + 1) if front else (-count - 1, -1)
    return flip(_part(x, dim, *part), dim)


def _replicated(x: Any, dim: int, count: int, front: bool) -> Any:
    sizes = [-1] * x.ndim
    sizes[dim] = count
    return expand(_part(x, dim, *((0, 1) if front else (-1, None))), *sizes)


def _circular(x: Any, dim: int, count: int, front: bool) -> Any:
    return _part(x, dim, *((-count, None) if front else (0, count)))


_BORDERS = {"reflect": _reflected, "replicate": _replicated, "circular": _circular}
"""What each mode puts in front of a dimension, or behind it."""
