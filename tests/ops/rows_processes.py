"""Rows for `graphnet.ops.processes`, of two processes with the same numbers.

Several real ones: `tests/distributed`.
"""

import torch
from ops.cases import Case

from graphnet.ops.processes import AllReduce, CountedAllReduce, RememberAcross


class Pair:
    """Two processes that hold the same tensors."""

    is_apart = True  # how many values there are is not known

    def all_reduce(self, x, out=None):
        return torch.add(x, x, out=out)


PAIR = Pair()
ROWS = [
    *(
        Case(AllReduce(PAIR), lambda x, training: x * 2, (shape, True))
        for shape in ((3, 4), (), (0, 2))
    ),
    Case(AllReduce(PAIR), lambda x, training: x * 1, ((3, 4), False)),
    *(
        Case(CountedAllReduce(PAIR), lambda x, values, training: x * 2, ((4,), shape, True))
        for shape in ((5, 3), (1, 3))
    ),
    Case(CountedAllReduce(PAIR), lambda x, values, _: x * 1, ((4,), (1, 3), False)),
    Case(RememberAcross(), lambda x, *_: x * 1, ((1, 3), (3,), (), 0, False)),
    Case(RememberAcross(None, True), lambda x, *_: x * 1, ((1, 3, 1), (3,), (), 2, False)),
]
