"""The rows of the operations in `graphnet.ops.einsum`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops.einsum import DiagEmbed, Diagonal

ROWS: list[Case] = [
    *[
        Case(Diagonal(), lambda x: x.diagonal(0, -2, -1), (shape,))
        for shape in ((3, 3), (2, 4, 4), (0, 0), (1, 1))
    ],
    *[Case(DiagEmbed(), torch.diag_embed, (shape,)) for shape in ((3,), (2, 4), (0,), (0, 3))],
]
