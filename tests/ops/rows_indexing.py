"""The rows of the operations in `graphnet.ops.indexing`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from ops.cases import Case
from torch import Tensor

from graphnet.ops import indexing

ALL = indexing.ALL
LONG = torch.int64


def index(key: tuple[Any, ...]) -> Callable[[Tensor], Tensor]:
    return lambda x: x[indexing.as_index(key)]


def put(key: tuple[Any, ...]) -> Callable[..., Tensor]:
    """Zeros, with x in the part that the key names."""

    def function(x: Tensor, other: Tensor) -> Tensor:
        result = x.new_zeros(other.shape)
        result[indexing.as_index(key)] = x
        return result

    return function


def add_at(key: Callable[..., tuple[Any, ...]]) -> Callable[..., Tensor]:
    """Zeros, plus x at the places that the indices name, one after the other."""

    def function(x: Tensor, other: Tensor, *indices: Tensor) -> Tensor:
        flat = torch.arange(other.numel()).reshape(other.shape)[key(*indices)]
        zeros = x.new_zeros(other.numel())
        return zeros.index_add(0, flat.reshape(-1), x.reshape(-1)).reshape(other.shape)

    return function


# Random numbers from -2 to 2 made whole: 0, 1 and -1, so that places repeat.
FROM_END = {"low": -1.9, "high": 1.9}
EDGES = (0.0, 1.0, -1.0, 1e3, -1e3)

ROWS: list[Case] = [
    *[
        Case(indexing.Index(key), index(key), (shape,))
        for shape, key in (
            ((3, 4), (0,)),
            ((3, 4), (-1, 2)),
            ((3, 4), (ALL, (1, None, 2))),
            ((3, 4), ((None, -1, None), (-3, 3, None))),
            ((2, 3, 4), ("...", None, 1)),
            ((2, 3, 4), (1, "...", (None, None, 3))),
            ((3, 4), ((5, None, None),)),
            ((0, 4), (ALL, 1)),
            ((), (None,)),
            ((3,), ()),
        )
    ],
    *[
        Case(indexing.Scatter(key), put(key), shapes)
        for shapes, key in (
            (((4,), (3, 4)), (0,)),
            (((3, 2), (3, 4)), (ALL, (1, None, 2))),
            (((), (3, 4)), (1, -1)),
            (((0, 4), (3, 4)), ((5, None, None),)),
        )
    ],
    *[
        Case(indexing.Take(dims), function, shapes, kinds=kinds, edges=EDGES, **FROM_END)
        for dims, function, shapes, kinds in (
            ((0,), lambda x, i: x[i], ((3, 4), (5,)), {1: LONG}),
            ((1,), lambda x, i: x[:, i], ((3, 4), (2, 3)), {1: LONG}),
            ((1,), lambda x, i: x[:, i], ((2, 3, 4), ()), {1: LONG}),
            ((0, 1), lambda x, i, j: x[i, j], ((3, 4), (5,), (5,)), {1: LONG, 2: LONG}),
            ((0, 2), lambda x, i, j: x[i, :, j], ((2, 3, 4), (5,), (2, 1)), {1: LONG, 2: LONG}),
            ((1, 2), lambda x, i, j: x[:, i, j], ((2, 3, 4), (5,), (1,)), {1: LONG, 2: LONG}),
            ((0,), lambda x, i: x[i], ((3, 4), (0,)), {1: LONG}),
        )
    ],
    *[
        Case(indexing.Put(dims), add_at(key), shapes, kinds=kinds, edges=EDGES, **FROM_END)
        for dims, key, shapes, kinds in (
            ((0,), lambda i: (i,), ((5, 4), (3, 4), (5,)), {2: LONG}),
            ((1,), lambda i: (slice(None), i), ((3, 2, 3), (3, 4), (2, 3)), {2: LONG}),
            ((1,), lambda i: (slice(None), i), ((2, 4), (2, 3, 4), ()), {2: LONG}),
            ((0, 1), lambda i, j: (i, j), ((5,), (3, 4), (5,), (5,)), {2: LONG, 3: LONG}),
            (
                (0, 2),
                lambda i, j: (i, slice(None), j),
                ((2, 5, 3), (2, 3, 4), (5,), (2, 1)),
                {2: LONG, 3: LONG},
            ),
        )
    ],
    *[
        Case(
            indexing.Narrow(dim, start, length),
            lambda x, o=(dim, start, length): x.narrow(*o),
            (s,),
        )
        for s, dim, start, length in (
            ((5, 2), 0, 1, 3),
            ((5, 2), 0, -2, 2),
            ((2, 5), 1, -4, 2),
            ((2, 5), 1, 5, 0),
        )
    ],
]
