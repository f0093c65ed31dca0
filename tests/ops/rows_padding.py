"""The rows of the operations in `graphnet.ops.padding`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import padding

ROWS: list[Case] = [
    *[
        Case(
            padding.Pad(amounts, value),
            lambda x, a=amounts, v=value: torch.nn.functional.pad(x, a, value=v),
            (shape,),
        )
        for shape, amounts, value in (
            ((3, 4), (1, 2), 0.0),
            ((3, 4), (1, 2, 0, 3), -1.5),
            ((3, 4), (-1, 2, 1, -2), 2.0),
            ((2, 3, 4), (0, 0, -1, -1), 0.0),
            ((2, 3), (-2, 0), 1.0),
            ((2, 3), (-3, 5), 1.0),
            ((2, 3), (5, -2), 0.0),
            ((0, 2), (0, 1, 2, 0), 1.0),
            ((3,), (), 0.0),
        )
    ],
]
