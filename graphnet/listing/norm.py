"""How large a tensor is, in one number: what tables, frames and findings show of it."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def norm(tensor: Tensor | None) -> float:
    """The 2-norm of a tensor of any dtype; no square in it overflows or vanishes. 0 for None.

    >>> import torch
    >>> norm(torch.tensor([3, -4])), norm(torch.full((4,), 1e-30, dtype=torch.float64)), norm(None)
    (5.0, 2e-30, 0.0)
    """
    if tensor is None:
        return 0.0
    numbers = tensor.cpu().double()
    largest = float(numbers.abs().max()) if numbers.numel() else 0.0
    return largest * float((numbers / largest).norm()) if 0 < largest < inf else largest
