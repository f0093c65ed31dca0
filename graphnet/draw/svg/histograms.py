"""What a box shows of a tensor: one line of text, and a small histogram of all its numbers.

Never only the first numbers of a tensor: they may all come from one dead unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.errors import counted
from graphnet.listing.norm import norm

if TYPE_CHECKING:
    from torch import Tensor

BINS = 12


def histogram(tensor: Tensor) -> list[float]:
    """The histogram of a tensor in 12 bins, from its smallest to its largest finite number.

    Args:
        tensor: any tensor of numbers.

    Returns:
        The heights of the bars, the highest of them 1; none if there is at most one number.

    >>> import torch
    >>> histogram(torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0, 2.0]))
    [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.25, 0.0, 0.0, 0.0, 0.0, 0.25]
    """
    finite = _finite(tensor)
    if finite.numel() < 2:
        return []
    if bool((finite == finite[0]).all()):
        return [float(place == BINS // 2) for place in range(BINS)]
    bins = (finite / finite.abs().max()).histc(BINS)  # whose range would overflow without it
    return [float(height) for height in bins / bins.max()]


def zero_in(tensor: Tensor) -> float | None:
    """Where zero lies in the histogram of a tensor: 0 at its left end, 1 at its right end.

    Args:
        tensor: any tensor of numbers.

    Returns:
        None if all numbers are above zero or all below, and if there is no histogram.

    >>> import torch
    >>> zero_in(torch.tensor([-1.0, 0.5, 3.0])), zero_in(torch.tensor([0.5, 3.0]))
    (0.25, None)
    """
    finite = _finite(tensor)
    if finite.numel() < 2:
        return None
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        return None if low else 0.5  # the one bar is in the middle
    scale = max(-low, high)  # the range may overflow without it
    return -low / scale / (high / scale - low / scale) if low <= 0 <= high else None


def described(tensor: Tensor) -> str:
    """The norm of a tensor and the range of its numbers, in short.

    Args:
        tensor: any tensor of numbers.

    >>> import torch
    >>> described(torch.tensor([3.0, -4.0])), described(torch.tensor(0.25))
    ('‖5‖ -4 … 3', '0.25')
    >>> described(torch.tensor([3.0, float("nan")]))
    '‖3‖ 3 … 3, 1 not finite'
    """
    finite = _finite(tensor)
    lost = tensor.numel() - finite.numel()
    if tensor.numel() == 1:
        return f"{tensor.item():.4g}"
    if not finite.numel():
        return f"{counted(lost, 'number')}, none finite" if lost else "no numbers"
    text = f"‖{norm(finite):.3g}‖ {float(finite.min()):.3g} … {float(finite.max()):.3g}"
    return f"{text}, {lost:,} not finite" if lost else text


def _finite(tensor: Tensor) -> Tensor:
    """The finite numbers in double precision."""
    numbers = tensor.flatten().double().cpu()
    return numbers[numbers.isfinite()]
