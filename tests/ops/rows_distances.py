"""The rows of the operations in `graphnet.ops.distances`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import distances

SHAPES = ((3, 4), (), (0, 2))

ROWS: list[Case] = [
    Case(
        distances.KlDivergence(),
        lambda x, t: torch.nn.functional.kl_div(x, t, reduction="none"),
        (shape, shape),
        low=0.1,
    )
    for shape in SHAPES
] + [
    # The slope of 1 below the bound is no derivative: there it stands beside one that is told so.
    Case(
        distances.AtLeast(0.5),
        lambda x: x + (x.clamp(min=0.5) - x).detach(),
        (shape,),
        low=0.6,
        edges=(0.0, 1.0, -1.0, 0.5, 1e3, -1e3, float("nan")),
    )
    for shape in SHAPES
]
