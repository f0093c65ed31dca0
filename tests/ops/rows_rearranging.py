"""The rows of the operations in `graphnet.ops.rearranging`."""

from __future__ import annotations

from ops.cases import Case

from graphnet.ops import rearranging

ROWS: list[Case] = [
    *[
        Case(rearranging.Flip(dims), lambda x, d=dims: x.flip(d), (shape,))
        for dims, shape in (((0,), (3, 4)), ((0, 2), (3, 1, 4)), ((), ()), ((1,), (2, 0)))
    ],
    *[
        Case(rearranging.Roll(shifts, dims), lambda x, s=shifts, d=dims: x.roll(s, d), (shape,))
        for shifts, dims, shape in (
            ((1,), (0,), (3, 4)),
            ((-2, 5), (1, 0), (3, 4)),
            ((0,), (1,), (2, 3)),
            ((2,), (0,), (0, 3)),
        )
    ],
]
