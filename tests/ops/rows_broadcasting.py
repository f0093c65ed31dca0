"""The rows of the operations in `graphnet.ops.broadcasting`."""

from __future__ import annotations

import torch
from ops.cases import Case, unary

from graphnet.ops import broadcasting

ROWS: list[Case] = [
    *[
        Case(broadcasting.Expand(new), lambda x, s=new: x.expand(s), (old,))
        for old, new in (((3, 1), (3, 4)), ((3, 1), (2, -1, 4)), ((), (2, 3)), ((1, 2), (0, 2)))
    ],
    *[
        Case(broadcasting.ExpandAs(), lambda x, y: x.expand_as(y), shapes)
        for shapes in (((3, 1), (3, 4)), ((4,), (2, 3, 4)), ((), (2,)), ((1, 2), (0, 2)))
    ],
    *[
        Case(broadcasting.SumAs(), lambda x, y: x.sum_to_size(y.shape), shapes)
        for shapes in (((3, 4), (3, 1)), ((2, 3, 4), (4,)), ((2,), ()), ((3, 4), (3, 4)))
    ],
    Case(broadcasting.Size(1), lambda x: torch.tensor(x.shape[1]), ((2, 3),)),
    *unary(broadcasting.ZerosLike(), torch.zeros_like),
    *unary(broadcasting.OnesLike(), torch.ones_like),
]
