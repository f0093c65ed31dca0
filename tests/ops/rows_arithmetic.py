"""The rows of the operations in `graphnet.ops.arithmetic`."""

from __future__ import annotations

import torch
from ops.cases import Case, binary, unary

from graphnet.ops import arithmetic

ROWS: list[Case] = [
    *binary(arithmetic.Add(), torch.add),
    *binary(arithmetic.Sub(), lambda x, y: x - y),
    *binary(arithmetic.Mul(), torch.mul),
    *binary(arithmetic.Div(), lambda x, y: x / y, low=0.5),
    *unary(arithmetic.Neg(), torch.neg),
    *unary(arithmetic.Abs(), torch.abs),
    *unary(arithmetic.Sign(), torch.sign),
]
