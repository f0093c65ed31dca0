"""Rows for `graphnet.ops.attention`."""

import torch
from ops.cases import Case

from graphnet.ops.attention import AllHidden, LaterKeys


def later(scores):
    return torch.ones(scores.shape[-2:], dtype=scores.dtype).tril() == 0


ROWS = [
    *(Case(LaterKeys(), later, (shape,)) for shape in ((3, 3), (2, 4, 3), (2, 3, 5), (0, 3))),
    Case(AllHidden(), lambda x: (x == -torch.inf).all(-1, keepdim=True), ((2, 3),)),
    Case(
        AllHidden(),
        lambda x: (x == -torch.inf).all(-1, keepdim=True),
        ((2, 3),),
        edges=(-float("inf"), 0.0),
    ),
]
