"""The rows of the operations in `graphnet.ops.softmaxes`."""

from __future__ import annotations

from functools import partial

from ops.cases import Case
from torch.nn import functional

from graphnet.ops import softmaxes

ROWS: list[Case] = [
    Case(op(dim), partial(function, dim=dim), (shape,))
    for op, function in (
        (softmaxes.Softmax, functional.softmax),
        (softmaxes.LogSoftmax, functional.log_softmax),
    )
    for dim, shape in (
        (0, (3, 4)),
        (1, (3, 4)),
        (1, (2, 3, 4)),
        (0, (5,)),
        (0, ()),
        (1, (0, 3)),
        (0, (0, 3)),
    )
]
