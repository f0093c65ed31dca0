"""Rows for `graphnet.ops.embedding`. The random labels of a row are 0 and 1."""

import torch
from ops.cases import Case
from torch.nn import functional

from graphnet.ops.embedding import Detach, Embedding, OneHot, ScatterRows

LABELS = {"low": 0.0, "high": 1.99, "kinds": {0: torch.int64}}


def scattered(rows, labels, table):
    empty = torch.zeros_like(table)
    return empty.index_add(0, labels.flatten(), rows.reshape(-1, table.size(1)))


ROWS = [
    *(Case(Embedding(), functional.embedding, (s, (2, 3)), **LABELS) for s in ((5,), (2, 4), ())),
    Case(Detach(), lambda x: x.detach(), ((2, 3),)),
    Case(
        ScatterRows(),
        scattered,
        ((4, 2, 3), (4, 2), (2, 3)),
        low=0.0,
        high=1.99,
        kinds={1: torch.int64},
    ),
    *(
        Case(OneHot(3), lambda x: functional.one_hot(x, 3), (s,), **LABELS)
        for s in ((5,), (2, 4), ())
    ),
]
