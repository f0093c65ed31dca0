"""The rows of the operations in `graphnet.ops.arithmetic`."""

from __future__ import annotations

import torch
from ops.cases import Case, binary, unary

from graphnet.ops import arithmetic

# The gradient exactly at a bound changed between versions of torch: tested in test_kinks.py.
BESIDE_BOUNDS = (0.0, 0.25, -2.0, 2.0, 1e3, -1e3, float("inf"), float("nan"))

ROWS: list[Case] = [
    *binary(arithmetic.Add(), torch.add),
    *binary(arithmetic.Sub(), lambda x, y: x - y),
    *binary(arithmetic.Mul(), torch.mul),
    *binary(arithmetic.Div(), lambda x, y: x / y, low=0.5),
    *unary(arithmetic.Neg(), torch.neg),
    *unary(arithmetic.Abs(), torch.abs),
    *unary(arithmetic.Sign(), torch.sign),
    *[
        Case(arithmetic.Maximum(), torch.maximum, shapes)
        for shapes in (((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2,)), ((0, 2), (2,)))
    ],
    *unary(arithmetic.Clamp(-1.0, 0.5), lambda x: x.clamp(-1.0, 0.5), edges=BESIDE_BOUNDS),
    *unary(arithmetic.Clamp(None, 1.0), lambda x: x.clamp(max=1.0), edges=BESIDE_BOUNDS),
    *unary(arithmetic.Clamp(-1, None), lambda x: x.clamp(min=-1), edges=BESIDE_BOUNDS),
]
