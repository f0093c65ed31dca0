"""How a program lays images out in memory, and which of its convolutions are products."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

Order = tuple[int, int, int, int]

BY_PLANES: Order = (0, 1, 2, 3)  # torch's usual order
BY_PIXELS: Order = (0, 2, 3, 1)  # torch's "channels last"
BATCH_LAST: Order = (1, 2, 3, 0)  # long runs, even where channels and pixels are few
ORDERS: tuple[Order, ...] = (BY_PIXELS, BATCH_LAST, BY_PLANES)
"""Layouts in the order they are tried: which of (n, c, h, w) comes first in memory, and next."""


class Layout(NamedTuple):
    """The order of dimensions in memory, and the weights of the convolutions done as products."""

    order: Order = BY_PIXELS
    as_products: frozenset[str] = frozenset()

    def changed(self, change: Order | str) -> Layout:
        """The same layout in another order, or with one product more or less."""
        if isinstance(change, str):
            return Layout(self.order, self.as_products ^ {change})
        return Layout(change, self.as_products)


def ordered(sizes: tuple[int, ...], order: Order) -> tuple[int, ...]:
    """The sizes (n, c, h, w) in memory order.

    >>> ordered((100, 3, 28, 28), BATCH_LAST)
    (3, 28, 28, 100)
    """
    return tuple(sizes[dim] for dim in order)


def as_images(memory: Tensor, order: Order) -> Tensor:
    """Memory in some order, seen as (n, c, h, w).

    >>> from torch import empty
    >>> as_images(empty(3, 28, 28, 100), BATCH_LAST).shape
    torch.Size([100, 3, 28, 28])
    """
    return memory.permute([order.index(dim) for dim in range(4)])


def lies(tensor: Tensor, order: Order) -> bool:
    """True if images (n, c, h, w) lie in this order, without gaps.

    >>> from torch import empty
    >>> lies(empty(100, 3, 28, 28), BY_PLANES), lies(empty(100, 3, 28, 28), BATCH_LAST)
    (True, False)
    """
    return tensor.ndim == 4 and tensor.permute(order).is_contiguous()
