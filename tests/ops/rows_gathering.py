"""The rows of the operations in `graphnet.ops.gathering`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import gathering

LONG = torch.int64
# Random numbers made whole: 0 and 1, so that places repeat.
FROM_START = {"low": 0.0, "high": 1.9}
EDGES = (0.0, 1.0, -1.0, 1e3, -1e3)


def in_corner(x, other):
    """Zeros but for x in front."""
    if not x.numel():
        return torch.zeros_like(other)
    pads = [size for a, b in zip(x.shape, other.shape, strict=True) for size in (b - a, 0)]
    return torch.nn.functional.pad(x, pads[::-1])


def corner(x, other):
    """The front of x."""
    return x[tuple(map(slice, other.shape))] if other.numel() else other * 0


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
    *[
        Case(
            gathering.ScatterAdd(dim),
            lambda x, i, y, d=dim, n=rows, m=columns: x.scatter_add(d, i, y[:n, :m]),
            ((3, 4), (rows, columns), (5, 7)),
            kinds={1: LONG},
            edges=EDGES,
            **FROM_START,
        )
        for dim, rows, columns in ((0, 5, 4), (0, 0, 4), (1, 2, 6), (1, 3, 0))
    ],
    *[
        Case(gathering.InCorner(), in_corner, shapes, edges=EDGES)
        for shapes in (((2, 3), (4, 3)), ((0, 2), (3,)), ((2,), (2,)), ((), ()))
    ],
    *[
        Case(gathering.Corner(), corner, shapes, edges=EDGES)
        for shapes in (((4, 3), (2, 3)), ((3,), (0, 2)), ((2,), (2,)), ((), ()))
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
