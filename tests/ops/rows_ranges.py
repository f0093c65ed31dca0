"""The rows of the operations in `graphnet.ops.ranges`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import ranges

ROWS: list[Case] = [
    Case(ranges.Positions(dim), lambda x, d=dim: torch.arange(x.shape[d]), (shape,))
    for dim, shape in ((0, (3, 4)), (1, (3, 4)), (0, (0, 2)))
]
