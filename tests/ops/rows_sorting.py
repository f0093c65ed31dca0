"""The rows of the operations in `graphnet.ops.sorting`."""

from __future__ import annotations

from ops.cases import Case

from graphnet.ops import sorting

ROWS: list[Case] = [
    Case(
        sorting.Argsort(dim, descending),
        lambda x, d=dim, r=descending: x.sort(dim=d, descending=r, stable=True).indices,
        (shape,),
    )
    for dim, descending, shape in (
        (0, False, (7, 2)),
        (1, True, (2, 7)),
        (1, False, (2, 5, 3)),
        (0, True, ()),
        (1, False, (2, 0)),
    )
]
