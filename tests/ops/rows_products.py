"""The rows of the operations in `graphnet.ops.products`."""

from __future__ import annotations

import torch
from ops.cases import Case

from graphnet.ops import products

ROWS: list[Case] = [
    *[
        Case(products.Matmul(), torch.matmul, shapes)
        for shapes in (((3, 4), (4, 5)), ((0, 4), (4, 5)), ((3, 0), (0, 5)), ((1, 1), (1, 1)))
    ],
    *[
        Case(products.Matmul(), torch.matmul, shapes)
        for shapes in (
            ((2, 3, 4), (2, 4, 5)),
            ((2, 3, 4), (4, 5)),
            ((3, 4), (2, 4, 5)),
            ((2, 1, 3, 4), (5, 4, 2)),
            ((0, 3, 4), (4, 5)),
        )
    ],
    *[
        Case(products.Bmm(), torch.bmm, shapes)
        for shapes in (((2, 3, 4), (2, 4, 5)), ((0, 3, 4), (0, 4, 5)), ((2, 3, 0), (2, 0, 5)))
    ],
    *[
        Case(products.Matvec(), torch.matmul, shapes)
        for shapes in (((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4,)), ((0, 4), (4,)))
    ],
    *[
        Case(products.Vecmat(), torch.matmul, shapes)
        for shapes in (((3,), (3, 4)), ((3,), (2, 3, 4)), ((0,), (0, 4)))
    ],
    *[
        Case(products.Linear(), torch.nn.functional.linear, shapes)
        for shapes in (
            ((3, 4), (5, 4), (5,)),
            ((1, 4), (5, 4), (5,)),
            ((0, 4), (5, 4), (5,)),
            ((3, 1), (1, 1), (1,)),
            ((2, 3, 4), (5, 4), (5,)),
            ((2, 0, 1, 4), (5, 4), (5,)),
            ((4,), (5, 4), (5,)),
        )
    ],
    *[
        Case(products.LinearMap(), torch.nn.functional.linear, shapes)
        for shapes in (
            ((3, 4), (5, 4)),
            ((0, 4), (5, 4)),
            ((2, 3, 4), (5, 4)),
            ((2, 0, 1, 4), (5, 4)),
            ((4,), (5, 4)),
        )
    ],
]
