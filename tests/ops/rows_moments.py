"""Rows for `graphnet.ops.moments`."""

from ops.cases import Case

from graphnet.ops.moments import Rescale, SecondMoment


def second_moment(*dims, average=True):
    def moment(x, mean):
        squares = (x - mean).square()
        if not dims:
            return squares
        return squares.mean(dims, True) if average else squares.sum(dims, True)

    return moment


ROWS = [
    *(
        Case(SecondMoment(dims, average), second_moment(*dims, average=average), (shape, mean))
        for average in (True, False)
        for dims, shape, mean in (
            ((0,), (3, 2), (1, 2)),
            ((0, 2, 3), (3, 2, 2, 2), (1, 2, 1, 1)),
            ((2,), (2, 2, 3), (2, 2, 1)),
            ((), (3, 2), (3, 2)),
        )
    ),
    *(
        Case(Rescale(), lambda x, m, s, b: (x - m) * s + b, shapes)
        for shapes in (
            ((3, 2), (1, 2), (1, 2), (2,)),
            ((2, 3, 2, 2), (1, 3, 1, 1), (1, 3, 1, 1), (3, 1, 1)),
            ((2, 3, 2), (2, 3, 1), (2, 3, 1), (3, 1)),
        )
    ),
]
