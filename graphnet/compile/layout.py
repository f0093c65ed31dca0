"""How a program lays images out in memory, and which of its convolutions are products."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

Order = tuple[int, int, int, int]

BY_PLANES: Order = (0, 1, 2, 3)
BY_PIXELS: Order = (0, 2, 3, 1)
BATCH_LAST: Order = (1, 2, 3, 0)
ORDERS: tuple[Order, ...] = (BY_PIXELS, BATCH_LAST, BY_PLANES)
"""Which of the dimensions (n, c, h, w) comes first in memory, and which next: torch's usual order;
its "channels last"; and one in which runs are long even where channels and pixels are few."""


class Layout(NamedTuple):
    """The order of the dimensions in memory, and the weights of the convolutions as products."""

    order: Order = BY_PIXELS
    as_products: frozenset[str] = frozenset()

    def changed(self, change: Order | str) -> Layout:
        """The same in another order, or with one more or one less of the products."""
        if isinstance(change, str):
            return Layout(self.order, self.as_products ^ {change})
        return Layout(change, self.as_products)


def ordered(sizes: tuple[int, ...], order: Order) -> tuple[int, ...]:
    """The sizes (n, c, h, w) in the order of the memory."""
    return tuple(sizes[dim] for dim in order)


def as_images(memory: Tensor, order: Order) -> Tensor:
    """Memory in some order, seen as (n, c, h, w)."""
    return memory.permute([order.index(dim) for dim in range(4)])


def lies(tensor: Tensor, order: Order) -> bool:
    """True if images (n, c, h, w) lie in this order, without gaps."""
    return tensor.ndim == 4 and tensor.permute(order).is_contiguous()
