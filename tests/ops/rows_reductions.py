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
    Case(reductions.Mean((0, 1), nonempty=True), torch.mean, ((3, 4),)),
    Case(reductions.Mean(()), torch.mean, ((),)),
    *[
        Case(
            op(dims, correction, keepdim),
            lambda x, f=function, d=dims, c=correction, k=keepdim: f(x, d, correction=c, keepdim=k),
            (shape,),
        )
        for op, function in ((reductions.Var, torch.var), (reductions.Std, torch.std))
        for shape, dims in (((3, 4), (0, 1)), ((3, 4), (1,)), ((2, 3, 4), (0, 2)))
        for correction in (0, 1)
        for keepdim in (False, True)
    ],
    Case(reductions.Var((0,), 0.5), lambda x: x.var(0, correction=0.5), ((3, 4),)),
    Case(reductions.Std((0,), 2), lambda x: x.std(0, correction=2), ((4, 3),)),
    Case(reductions.Var((), 0), lambda x: x.var(correction=0), ((),)),
]
