"""The rows of the operations in `graphnet.ops.comparison`."""

from __future__ import annotations

import torch
from ops.cases import Case, comparing

from graphnet.ops import comparison

ROWS: list[Case] = [
    *comparing(comparison.Eq(), torch.eq),
    *comparing(comparison.Ne(), torch.ne),
    *comparing(comparison.Gt(), torch.gt),
    *comparing(comparison.Ge(), torch.ge),
    *comparing(comparison.Lt(), torch.lt),
    *comparing(comparison.Le(), torch.le),
    *[
        Case(comparison.Where(), torch.where, shapes, kinds={0: torch.bool})
        for shapes in (
            ((3, 4), (3, 4), (3, 4)),
            ((3, 1), (4,), ()),
            ((0, 2), (2,), (1,)),
            ((3, 4), (3, 4), 0.5),
        )
    ],
    *[
        Case(
            comparison.MaskedFill(2.0),
            lambda x, mask: x.masked_fill(mask, 2.0),
            shapes,
            kinds={1: torch.bool},
        )
        for shapes in (((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (4,)), ((0, 2), (2,)))
    ],
]
