"""The rows of the operations in `graphnet.ops.joining`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import joining

ROWS: list[Case] = [
    *[
        Case(joining.Cat(dim), lambda *x, d=dim: torch.cat(x, d), shapes)
        for dim, shapes in (
            (0, ((3, 4), (2, 4))),
            (1, ((3, 1), (3, 2), (3, 0))),
            (2, ((2, 1, 3), (2, 1, 1))),
            (0, ((3,),)),
        )
    ],
    *[
        Case(joining.Stack(dim), lambda *x, d=dim: torch.stack(x, d), shapes)
        for dim, shapes in (
            (0, ((3, 4), (3, 4), (3, 4))),
            (1, ((3,), (3,))),
            (2, ((2, 3), (2, 3))),
            (0, ((), ())),
            (1, ((0, 2), (0, 2))),
        )
    ],
    *[
        Case(
            joining.Section(dim, place),
            lambda x, *like, d=dim, p=place: x.split([each.shape[d] for each in like], d)[p],
            shapes,
        )
        for dim, place, shapes in (
            (0, 0, ((5, 4), (3, 4), (2, 4))),
            (1, 2, ((3, 4), (3, 1), (3, 0), (3, 3))),
        )
    ],
    *[
        Case(
            joining.Split(sizes, dim, place),
            lambda x, s=sizes, d=dim, p=place: x.split(s, d)[p],
            (s,),
        )
        for s, sizes, dim, place in (
            ((5, 4), (2, 3), 0, 0),
            ((5, 4), (1, 2, 1), 1, 2),
            ((2, 5, 3), (4, 1, 0), 1, 2),
        )
    ],
]
