"""The rows of the operations in `graphnet.ops.gathering`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import gathering

LONG = torch.int64
# Random numbers made whole: 0 and 1, so that places repeat.
FROM_START = {"low": 0.0, "high": 1.9}
EDGES = (0.0, 1.0, -1.0, 1e3, -1e3)

ROWS: list[Case] = [
    *[
        Case(
            gathering.Gather(dim),
            lambda x, i, d=dim: x.gather(d, i),
            shapes,
            kinds={1: LONG},
            edges=EDGES,
            **FROM_START,
        )
        for dim, shapes in ((0, ((3, 4), (5, 4))), (1, ((3, 4), (2, 6))))
    ],
    *[
        Case(
            gathering.ScatterAdd(dim),
            lambda x, i, y, d=dim: x.scatter_add(d, i, y),
            shapes,
            kinds={1: LONG},
            edges=EDGES,
            **FROM_START,
        )
        for dim, shapes in (
            (0, ((3, 4), (5, 4), (5, 4))),
            (1, ((3, 4), (2, 6), (2, 6))),
        )
    ],
    *[
        Case(
            gathering.IndexSelect(dim),
            lambda x, i, d=dim: x.index_select(d, i),
            shapes,
            kinds={1: LONG},
            edges=EDGES,
            **FROM_START,
        )
        for dim, shapes in ((0, ((3, 4), (5,))), (1, ((3, 4), (0,))), (1, ((2, 3, 2), (4,))))
    ],
    Case(gathering.Gather(0), lambda x, i: x.gather(0, i), ((), ()), 0.1, 0.9, kinds={1: LONG}),
    Case(
        gathering.ScatterAdd(0),
        lambda x, i, y: x.scatter_add(0, i, y),
        ((), (), ()),
        0.1,
        0.9,
        kinds={1: LONG},
    ),
]
