"""The rows of the operations in `graphnet.ops.cumulative`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from ops.cases import Case
from torch import Tensor

from graphnet.ops import cumulative


def recurrence(dim: int, reverse: bool) -> Callable[[Tensor, Tensor], Tensor]:
    """The recurrence, one place after the other."""

    def function(x: Tensor, factor: Tensor) -> Tensor:
        y, tops = torch.zeros_like(x.select(dim, 0)), []
        places = range(x.shape[dim])
        for place in reversed(places) if reverse else places:
            y = x.select(dim, place) + factor.select(dim, place) * y
            tops.append(y)
        return torch.stack(tops[::-1] if reverse else tops, dim)

    return function


def shift(dim: int, places: int, value: float) -> Callable[[Tensor], Tensor]:
    """The elements one place further, a value in front; or one place back."""

    def function(x: Tensor) -> Tensor:
        edge = torch.full_like(x.narrow(dim, 0, 1), value)
        kept = x.narrow(dim, int(places < 0), x.shape[dim] - 1)
        return torch.cat((edge, kept) if places > 0 else (kept, edge), dim)

    return function


FINITE = (0.0, 1.0, -1.0, 0.5, 1e3, -1e3)

ROWS: list[Case] = [
    *[
        Case(cumulative.Cumsum(dim), lambda x, d=dim: x.cumsum(d), (shape,))
        for shape, dim in (((3, 4), 0), ((2, 3, 4), 1), ((0, 3), 0))
    ],
    Case(cumulative.Cumsum(1, True), lambda x: x.flip(1).cumsum(1).flip(1), ((3, 4),)),
    *[
        Case(cumulative.Shift(dim, places, value), shift(dim, places, value), (shape,))
        for shape, dim, value in (((3, 4), 0, 1.5), ((2, 3, 4), 1, 0.0), ((1, 3), 0, -1.0))
        for places in (1, -1)
    ],
    *[
        Case(
            cumulative.Recurrence(dim, reverse),
            recurrence(dim, reverse),
            (shape, shape),
            edges=FINITE,
        )
        for shape, dim in (((3, 4), 0), ((2, 7, 2), 1), ((1, 3), 0))
        for reverse in (False, True)
    ],
    *[
        Case(
            cumulative.Prod(dim, keepdim),
            lambda x, d=dim, k=keepdim: x.prod(d, k),
            (shape,),
            edges=FINITE,
        )
        for shape, dim in (((3, 4), 0), ((2, 5, 3), 1), ((0, 3), 0), ((3, 0), 0), ((4, 1), 1))
        for keepdim in (False, True)
    ],
]
