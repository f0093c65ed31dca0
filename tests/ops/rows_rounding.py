"""The rows of the operations in `graphnet.ops.rounding`."""

from __future__ import annotations

import torch
from ops.cases import Case, unary

from graphnet.ops import rounding

# Halves are rounded to the even integer, and signs of zero are kept.
EDGES = (0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -1.2, 1e3, 4503599627370497.5, float("-inf"), float("nan"))

ROWS: list[Case] = [
    *unary(rounding.Floor(), torch.floor, edges=EDGES),
    *unary(rounding.Ceil(), torch.ceil, edges=EDGES),
    *unary(rounding.Trunc(), torch.trunc, edges=EDGES),
    *unary(rounding.Round(), torch.round, edges=EDGES),
]
