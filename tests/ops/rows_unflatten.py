"""Rows for `graphnet.ops.unflatten`."""

from ops.cases import Case

from graphnet.ops.unflatten import Unflatten

ROWS = [
    Case(Unflatten(1, (2, -1)), lambda x: x.unflatten(1, (2, -1)), ((3, 12),)),
    Case(Unflatten(0, (3, 2, -1)), lambda x: x.unflatten(0, (3, 2, -1)), ((12, 2),)),
    Case(Unflatten(1, (3, -1)), lambda x: x.unflatten(1, (3, -1)), ((0, 12),)),
]
