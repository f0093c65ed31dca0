"""The rows of the operations in `graphnet.ops.reductions`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import reductions

ROWS: list[Case] = [
    *[
        Case(reductions.Sum(dims, keepdim), lambda x, d=dims, k=keepdim: x.sum(d, k), (shape,))
        for shape, dims in (
            ((3, 4), (0, 1)),
            ((3, 4), (1,)),
            ((2, 3, 4), (0, 2)),
            ((2, 3, 4), (1,)),
            ((0, 2), (0,)),
            ((0, 2), (1,)),
        )
        for keepdim in (False, True)
    ],
    Case(reductions.Sum(()), torch.sum, ((),)),
    *[
        Case(reductions.Mean(dims, keepdim), lambda x, d=dims, k=keepdim: x.mean(d, k), (shape,))
        for shape, dims in (
            ((3, 4), (0, 1)),
            ((3, 4), (1,)),
            ((2, 3, 4), (0, 2)),
            ((0, 2), (0,)),
            ((0, 2), (1,)),
        )
        for keepdim in (False, True)
    ],
    Case(reductions.Mean((0, 1), of_batch=True), torch.mean, ((3, 4),)),
    Case(reductions.Mean(()), torch.mean, ((),)),
]
