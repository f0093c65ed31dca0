"""The rows of the operations in `graphnet.ops.losses`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import losses

ROWS: list[Case] = [
    *[
        Case(
            losses.SquaredError(),
            lambda x, t: torch.nn.functional.mse_loss(x, t, reduction="none"),
            (shape, shape),
        )
        for shape in ((3, 4), (), (0, 2))
    ],
    *[
        Case(
            losses.BinaryCrossEntropy(),
            lambda x, t: torch.nn.functional.binary_cross_entropy(x, t, reduction="none"),
            (shape, shape),
            low=0.05,
            high=0.95,
            edges=(0.0, 1.0, 0.5, 1e-30),
        )
        for shape in ((3, 4), (), (0, 2))
    ],
]
