"""Points of a plane to classify."""

from __future__ import annotations

from math import pi, sqrt

import torch
from torch import Generator, Tensor

from graphnet.validation import require_counts

CENTER = 0.5
RADIUS = 1 / sqrt(2 * pi)
"""The disk covers half of the unit square: π RADIUS² = 1/2."""


def disk(n: int, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
    """n points in the unit square, and whether each lies in a disk that covers half of it.

    The points are uniform in [0, 1]²; the label is 1 inside the disk of radius 1/√(2π) around
    (0.5, 0.5), else 0.

    Returns:
        points: (n, 2) of float32.
        labels: (n,) of int64.

    Raises:
        RangeError: n is less than 1.

    >>> points, labels = disk(1000)
    >>> points.shape, labels.shape
    (torch.Size([1000, 2]), torch.Size([1000]))
    """
    require_counts(n=n)
    points = torch.rand(n, 2, generator=generator, dtype=torch.float32)
    inside = (points - CENTER).square().sum(1) < RADIUS**2
    return points, inside.long()
