"""The rows of the operations in `graphnet.ops.losses`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import losses

SHAPES = ((3, 4), (), (0, 2))

ROWS: list[Case] = [
    *[
        Case(
            losses.SquaredError(),
            lambda x, t: torch.nn.functional.mse_loss(x, t, reduction="none"),
            (shape, shape),
        )
        for shape in SHAPES
    ],
    *[Case(losses.Difference(), torch.sub, (shape, shape)) for shape in SHAPES],
    *[Case(losses.MatchedProduct(), torch.mul, (shape, shape)) for shape in SHAPES],
    *[
        Case(
            losses.Huber(delta),
            lambda x, delta=delta: torch.nn.functional.huber_loss(
                x, torch.zeros_like(x), reduction="none", delta=delta
            ),
            (shape,),
        )
        for shape in SHAPES
        for delta in (1.0, 0.3, 5)
    ],
    *[
        Case(losses.Total(), torch.sum, (shape,), edges=(1.0, 0.5, 1e3, float("nan")))
        for shape in ((3, 4), (), (2, 1, 3))
    ],
]
