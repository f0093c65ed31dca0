"""The rows of the operations in `graphnet.ops.sizes`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import sizes

FIRST = ("size", 0, 0)
TWICE = ("*", 2, FIRST)


def _put(x: torch.Tensor, target: torch.Tensor, _other: torch.Tensor) -> torch.Tensor:
    """Three rows at the start of zeros."""
    return torch.cat([x, torch.zeros_like(target)[3:]])


ROWS: list[Case] = [
    Case(sizes.ReshapeTo((FIRST, -1)), lambda x, y: x.reshape(y.shape[0], -1), ((6, 4), (3, 2))),
    Case(
        sizes.ReshapeTo((2, FIRST, ("//", ("size", 1, 1), 2))),
        lambda x, y, z: x.reshape(2, y.shape[0], z.shape[1] // 2),
        ((3, 4), (3,), (1, 5)),
    ),
    Case(sizes.ExpandTo((FIRST, -1)), lambda x, y: x.expand(y.shape[0], -1), ((1, 4), (3, 2))),
    Case(sizes.ExpandTo((TWICE, 4)), lambda x, y: x.expand(6, 4), ((4,), (3, 2))),
    Case(sizes.Slice(1, None, FIRST), lambda x, y: x[:, : y.shape[0]], ((2, 5), (3, 2))),
    Case(sizes.Slice(0, 1, TWICE, 2), lambda x, y: x[1:6:2], ((7, 2), (3, 2))),
    Case(sizes.SliceGrad(0, None, FIRST), _put, ((3, 2), (5, 2), (3,))),
    Case(sizes.Full((FIRST, 2), 1.5), lambda x: torch.full((3, 2), 1.5, dtype=x.dtype), ((3, 4),)),
    Case(
        sizes.Full((("-", ("size", 0, 1), 1),), 1.0, torch.int64),
        lambda x: torch.full((3,), 1),
        ((3, 4),),
    ),
    Case(sizes.Arange(FIRST, torch.int64), lambda x: torch.arange(3), ((3, 4),)),
    Case(
        sizes.Arange(("+", ("size", 0, 1), ("%", ("size", 0, 0), 2)), torch.float64, 2, 3),
        lambda x: torch.arange(2, 17, 3, dtype=torch.float64),
        ((3, 4),),
    ),
]
