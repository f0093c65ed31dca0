"""The rows of the operations in `graphnet.ops.shapes`."""

from __future__ import annotations

from ops.cases import Case

from graphnet.ops import shapes

ROWS: list[Case] = [
    *[
        Case(shapes.Reshape(new), lambda x, s=new: x.reshape(s), (old,))
        for old, new in (((3, 4), (4, 3)), ((3, 4), (2, -1)), ((), (1, 1)), ((0, 2), (2, 0)))
    ],
    Case(shapes.ReshapeAs(), lambda x, y: x.reshape_as(y), ((3, 4), (2, 6))),
    Case(shapes.Transpose(0, 2), lambda x: x.transpose(0, 2), ((2, 3, 4),)),
    Case(shapes.Transpose(1, 1), lambda x: x.transpose(1, 1), ((2, 3),)),
    Case(shapes.Permute((2, 0, 1)), lambda x: x.permute(2, 0, 1), ((2, 3, 4),)),
    Case(shapes.Permute((-1, 0)), lambda x: x.permute(-1, 0), ((0, 3),)),
    Case(shapes.Unsqueeze(1), lambda x: x.unsqueeze(1), ((2, 3),)),
    Case(shapes.Unsqueeze(0), lambda x: x.unsqueeze(0), ((),)),
    Case(shapes.Squeeze(1), lambda x: x.squeeze(1), ((2, 1, 3),)),
    Case(shapes.Flatten(0, 1), lambda x: x.flatten(0, 1), ((3, 4),)),
    Case(shapes.Flatten(1, 2), lambda x: x.flatten(1, 2), ((2, 3, 4, 1),)),
    Case(shapes.Flatten(0, 0), lambda x: x.flatten(), ((),)),
    Case(shapes.Flatten(0, 1), lambda x: x.flatten(), ((0, 3),)),
    *[
        Case(shapes.Tril(diagonal), lambda x, d=diagonal: x.tril(d), (shape,))
        for shape, diagonal in (((3, 4), 0), ((3, 4), 1), ((2, 4, 3), -1), ((0, 2), 0))
    ],
    *[
        Case(shapes.Triu(diagonal), lambda x, d=diagonal: x.triu(d), (shape,))
        for shape, diagonal in (((3, 4), 0), ((3, 4), 1), ((2, 4, 3), -1), ((0, 2), 0))
    ],
]
