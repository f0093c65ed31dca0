"""How a program lays images out in memory, and which of its convolutions are products."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Slot

Order = tuple[int, int, int, int]

BY_PLANES: Order = (0, 1, 2, 3)  # torch's usual order
BY_PIXELS: Order = (0, 2, 3, 1)  # torch's "channels last"
BATCH_LAST: Order = (1, 2, 3, 0)  # long runs, even where channels and pixels are few
ORDERS: tuple[Order, ...] = (BY_PIXELS, BATCH_LAST, BY_PLANES)
"""Layouts in the order they are tried: which of (n, c, h, w) comes first in memory, and next."""


class MemoryFormat(NamedTuple):
    """The order of dimensions in memory, and the weights of the convolutions done as products."""

    order: Order = BY_PIXELS
    as_products: frozenset[str] = frozenset()

    def changed(self, change: Order | str) -> MemoryFormat:
        """The same format in another order, or with one product more or less."""
        if isinstance(change, str):
            return MemoryFormat(self.order, self.as_products ^ {change})
        return MemoryFormat(change, self.as_products)


def ordered(sizes: tuple[int, ...], order: Order) -> tuple[int, ...]:
    """The sizes (n, c, h, w) in memory order.

    >>> ordered((100, 3, 28, 28), BATCH_LAST)
    (3, 28, 28, 100)
    """
    return tuple(sizes[dim] for dim in order)


def as_images(memory: Slot, order: Order) -> Slot:
    """Memory in some order, seen as (n, c, h, w).

    >>> from torch import float32
    >>> from graphnet.compile.plan.slots import new_slot
    >>> as_images(new_slot((3, 28, 28, 100), float32), BATCH_LAST).shape
    (100, 3, 28, 28)
    """
    return memory.permute([order.index(dim) for dim in range(4)])


def lies(slot: Slot, order: Order) -> bool:
    """True if images (n, c, h, w) lie in this order, without gaps, in the same memory each time.

    >>> from torch import float32
    >>> from graphnet.compile.plan.slots import new_slot
    >>> images = new_slot((100, 3, 28, 28), float32)
    >>> lies(images, BY_PLANES), lies(images, BATCH_LAST)
    (True, False)
    """
    return slot.is_fixed and slot.ndim == 4 and slot.permute(order).is_contiguous


def is_image(slot: Slot) -> bool:
    """True for images in one of these orders, but not in torch's usual one."""
    return (
        slot.is_fixed
        and slot.ndim == 4
        and not slot.is_contiguous
        and any(lies(slot, order) for order in ORDERS)
    )
