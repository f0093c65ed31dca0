"""The rows of the operations in `graphnet.ops.extremes`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import extremes

ROWS: list[Case] = [
    *[
        Case(op(dims, keepdim), lambda x, f=function, d=dims, k=keepdim: f(x, d, k), (shape,))
        for op, function in ((extremes.Amax, torch.amax), (extremes.Amin, torch.amin))
        for shape, dims in (((3, 4), (0, 1)), ((3, 4), (1,)), ((2, 3, 4), (0, 2)), ((0, 2), (1,)))
        for keepdim in (False, True)
    ],
    Case(extremes.Amax(()), torch.amax, ((),)),
    Case(extremes.Amin(()), torch.amin, ((),)),
    *[
        Case(op(), function, (shape,))
        for op, function in ((extremes.Max, torch.max), (extremes.Min, torch.min))
        for shape in ((3, 4), (), (2, 1, 3))
    ],
    *[
        Case(op(dim, keepdim), lambda x, f=function, d=dim, k=keepdim: f(x, d, k), (shape,))
        for op, function in ((extremes.Argmax, torch.argmax), (extremes.Argmin, torch.argmin))
        for shape, dim in (((3, 4), None), ((3, 4), 1), ((2, 3, 4), 0), ((), 0), ((0, 2), 1))
        for keepdim in (False, True)
    ],
]
