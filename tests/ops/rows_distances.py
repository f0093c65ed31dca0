"""The rows of the operations in `graphnet.ops.distances`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import distances

ROWS: list[Case] = [
    Case(
        distances.KLDivergence(),
        lambda x, t: torch.nn.functional.kl_div(x, t, reduction="none"),
        (shape, shape),
        low=0.1,
        edge_gradients=False,  # torch's is NaN for the probability 0, where the slope is infinite
    )
    for shape in ((3, 4), (), (0, 2))
]
