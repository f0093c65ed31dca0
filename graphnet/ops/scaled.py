"""What some methods of tensors do in one: a sum with a scaled term, in the order of the kernels.

The factor may be a number, or a symbol of a number that is given later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__: list[str] = []  # torch has these as methods of tensors; here they are no public functions


def add_scaled(x: Tensor, y: Tensor, a: float) -> Tensor:
    """x + a y."""
    return x + a * y


def addcmul(x: Tensor, u: Tensor, v: Tensor, a: float) -> Tensor:
    """x + (a u) v: u v may be out of range where a u is not."""
    return x + (a * u) * v


def addcdiv(x: Tensor, u: Tensor, v: Tensor, a: float) -> Tensor:
    """x + (a u) / v."""
    return x + (a * u) / v


def lerp(x: Tensor, y: Tensor, a: float) -> Tensor:
    """x + a (y - x), on the way from x to y."""
    return x + a * (y - x)
