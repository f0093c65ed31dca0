"""The rows of the operations in `graphnet.ops.binary_losses`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import binary_losses

SHAPES = ((3, 4), (), (0, 2))

ROWS: list[Case] = [
    *[
        Case(
            binary_losses.BinaryCrossEntropy(),
            lambda x, t: torch.nn.functional.binary_cross_entropy(x, t, reduction="none"),
            (shape, shape),
            low=0.05,
            high=0.95,
            edges=(0.0, 1.0, 0.5, 1e-30),
        )
        for shape in SHAPES
    ],
    *[
        Case(
            binary_losses.BinaryCrossEntropyWithLogits(),
            lambda x, t: torch.nn.functional.binary_cross_entropy_with_logits(
                x, t, reduction="none"
            ),
            (shape, shape),
        )
        for shape in SHAPES
    ],
    *[
        Case(
            binary_losses.SignLabels(), lambda t: t * 1, (shape,), low=1, high=1, edges=(1.0, -1.0)
        )
        for shape in SHAPES
    ],
]
