"""Padding and cropping with one value: `Pad`, which is its own derivative."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import ShapeError
from graphnet.op import Structural

if TYPE_CHECKING:
    from torch import Tensor


class Pad(Structural):
    """x with elements of one value around it; a negative amount removes elements.

    Shapes: (n, m) -> (n, m + 3) for the amounts (1, 2), which start with the last dimension.
    """

    symbol = "pad"
    hint = "Negative amounts must not remove more than there is."
    amounts: tuple[int, ...]
    value: float = 0.0

    def forward(self, x: Tensor) -> Tensor:
        kept, sizes = x, list(x.shape)
        for dim, before, after in self.sides(x.ndim):
            left = sizes[dim] + min(before, 0) + min(after, 0)
            if left < 0:
                raise ShapeError(f"dimension {dim} of size {sizes[dim]} would shrink to {left}")
            kept = kept.narrow(dim, max(-before, 0), left)
            sizes[dim] += before + after
        result = inside = x.new_full(sizes, self.value)
        for dim, before, _ in self.sides(x.ndim):
            inside = inside.narrow(dim, max(before, 0), kept.shape[dim])
        inside.copy_(kept)
        return result

    def grad_x(self, grad: Tensor) -> Tensor:
        return Pad(tuple(-amount for amount in self.amounts))(grad)

    def sides(self, ndim: int) -> list[tuple[int, int, int]]:
        """The dimensions, each with the amounts before and after."""
        pairs = zip(self.amounts[::2], self.amounts[1::2], strict=True)
        return [(ndim - 1 - place, *pair) for place, pair in enumerate(pairs)]
