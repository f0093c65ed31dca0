"""How large a tensor is, in one number: what tables, frames and findings show of it."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from torch.linalg import vector_norm

if TYPE_CHECKING:
    from torch import Tensor

_SMALL, _LARGE = 1e-150, 1e150
"""Between these, no square that matters overflowed or vanished, and no scaling is needed."""


def norm(tensor: Tensor | None) -> float:
    """The 2-norm of a tensor of any dtype; no square in it overflows or vanishes. 0 for None.

    >>> import torch
    >>> norm(torch.tensor([3, -4])), norm(torch.full((4,), 1e-30, dtype=torch.float64)), norm(None)
    (5.0, 2e-30, 0.0)
    """
    if tensor is None:
        return 0.0
    numbers = tensor.cpu().double()
    length = float(vector_norm(numbers))
    if _SMALL < length < _LARGE or not numbers.numel():
        return length
    largest = float(numbers.abs().max())
    return largest * float(vector_norm(numbers / largest)) if 0 < largest < inf else largest
