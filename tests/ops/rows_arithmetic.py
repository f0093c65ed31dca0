"""The rows of the operations in `graphnet.ops.arithmetic`."""

from __future__ import annotations

import torch
from ops.cases import Case, binary, unary

from graphnet.ops import arithmetic

PAIRS = (((3, 4), (3, 4)), ((1, 4), (3, 1)), ((), (2, 3)), ((0, 4), (4,)), ((3, 4), 1.5))

ROWS: list[Case] = [
    *binary(arithmetic.Add(), torch.add),
    *binary(arithmetic.Sub(), lambda x, y: x - y),
    *binary(arithmetic.Mul(), torch.mul),
    *binary(arithmetic.Div(), lambda x, y: x / y, low=0.5),
    *[
        Case(op, function, shapes)
        for op, function in (
            (arithmetic.Add(2.5), lambda x, y: torch.add(x, y, alpha=2.5)),
            (arithmetic.Sub(-3), lambda x, y: torch.sub(x, y, alpha=-3)),
            (
                arithmetic.DivRounded("floor"),
                lambda x, y: torch.div(x, y, rounding_mode="floor"),
            ),
            (
                arithmetic.DivRounded("trunc"),
                lambda x, y: torch.div(x, y, rounding_mode="trunc"),
            ),
        )
        for shapes in PAIRS
    ],
    *unary(arithmetic.Neg(), torch.neg),
    *unary(arithmetic.Abs(), torch.abs),
    *unary(arithmetic.Sign(), torch.sign),
]
