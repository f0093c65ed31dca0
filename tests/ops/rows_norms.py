"""The rows of the operations in `graphnet.ops.norms`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import norms

SHAPES = (((3, 4), (0, 1)), ((3, 4), (1,)), ((2, 3, 4), (0, 2)), ((0, 2), (1,)), ((2, 0), (1,)))

ROWS: list[Case] = [
    *[
        Case(
            norms.Logsumexp(dims, keepdim), lambda x, d=dims, k=keepdim: x.logsumexp(d, k), (shape,)
        )
        for shape, dims in SHAPES
        for keepdim in (False, True)
    ],
    *[
        Case(
            norms.Norm(p, dims, keepdim),
            lambda x, p=p, d=dims, k=keepdim: torch.norm(x, p, d, k),
            (shape,),
        )
        for p in (2.0, 1.0, 3.0, 1.5)
        for shape, dims in SHAPES[:-1]
        for keepdim in (False, True)
    ],
    Case(norms.Norm(2.0, ()), torch.norm, ((),)),
]
