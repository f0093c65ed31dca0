"""What some methods of tensors do in one: a sum with a scaled term, in the order of the kernels.

The factor may be a number, or a symbol of a number that is given later.
"""

from __future__ import annotations

from typing import Any

__all__: list[str] = []  # torch has these as methods of tensors; here they are no public functions


def add_scaled(x: Any, y: Any, a: Any) -> Any:
    """x + a y."""
    return x + a * y


def addcmul(x: Any, u: Any, v: Any, a: Any) -> Any:
    """x + (a u) v: u v may be out of range where a u is not."""
    return x + (a * u) * v


def addcdiv(x: Any, u: Any, v: Any, a: Any) -> Any:
    """x + (a u) / v."""
    return x + (a * u) / v


def lerp(x: Any, y: Any, a: Any) -> Any:
    """x + a (y - x), on the way from x to y."""
    return x + a * (y - x)
