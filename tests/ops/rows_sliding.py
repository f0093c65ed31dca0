"""The rows of the operations in `graphnet.ops.unfolding` along a dimension."""

from __future__ import annotations

from collections.abc import Callable

from ops.cases import Case
from torch import Tensor

from graphnet.ops import unfolding


def folded(dim: int, size: int, step: int) -> Callable[[Tensor, Tensor], Tensor]:
    """The sum of the windows, one after the other."""

    def function(x: Tensor, other: Tensor) -> Tensor:
        result = x.new_zeros(other.shape)
        for window in range(x.shape[dim]):
            seen = x.select(dim, window).movedim(-1, dim)
            result = result.clone()
            result.narrow(dim, window * step, size).add_(seen)
        return result

    return function


SITUATIONS = (
    ((7, 2), (3, 2, 3), (0, 3, 2)),
    ((2, 7), (2, 5, 3), (1, 3, 1)),
    ((2, 5, 3), (2, 2, 3, 4), (1, 4, 1)),
    ((8,), (2, 3), (0, 3, 4)),
    ((3,), (1, 3), (0, 3, 1)),
    ((0, 3), (0, 2, 2), (1, 2, 1)),
)

ROWS: list[Case] = [
    *[
        Case(unfolding.Windows(*options), lambda x, o=options: x.unfold(*o), (shape,))
        for shape, _, options in SITUATIONS
    ],
    *[
        Case(unfolding.WindowsSum(*options), folded(*options), (seen, shape))
        for shape, seen, options in SITUATIONS
    ],
]
