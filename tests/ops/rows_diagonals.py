"""The rows of the operations in `graphnet.ops.diagonals`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import diagonals

SITUATIONS = [
    ((0, 0, 1), (3, 4), (3,)),
    ((1, 1, 2), (2, 3, 4), (2, 3)),
    ((-2, 2, 0), (3, 2, 4), (2, 2)),
    ((3, 0, 1), (3, 2), (0,)),
]

ROWS: list[Case] = [
    *[
        Case(diagonals.DiagonalView(*options), lambda x, o=options: x.diagonal(*o), (whole,))
        for options, whole, _ in SITUATIONS
    ],
    *[
        Case(
            diagonals.DiagonalScatter(*options),
            lambda x, y, o=options: torch.diagonal_scatter(torch.zeros_like(y), x, *o),
            (part, whole),
        )
        for options, whole, part in SITUATIONS
    ],
]
