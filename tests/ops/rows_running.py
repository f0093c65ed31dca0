"""Rows for `graphnet.ops.running`. That buffers are written to is tested in `test_running`."""

import torch
from ops.cases import Case

from graphnet.ops.running import Choose, Column, CountUp, Remember, Several, Sized, SizedAs


def chosen(x, y, training):
    return x * 1 if training else y.expand_as(x) * 1


def first(x, *_):
    return x * 1


ROWS = [
    *(
        Case(Choose(), chosen, (*shapes, training))
        for shapes in (((2, 3), (2, 3)), ((2, 3), (3,)), ((0, 3), (3,)), ((), ()))
        for training in (True, False)
    ),
    Case(Remember(), first, ((1, 3), (3,), (4, 3), 0, False)),
    Case(Remember(None, True), first, ((1, 3, 1), (3,), (4, 3, 2), 2, False)),
    Case(
        CountUp(),
        lambda count, x, training: count.clone(),
        ((), (3,), False),
        kinds={0: torch.int64},
    ),
    *(
        Case(Column(), lambda x, y: x.reshape(-1, *[1] * (y.ndim - 2)), ((3,), shape))
        for shape in ((2, 3), (2, 3, 4, 4), (0, 3, 2))
    ),
    *(Case(Several((0,)), first, (shape, True)) for shape in ((3, 2), (0, 2))),
    Case(Several((0, 2)), first, ((1, 3, 1), False)),
    Case(Sized((2, None)), first, ((2, 3),)),
    *(Case(SizedAs(), first, (shape, shape)) for shape in ((2, 3), (), (0, 3))),
    Case(Several((0,), 0), first, ((3, 2), True)),
]
