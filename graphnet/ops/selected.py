"""What selects elements along a dimension returns: them, and where they were."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")

__all__: list[str] = []


class Selected(NamedTuple, Generic[V]):
    """Elements and their indices along a dimension: `x.max(1).values`, or `values, indices = ...`.

    Attributes:
        values: the elements.
        indices: where they were.
    """

    values: V
    indices: V
