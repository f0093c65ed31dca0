"""The rows of the operations in `graphnet.ops.logic`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import logic

TWO = {0: torch.bool, 1: torch.bool}

ROWS: list[Case] = [
    *[
        Case(op, function, shapes, kinds=TWO)
        for op, function in (
            (logic.LogicalAnd(), torch.logical_and),
            (logic.LogicalOr(), torch.logical_or),
            (logic.BitwiseAnd(), torch.bitwise_and),
            (logic.BitwiseOr(), torch.bitwise_or),
        )
        for shapes in (((3, 4), (4,)), ((3, 1), (1, 4)), ((), ()), ((0, 2), (2,)))
    ],
    *[
        Case(op, function, (shape,), kinds={0: torch.bool})
        for op, function in (
            (logic.LogicalNot(), torch.logical_not),
            (logic.BitwiseNot(), torch.bitwise_not),
        )
        for shape in ((3, 4), (), (0, 2))
    ],
]
