"""Rows for `graphnet.ops.random`, in what does not depend on the numbers drawn."""

import torch
from ops.cases import Case

from graphnet.ops.random import DropoutMask, RandLike, RandnLike

ROWS = [
    Case(DropoutMask(0.5), lambda x, training: torch.ones_like(x), ((3, 4), False)),
    Case(DropoutMask(0.5), lambda x, training: torch.ones_like(x), ((), False)),
    Case(DropoutMask(1.0), lambda x, training: torch.zeros_like(x), ((3, 4), True)),
    Case(DropoutMask(0.5), lambda x, training: torch.ones_like(x), ((0, 4), True)),
    Case(RandLike(torch.float64), lambda x: torch.rand_like(x.double()), ((0, 4),)),
    Case(RandnLike(torch.float64), lambda x: torch.randn_like(x.double()), ((0, 4),)),
]
