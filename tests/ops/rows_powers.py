"""The rows of the operations in `graphnet.ops.powers`."""

from __future__ import annotations

import torch
from ops.cases import Case, unary

from graphnet.ops import powers

ROWS: list[Case] = [
    *[
        case
        for exponent in (2, 3, 0, 1, -1, 0.5, -0.5, 2.0)
        for case in unary(powers.PowScalar(exponent), lambda x, p=exponent: x**p, low=0.5)
    ],
    *[
        Case(powers.Pow(), torch.pow, shapes, low=0.5)
        for shapes in (((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2,)), ((0, 2), (2,)))
    ],
    *[
        case
        for base in (2.0, 0.5, 1, 0, 0.0)
        for case in unary(
            powers.Exponential(base), lambda y, b=base: b**y, low=0.1 if base == 0 else -2.0
        )
    ],
]
